//! One tag more, or one fewer (v2-images §6.7).

use super::{Error, Images, Result};
use crate::db;
use crate::model::{Context, ImageId};
use crate::notify::{Event, Priority};

impl Images {
    /// Adds a tag; one that is there already is no mistake.
    pub(crate) async fn tag_add(&self, ctx: &Context, id: &ImageId, tag: &str) -> Result<()> {
        self.authorise_tagging(ctx, id).await?;
        let added = self.parts.metadata.tag_add(ctx, id, tag, self.parts.settings.tag_quota).await;
        let added = added.map_err(|error| match error {
            db::Error::TooMany { attempted, quota } => Error::TagQuota { id: id.clone(), attempted, quota },
            error => Error::Update(error),
        })?;
        if let Some(image) = added {
            self.parts.notifier.image(Event::Update, Priority::Info, &image);
        }
        Ok(())
    }

    /// Removes a tag.
    pub(crate) async fn tag_remove(&self, ctx: &Context, id: &ImageId, tag: &str) -> Result<()> {
        self.authorise_tagging(ctx, id).await?;
        let image = self.parts.metadata.tag_remove(ctx, id, tag).await.map_err(Error::Update)?;
        self.parts.notifier.image(Event::Update, Priority::Info, &image);
        Ok(())
    }

    async fn authorise_tagging(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        let image = self.lookup(ctx, id).await?;
        Ok(self.parts.policy.enforce_on(ctx, "modify_image", &image).await?)
    }
}

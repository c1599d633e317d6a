//! Putting images to rest, and back to work: nobody but admins gets the data of a deactivated image (v2-images §6.6).

use super::{Error, Images, Result};
use crate::db::{self, UpdateMode};
use crate::model::{Context, ImageFields, ImageId, ImageStatus};
use crate::notify::{Event, Priority};

/// Another change of the status at the same moment makes an action start again; that many in a row are no coincidence.
const ATTEMPTS: usize = 8;

impl Images {
    /// No downloads any more; of a deactivated image no mistake.
    pub(crate) async fn deactivate(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        self.act(ctx, id, "deactivate", ImageStatus::Active, ImageStatus::Deactivated).await
    }

    /// Downloads again; of an active image no mistake.
    pub(crate) async fn reactivate(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        self.act(ctx, id, "reactivate", ImageStatus::Deactivated, ImageStatus::Active).await
    }

    /// `action` is the name of its rule, too.
    async fn act(
        &self,
        ctx: &Context,
        id: &ImageId,
        action: &'static str,
        from: ImageStatus,
        to: ImageStatus,
    ) -> Result<()> {
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        let mut conflict = String::new();
        for _ in 0..ATTEMPTS {
            let image = self.lookup(ctx, id).await?;
            self.parts.policy.enforce_on(ctx, action, &image).await?;
            if image.status == to {
                return Ok(());
            }
            if image.status != from {
                return Err(Error::NotForAction { action, status: image.status });
            }
            let fields = ImageFields { status: Some(to), ..ImageFields::default() };
            let mode = UpdateMode { purge_props: false, from_status: Some(from) };
            match self.parts.metadata.image_update(ctx, id, fields, mode).await {
                Ok(image) => {
                    self.parts.notifier.image(Event::Update, Priority::Info, &image);
                    return Ok(());
                }
                Err(db::Error::Conflict(text)) => conflict = text,
                Err(error) => return Err(Error::Update(error)),
            }
        }
        Err(Error::Update(db::Error::Conflict(conflict)))
    }
}

//! Creating an image's record by v2 (v2-images §6.1).

use super::change::{check_need, visibility_rule};
use super::{Error, Images, Result};
use crate::model::{Context, Image, ImageFields, ImageStatus, Resource};
use crate::notify::{Event, Priority};
use crate::policy;

/// The fields of a new image, which the caller may create.
#[derive(Debug)]
pub(crate) struct Permitted(ImageFields);

impl Images {
    /// Asks whether the caller may create such an image.
    pub(crate) async fn permit_new(&self, ctx: &Context, fields: ImageFields) -> Result<Permitted> {
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        self.authorise_new(ctx, &fields).await?;
        self.check_new_properties(ctx, &fields)?;
        Ok(Permitted(fields))
    }

    /// Registers an image, `queued` until its data comes.
    pub(crate) async fn register(&self, ctx: &Context, Permitted(fields): Permitted) -> Result<Image> {
        check_need("min_ram", fields.min_ram)?;
        check_need("min_disk", fields.min_disk)?;
        self.check_tags(fields.tags.as_ref().map_or(0, |tags| tags.len()))?;
        self.check_properties(fields.properties.as_ref().map_or(0, |properties| properties.len()))?;
        self.check_limit(ctx, Resource::CountTotal, 1).await?;
        let record = ImageFields { status: Some(ImageStatus::Queued), ..fields };
        let id = record.id.clone();
        let image =
            self.parts.metadata.image_insert(ctx, record).await.map_err(|source| Error::Reserve { id, source })?;
        self.parts.notifier.image(Event::Create, Priority::Info, &image);
        Ok(image)
    }

    /// Who is not to name another owner hears that, and not that he may not create at all.
    async fn authorise_new(&self, ctx: &Context, fields: &ImageFields) -> Result<()> {
        let owner = fields.owner.as_ref().map_or(ctx.owner(), |owner| owner.as_deref());
        let enforce = |rule, owner| self.parts.policy.enforce_new(ctx, rule, owner, fields.visibility);
        match enforce("add_image", owner).await {
            Err(policy::Error::Denied(_))
                if owner != ctx.owner() && enforce("add_image", ctx.owner()).await.is_ok() =>
            {
                return Err(Error::ForeignOwner(owner.unwrap_or("None").to_owned()));
            }
            verdict => verdict?,
        }
        if let Some(rule) = fields.visibility.and_then(visibility_rule) {
            enforce(rule, owner).await?;
        }
        Ok(())
    }
}

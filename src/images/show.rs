//! Reading records: one image, or a page of them.

use super::{Error, Images, Result};
use crate::model::{Context, Image, ImageId, ImageQuery};

impl Images {
    /// One image's record.
    pub(crate) async fn show(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        self.parts.policy.enforce(ctx, "get_image")?;
        self.lookup(ctx, id).await
    }

    /// One image's record, if the policy lets the caller see it (v2-images §6.2).
    pub(crate) async fn seen(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        let image = self.lookup(ctx, id).await?;
        self.parts.policy.enforce_on(ctx, "get_image", &image)?;
        Ok(image)
    }

    /// A page of records.
    pub(crate) async fn index(&self, ctx: &Context, query: &ImageQuery) -> Result<Vec<Image>> {
        self.parts.policy.enforce(ctx, "get_images")?;
        self.parts.metadata.image_find(ctx, query).await.map_err(Error::List)
    }

    /// The record behind `id`, if the caller can see it; the caller of this has asked the policy.
    pub(super) async fn lookup(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        let found = self.parts.metadata.image_get(ctx, id).await;
        found.map_err(|source| Error::Lookup { id: id.to_string(), source })
    }
}

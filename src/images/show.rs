//! Reading records: one image, or a page of them.

use super::{Error, Images, Result};
use crate::model::{Context, Image, ImageId, ImageQuery, Listing};

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) images: Vec<Image>,
    /// There may be more, after this image.
    pub(crate) goes_on_after: Option<ImageId>,
}

impl Images {
    /// One image's record.
    pub(crate) async fn show(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        self.authorise_unseen(ctx, "get_image").await?;
        let image = self.lookup(ctx, id).await?;
        self.authorise_seen(ctx, "get_image", &image).await?;
        Ok(image)
    }

    /// One image's record, if the policy lets the caller see it (v2-images §6.2).
    pub(crate) async fn seen(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        let image = self.lookup(ctx, id).await?;
        self.parts.policy.enforce_on(ctx, "get_image", &image).await?;
        Ok(image)
    }

    /// A page of the records that v2 may list (v2-images §6.3). What the policy does not let the caller see is left out.
    pub(crate) async fn list(&self, ctx: &Context, listing: &Listing) -> Result<Page> {
        self.parts.policy.enforce(ctx, "get_images").await?;
        if self.asks_for_hidden(ctx, listing) {
            return Ok(Page { images: Vec::new(), goes_on_after: None });
        }
        let images = self.parts.metadata.image_list(ctx, listing).await.map_err(Error::List)?;
        let full = images.len() as u64 == listing.limit;
        // The last one read, be it shown or not: more may follow it.
        let goes_on_after = images.last().filter(|_| full).map(|image| image.id.clone());
        let images = self.seen_of(ctx, images).await;
        Ok(Page { images, goes_on_after })
    }

    /// A page of records.
    pub(crate) async fn index(&self, ctx: &Context, query: &ImageQuery) -> Result<Vec<Image>> {
        self.parts.policy.enforce(ctx, "get_images").await?;
        if self.filters_by_hidden(ctx, &query.filters) {
            return Ok(Vec::new());
        }
        let images = self.parts.metadata.image_find(ctx, query).await.map_err(Error::List)?;
        Ok(self.seen_of(ctx, images).await)
    }

    /// Those that the policy lets the caller see.
    async fn seen_of(&self, ctx: &Context, images: Vec<Image>) -> Vec<Image> {
        let mut seen = Vec::with_capacity(images.len());
        for image in images {
            if self.authorise_seen(ctx, "get_image", &image).await.is_ok() {
                seen.push(image);
            }
        }
        seen
    }

    /// The record behind `id`, if the caller can see it; the caller of this has asked the policy.
    pub(super) async fn lookup(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        let found = self.parts.metadata.image_get(ctx, id).await;
        let image = found.map_err(|source| Error::Lookup { id: id.to_string(), source })?;
        Ok(self.with_true_notes(ctx, image).await)
    }
}

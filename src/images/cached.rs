//! Managing this node's cache as v1 does, and v2 by its routes of old: what is in it, what is queued for it (v1-cache §4;
//! v2's own: `cache_api.rs`).

use std::sync::Arc;

use super::{Error, Images, Result};
use crate::cache::{Cache, Driver};
use crate::model::{CachedImage, Context, ImageId};

impl Images {
    /// The cached images, and the driver that kept their records.
    pub(crate) async fn cached_images(&self, ctx: &Context) -> Result<(Vec<CachedImage>, Driver)> {
        let cache = self.managed_cache(ctx).await?;
        Ok((cache.entries().await, cache.driver()))
    }

    /// Removes an image from the cache, if it is there.
    pub(crate) async fn delete_cached_image(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        self.managed_cache(ctx).await?.evict(id).await.map(drop).map_err(Error::Cache)
    }

    /// Empties the cache; the number of images removed.
    pub(crate) async fn delete_cached_images(&self, ctx: &Context) -> Result<u64> {
        self.managed_cache(ctx).await?.evict_all().await.map_err(Error::Cache)
    }

    /// The images that wait for the prefetcher, the oldest wish first.
    pub(crate) async fn queued_images(&self, ctx: &Context) -> Result<Vec<ImageId>> {
        self.managed_cache(ctx).await?.queued().await.map_err(Error::Cache)
    }

    /// Queues an image for the prefetcher, which finds out whether there is such an image.
    pub(crate) async fn queue_image(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        self.managed_cache(ctx).await?.queue(id).await.map(drop).map_err(Error::Cache)
    }

    /// Takes an image out of the queue, if it is there.
    pub(crate) async fn delete_queued_image(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        self.managed_cache(ctx).await?.unqueue(id).await.map(drop).map_err(Error::Cache)
    }

    /// Empties the queue; the number of images removed.
    pub(crate) async fn delete_queued_images(&self, ctx: &Context) -> Result<u64> {
        self.managed_cache(ctx).await?.unqueue_all().await.map_err(Error::Cache)
    }

    /// The cache, for callers who may manage it.
    async fn managed_cache(&self, ctx: &Context) -> Result<&Arc<Cache>> {
        self.parts.policy.enforce(ctx, "manage_image_cache").await?;
        self.parts.cache.as_ref().ok_or(Error::NoCache)
    }
}

//! Filling the cache with the images that were queued for it (v1-cache §8).

use futures_util::StreamExt;
use futures_util::stream;

use super::source::expected;
use super::{Error, Images, Result};
use std::sync::Arc;

use crate::cache::Cache;
use crate::db;
use crate::model::{Context, Image, ImageId, ImageStatus};

/// Images fetched at the same time.
pub(super) const CONCURRENT_PREFETCHES: usize = 4;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prefetched {
    /// Images that are in the cache now, or are being put there by another process.
    pub(crate) cached: usize,
    /// Images that stay queued.
    pub(crate) failed: usize,
}

impl Images {
    /// Fetches every queued image. Failures are logged and counted; their images stay queued.
    ///
    /// # Errors
    /// The queue cannot be listed, or the metadata cannot be asked: then no image can be judged.
    pub(crate) async fn prefetch(&self, ctx: &Context, cache: &Arc<Cache>) -> Result<Prefetched> {
        let queued = cache.queued().await.map_err(Error::Cache)?;
        tracing::debug!("Found {} images to prefetch", queued.len());
        let mut outcomes = stream::iter(queued)
            .map(|id| async move { self.prefetch_one(ctx, cache, &id).await })
            .buffer_unordered(CONCURRENT_PREFETCHES);
        let mut total = Prefetched::default();
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                Ok(()) => total.cached += 1,
                Err(error @ Error::Lookup { .. }) => return Err(error),
                Err(error) => {
                    tracing::warn!("{error}");
                    total.failed += 1;
                }
            }
        }
        Ok(total)
    }

    /// Queues an image for the next prefetch; it must exist and be active.
    pub(crate) async fn queue_for_prefetch(&self, ctx: &Context, cache: &Cache, id: &ImageId) -> Result<()> {
        self.cacheable(ctx, id).await?;
        cache.queue(id).await.map_err(Error::Cache)?;
        Ok(())
    }

    /// Fetches one image, which must exist and be active.
    pub(super) async fn prefetch_one(&self, ctx: &Context, cache: &Arc<Cache>, id: &ImageId) -> Result<()> {
        let image = self.cacheable(ctx, id).await?;
        let source = self.source_of(&image)?;
        let done = cache.prefetch(id, source, &expected(&image)).await;
        done.map_err(|source| Error::Prefetch { id: id.clone(), source })?;
        self.still_there(ctx, cache, &image).await
    }

    async fn cacheable(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        let image = self.lookup(ctx, id).await.map_err(|error| match error {
            Error::Lookup { source: source @ db::Error::NotFound(_), .. } => {
                Error::NoMetadata { id: id.clone(), source }
            }
            other => other,
        })?;
        if image.status == ImageStatus::Active && !image.deleted {
            Ok(image)
        } else {
            Err(Error::NotCacheable(image.id))
        }
    }
}

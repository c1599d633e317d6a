//! Filling the cache with the images that were queued for it (v1-cache §8).

use futures_util::StreamExt;
use futures_util::stream;

use super::download::certain_size;
use super::{Error, Images, Result};
use std::sync::Arc;

use crate::cache::{self, Cache};
use crate::model::{Context, Image, ImageId, ImageStatus};

/// Images fetched at the same time.
const CONCURRENT: usize = 4;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prefetched {
    /// Images that are in the cache now.
    pub(crate) cached: usize,
    /// Images that stay queued.
    pub(crate) failed: usize,
}

impl Images {
    /// Fetches every queued image. Failures are logged and counted; their images stay queued.
    pub(crate) async fn prefetch(&self, ctx: &Context, cache: &Arc<Cache>) -> cache::Result<Prefetched> {
        let queued = cache.queued().await?;
        tracing::debug!("Found {} images to prefetch", queued.len());
        let outcomes = stream::iter(queued).map(|id| async move {
            match self.prefetch_one(ctx, cache, &id).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!("{error}");
                    false
                }
            }
        });
        let outcomes: Vec<bool> = outcomes.buffer_unordered(CONCURRENT).collect().await;
        let cached = outcomes.iter().filter(|done| **done).count();
        Ok(Prefetched { cached, failed: outcomes.len() - cached })
    }

    /// Queues an image for the next prefetch; it must exist and be active.
    pub(crate) async fn queue_for_prefetch(&self, ctx: &Context, cache: &Cache, id: &ImageId) -> Result<()> {
        self.cacheable(ctx, id).await?;
        cache.queue(id).await.map_err(Error::Cache)?;
        Ok(())
    }

    async fn prefetch_one(&self, ctx: &Context, cache: &Arc<Cache>, id: &ImageId) -> Result<()> {
        let image = self.cacheable(ctx, id).await?;
        let source = self.source_of(&image)?;
        let mut fetched = cache.fetch(id, source, certain_size(&image)).await.map_err(Error::Read)?;
        while let Some(block) = fetched.data.next().await {
            block.map_err(|source| Error::BrokenFetch { id: id.clone(), source })?;
        }
        Ok(())
    }

    async fn cacheable(&self, ctx: &Context, id: &ImageId) -> Result<Image> {
        let image = self.lookup(ctx, id).await.map_err(|error| match error {
            Error::Lookup { source, .. } => Error::NoMetadata { id: id.clone(), source },
            other => other,
        })?;
        if image.status == ImageStatus::Active && !image.deleted {
            Ok(image)
        } else {
            Err(Error::NotCacheable(image.id))
        }
    }
}

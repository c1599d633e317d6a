//! Comparing what is cached with what the images are.

use std::sync::Arc;

use super::source::expected;
use super::{Error, Images, Result};
use crate::cache::{Cache, Expected, Verified};
use crate::db;
use crate::model::{Context, ImageId, ImageStatus};

/// What one look at the whole cache has shown, in numbers of entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verification {
    /// Their bytes are the image.
    pub(crate) good: u64,
    /// Nobody knows what their bytes should be.
    pub(crate) unknown: u64,
    /// Dropped: their bytes are not the image, or the image is no more.
    pub(crate) dropped: u64,
    /// Could not be read.
    pub(crate) failed: u64,
}

impl Images {
    /// Reads every entry of `cache` again, and drops those that are not their image.
    ///
    /// # Errors
    /// The cache cannot be listed, or the metadata cannot be asked: then no entry can be judged.
    pub(crate) async fn verify_cache(&self, ctx: &Context, cache: &Arc<Cache>) -> Result<Verification> {
        let mut total = Verification::default();
        for id in cache.cached_ids().await.map_err(Error::Cache)? {
            match self.verify_entry(ctx, cache, &id).await {
                Ok(Verified::Good) => total.good += 1,
                Ok(Verified::Unknown) => total.unknown += 1,
                Ok(Verified::Dropped(_)) => total.dropped += 1,
                Ok(Verified::Gone) => {}
                Err(error @ Error::Lookup { .. }) => return Err(error),
                Err(error) => {
                    tracing::error!(image = %id, "cached image cannot be verified: {error}");
                    total.failed += 1;
                }
            }
        }
        Ok(total)
    }

    async fn verify_entry(&self, ctx: &Context, cache: &Arc<Cache>, id: &ImageId) -> Result<Verified> {
        let expected: Expected = match self.lookup(ctx, id).await {
            // A deactivated image keeps its data.
            Ok(image) if !image.deleted && matches!(image.status, ImageStatus::Active | ImageStatus::Deactivated) => {
                expected(&image)
            }
            Ok(_) | Err(Error::Lookup { source: db::Error::NotFound(_), .. }) => {
                tracing::warn!(image = %id, "cached image is evicted: there is no such image any more");
                cache.evict(id).await.map_err(Error::Cache)?;
                return Ok(Verified::Dropped("there is no such image any more".to_owned()));
            }
            Err(error) => return Err(error),
        };
        cache.verify(id, &expected).await.map_err(Error::Cache)
    }
}

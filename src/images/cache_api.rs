//! v2's own management of this node's cache (v2-images §12.2). Each thing has a rule of its own here, and an image that
//! is named must be there.

use std::sync::Arc;

use super::{Error, Images, Result};
use crate::cache::{Cache, Cleaned, Driver, Pruned};
use crate::db;
use crate::model::{CachedImage, Context, Image, ImageId, ImageStatus};
use crate::policy;

/// What is to be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clear {
    Cache,
    Queue,
    Both,
}

impl Images {
    /// What is cached, and what waits to be.
    pub(crate) async fn cache_contents(&self, ctx: &Context) -> Result<(Vec<CachedImage>, Vec<ImageId>)> {
        let cache = self.cache_by(ctx, "cache_list", None).await?;
        Ok((cache.entries().await, cache.queued().await.map_err(Error::Cache)?))
    }

    /// Has an image fetched into the cache in the background; that it is there already is no mistake.
    pub(crate) async fn cache_image(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        let image = self.lookup(ctx, id).await?;
        let cache = self.cache_by(ctx, "cache_image", Some(&image)).await?;
        if image.status != ImageStatus::Active {
            return Err(Error::NotQueueable);
        }
        cache.queue(id).await.map_err(Error::Cache)?;
        self.background.wished.notify_one();
        Ok(())
    }

    /// Takes an image out of the cache and out of its queue. It may have been deleted meanwhile, but then one of both must
    /// know it.
    pub(crate) async fn uncache_image(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        let image = match self.lookup(ctx, id).await {
            Ok(image) => Some(image),
            Err(error @ Error::Lookup { source: db::Error::NotFound(_), .. }) => {
                // Who may not manage the cache does not learn what is in it.
                let may = self.parts.policy.enforce(ctx, "cache_delete").await.is_ok();
                if !may || !self.cache_knows(id).await? {
                    return Err(error);
                }
                None
            }
            Err(error) => return Err(error),
        };
        let cache = self.cache_by(ctx, "cache_delete", image.as_ref()).await?;
        cache.unqueue(id).await.map_err(Error::Cache)?;
        cache.evict(id).await.map(drop).map_err(Error::Cache)
    }

    /// Empties the cache, its queue, or both.
    pub(crate) async fn clear_cache(&self, ctx: &Context, what: Clear) -> Result<()> {
        let cache = self.cache_by(ctx, "cache_delete", None).await?;
        // The queue first, so that nothing of it comes into the cache meanwhile.
        if what != Clear::Cache {
            cache.unqueue_all().await.map_err(Error::Cache)?;
        }
        if what != Clear::Queue {
            cache.evict_all().await.map_err(Error::Cache)?;
        }
        Ok(())
    }

    /// The nodes that have an image in their caches, where these have an index in common.
    pub(crate) async fn nodes_that_cache(&self, ctx: &Context, id: &str) -> Result<Vec<String>> {
        let cache = self.cache_by(ctx, "list_cached_nodes", None).await?;
        if cache.driver() != Driver::CentralizedDb {
            return Err(Error::NoCommonCache);
        }
        let not_found = || Error::Lookup { id: id.to_owned(), source: db::Error::NotFound(String::new()) };
        let id = ImageId::parse(id).ok_or_else(not_found)?;
        self.lookup(ctx, &id).await?;
        cache.nodes(&id).await.map_err(Error::List)
    }

    /// Removes what failed and abandoned fills left.
    pub(crate) async fn clean_cache(&self, ctx: &Context) -> Result<Cleaned> {
        self.cache_by(ctx, "cache_clean", None).await?.clean().await.map_err(Error::Cache)
    }

    /// Shrinks the cache to its configured size.
    pub(crate) async fn prune_cache(&self, ctx: &Context) -> Result<Pruned> {
        self.cache_by(ctx, "cache_prune", None).await?.prune().await.map_err(Error::Cache)
    }

    async fn cache_knows(&self, id: &ImageId) -> Result<bool> {
        let Some(cache) = &self.parts.cache else { return Ok(false) };
        let cached = cache.cached_ids().await.map_err(Error::Cache)?.contains(id);
        Ok(cached || cache.is_queued(id).await)
    }

    /// The cache, for callers whom the rule lets; that there is none is told to them only.
    async fn cache_by(&self, ctx: &Context, rule: &'static str, image: Option<&Image>) -> Result<&Arc<Cache>> {
        let verdict = match image {
            // The image was found, so the caller sees it.
            Some(image) => self.parts.policy.enforce_on(ctx, rule, image).await.map_err(|error| match error {
                policy::Error::Hidden => policy::Error::Denied(rule),
                other => other,
            }),
            None => self.parts.policy.enforce(ctx, rule).await,
        };
        verdict?;
        self.parts.cache.as_ref().ok_or(Error::NotCaching)
    }
}

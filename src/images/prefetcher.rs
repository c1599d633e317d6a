//! The server's own prefetcher: fetches into the cache what is queued for it, be it by v2, or in the directory by whomever
//! (v2-images §12.2).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;

use super::{CONCURRENT_PREFETCHES, Error, Images};
use crate::cache::{Cache, PrefetchError};
use crate::db;
use crate::model::{Context, ImageId};

impl Images {
    /// Looks at the queue now, whenever v2 has put an image into it, and each time `interval` has passed; `None`: never
    /// else. Goes on until the server ends ([`Images::drained`]). What cannot be fetched now stays queued.
    pub(crate) fn start_prefetching(&self, ctx: Context, interval: Option<Duration>) {
        let Some(cache) = self.parts.cache.clone() else { return };
        let (images, ended) = (self.clone(), self.background.ended.clone());
        self.background.tasks.spawn(async move {
            // Broken off, it leaves its fills to the cache, which waits for them or not.
            ended.run_until_cancelled(images.keep_prefetching(&ctx, &cache, interval)).await;
        });
    }

    async fn keep_prefetching(&self, ctx: &Context, cache: &Arc<Cache>, interval: Option<Duration>) {
        let turns = Semaphore::new(CONCURRENT_PREFETCHES);
        let mut fetching: HashSet<ImageId> = HashSet::new();
        let mut fetches = FuturesUnordered::new();
        loop {
            match cache.queued().await {
                Ok(queued) => {
                    for id in queued.into_iter().filter(|id| fetching.insert(id.clone())) {
                        fetches.push(self.fetch_in_turn(ctx, cache, &turns, id));
                    }
                }
                Err(error) => tracing::error!("the queue of the image cache cannot be read: {error}"),
            }
            // Until there is a reason to look at the queue again.
            let waited = async {
                match interval {
                    Some(interval) => tokio::time::sleep(interval).await,
                    None => std::future::pending().await,
                }
            };
            let reason = async {
                tokio::select! {
                    () = waited => {}
                    () = self.background.wished.notified() => {}
                }
            };
            tokio::pin!(reason);
            loop {
                tokio::select! {
                    () = &mut reason => break,
                    Some(id) = fetches.next() => fetching.remove(&id),
                };
            }
        }
    }

    async fn fetch_in_turn(&self, ctx: &Context, cache: &Arc<Cache>, turns: &Semaphore, id: ImageId) -> ImageId {
        // The semaphore is never closed.
        let _turn = turns.acquire().await;
        // Somebody may have thought better of it meanwhile.
        if !cache.is_queued(&id).await {
            return id;
        }
        match self.prefetch_one(ctx, cache, &id).await {
            Ok(()) => tracing::info!("prefetched image {id}"),
            Err(error) => {
                tracing::warn!("{error}");
                if is_hopeless(&error)
                    && let Err(error) = cache.unqueue(&id).await
                {
                    tracing::error!("image {id} stays queued: {error}");
                }
            }
        }
        id
    }
}

/// Another try would end no better: there is no such image, or what its store holds is something else.
fn is_hopeless(error: &Error) -> bool {
    matches!(
        error,
        Error::NoMetadata { source: db::Error::NotFound(_), .. }
            | Error::NotCacheable(_)
            | Error::Prefetch { source: PrefetchError::NotTheImage, .. }
    )
}

//! Taking images out of the cache.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use fastio::ImageFile;
use fastio::shared::{leads_to, remove_if_there};

use super::{Cache, Error, Result};
use crate::model::ImageId;

impl Cache {
    /// Removes the entry of `id`, file and record, and makes sure that no fill begun before, here or in another
    /// process, becomes one (security C5). True if there was a file. Its queue marker stays (v1-cache §3).
    /// All is done when this returns, and is done even if the caller stops waiting.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(crate) async fn evict(self: &Arc<Self>, id: &ImageId) -> Result<bool> {
        let (cache, id) = (Arc::clone(self), id.clone());
        self.detached(async move { cache.evict_now(id).await }).await
    }

    /// Removes the entry of `id` to make room. True if there was a file. A fill of the image goes on.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(super) async fn evict_entry(&self, id: &ImageId) -> Result<bool> {
        let _alone = self.publishing().await;
        let doomed = id.clone();
        let removed = self.files(move |layout| remove_if_there(&layout.entry(&doomed))).await?;
        self.forget(id).await;
        Ok(removed)
    }

    /// Removes the entry of `id` if it is still `file`, which proved not to be the whole image: what has taken its
    /// place meanwhile is as good as any. Failing is logged.
    pub(super) async fn evict_damaged(self: &Arc<Self>, id: &ImageId, file: &Arc<ImageFile>) {
        let (cache, id, file) = (Arc::clone(self), id.clone(), Arc::clone(file));
        let evicted = self.detached(async move { cache.evict_file_now(id, file).await }).await;
        if let Err(error) = evicted {
            tracing::error!("damaged entry stays: {error}");
        }
    }

    /// Does `work` to its end even if the caller stops waiting.
    async fn detached<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        tokio::spawn(work)
            .await
            .unwrap_or_else(|gone| Err(Error::File { path: self.settings.dir.clone(), source: io::Error::other(gone) }))
    }

    async fn evict_file_now(&self, id: ImageId, file: Arc<ImageFile>) -> Result<()> {
        let _alone = self.publishing().await;
        let doomed = id.clone();
        let removed = self
            .files(move |layout| {
                let path = layout.entry(&doomed);
                Ok(leads_to(&path, &file)? && remove_if_there(&path)?)
            })
            .await?;
        if removed {
            self.forget(&id).await;
        }
        Ok(())
    }

    /// Removes the record of an entry whose file is gone.
    async fn forget(&self, id: &ImageId) {
        self.hits.forget(id);
        self.digests.forget(id);
        self.index.remove(id).await;
    }

    async fn evict_now(&self, id: ImageId) -> Result<bool> {
        let _alone = self.publishing().await;
        self.fills.discard(&id);
        let doomed = id.clone();
        let removed = self
            .files(move |layout| {
                // First the unfinished file: a fill of another process then either finds its name gone when it
                // commits, or has committed already, and what it committed goes next.
                remove_if_there(&layout.incomplete(&doomed))?;
                remove_if_there(&layout.entry(&doomed))
            })
            .await?;
        self.forget(&id).await;
        Ok(removed)
    }

    /// Removes all entries and all records; yields the number of files removed. One that cannot be removed stays,
    /// logged.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub(crate) async fn evict_all(self: &Arc<Self>) -> Result<u64> {
        let files = self.files(|layout| layout.entries()).await?;
        let mut ids: BTreeSet<ImageId> = files.into_iter().map(|entry| entry.id).collect();
        ids.extend(self.entries().await.into_iter().map(|record| record.image_id));
        let mut removed = 0;
        for id in &ids {
            match self.evict(id).await {
                Ok(there) => removed += u64::from(there),
                Err(error) => tracing::error!(image = %id, "entry stays: {error}"),
            }
        }
        Ok(removed)
    }
}

//! The transparent, node-local image cache: whole images below one directory, least recently used first to go.
//!
//! The directory is the truth (a regular file under an image's id is an entry, whoever put it there); the index only
//! adds hits and times. Layout, table and attributes are Glance's (v1-cache §2, §6, §7), so a warm cache survives a
//! change of server. A fault of the cache never fails a download that would have succeeded without it.
//!
//! This room knows images by id only: who may read one, and whether it still exists, is settled before it is asked.

mod blocking;
mod blocks;
mod error;
mod evict;
mod fill;
mod hit;
mod index;
mod layout;
mod queue;
mod reader;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod upkeep;
mod verdict;

use std::sync::Arc;

pub(crate) use error::{Error, PrefetchError, Result};
pub(crate) use hit::Hit;
pub(crate) use index::CachedImage;
pub(crate) use settings::{Driver, Settings};
pub(crate) use source::Source;
pub(crate) use verdict::Verdict;

use crate::model::ImageId;
use blocking::blocking;
use fill::Fills;
use index::Index;
use layout::Layout;

/// The cache of this node. Several processes may have the same directory open.
#[derive(Debug)]
pub(crate) struct Cache {
    settings: Settings,
    layout: Layout,
    index: Arc<dyn Index>,
    /// The driver in use, which is not the configured one after a fallback.
    driver: Driver,
    fills: Arc<Fills>,
    /// Held while an entry appears (rename and record) or disappears (unlink and record), so that file and record
    /// agree and nothing appears behind a deletion (security C5).
    publishing: tokio::sync::Mutex<()>,
}

impl Cache {
    /// Opens the cache: makes its directories, and makes index and directory agree. A driver that cannot work here is
    /// replaced by `sqlite` with a warning (v1-cache §5).
    ///
    /// # Errors
    /// The directories cannot be made or are open to everybody, or not even the SQLite index can be used.
    pub(crate) async fn open(settings: Settings) -> Result<Arc<Self>> {
        let layout = Layout::new(settings.dir.clone());
        let prepared = layout.clone();
        blocking(move || prepared.create())
            .await
            .map_err(|source| Error::File { path: settings.dir.clone(), source })?;
        let (index, driver) = index::open(&settings, &layout).await?;
        Ok(Arc::new(Self {
            settings,
            layout,
            index,
            driver,
            fills: Arc::default(),
            publishing: tokio::sync::Mutex::default(),
        }))
    }

    /// Removes unfinished files that no living process owns: what a server that was killed leaves. For the start of a
    /// server; the maintenance commands leave them to the stall time.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub(crate) async fn recover(&self) -> Result<()> {
        self.files(fill::remove_unowned).await
    }

    /// The driver in use; it decides how the API renders times (v1-cache §4.1).
    pub(crate) fn driver(&self) -> Driver {
        self.driver
    }

    /// Opens the entry of `id`; `None` if there is none. An entry that cannot be opened is a miss, logged. One of
    /// another size than `expected_size` is not the image: it is evicted (security C13).
    pub(crate) async fn lookup(self: &Arc<Self>, id: &ImageId, expected_size: Option<u64>) -> Option<Hit> {
        let (layout, wanted) = (self.layout.clone(), id.clone());
        let opened = blocking(move || layout.open_entry(&wanted)).await.unwrap_or_else(|error| {
            tracing::warn!(image = %id, %error, "cached image cannot be opened");
            None
        });
        let (file, size) = opened?;
        let hit = Hit::new(id.clone(), file, size, Arc::clone(self));
        if let Some(expected) = expected_size.filter(|expected| *expected != size) {
            tracing::error!(image = %id, "cached image has {size} bytes instead of {expected}");
            self.evict_damaged(id, &hit.file).await;
            return None;
        }
        Some(hit)
    }

    /// The records of all cached images, ordered by image id.
    pub(crate) async fn entries(&self) -> Vec<CachedImage> {
        self.index.entries().await
    }

    /// Runs file work on the blocking pool and names the cache directory in its error.
    async fn files<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Layout) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let layout = self.layout.clone();
        blocking(move || work(&layout)).await.map_err(|source| Error::File { path: self.settings.dir.clone(), source })
    }
}

//! The transparent, node-local image cache: whole images below one directory, those first to go that are missed least.
//!
//! The directory is the truth (a regular file under an image's id is an entry, whoever put it there); the index only
//! adds hits and times. Layout, table and attributes are Glance's (v1-cache §2, §6, §7), so a warm cache survives a
//! change of server. A fault of the cache never fails a download that would have succeeded without it.
//!
//! This room knows images by id only: who may read one, and whether it still exists, is settled before it is asked.

mod blocking;
mod blocks;
mod digests;
mod error;
mod evict;
mod expected;
mod fill;
mod hit;
mod hits;
mod holes;
mod in_use;
mod index;
mod layout;
mod open;
mod order;
mod publishing;
mod queue;
mod reader;
mod rescue;
mod rest;
mod room;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod upkeep;
mod verdict;
mod verify;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub(crate) use error::{Error, PrefetchError, Result};
pub(crate) use expected::{Digest, Expected};
pub(crate) use open::{FetchError, Fetched, bypass};
pub(crate) use settings::{Driver, Settings};
pub(crate) use source::Source;
pub(crate) use upkeep::{Cleaned, Pruned};
pub(crate) use verdict::Verdict;
pub(crate) use verify::Verified;

use crate::db;
use crate::db::sql::CachedOnNode;
use crate::model::{CachedImage, ImageId};
use blocking::blocking;
use digests::Digests;
use fill::Fills;
use hit::Hit;
use hits::Hits;
use in_use::Readers;
use index::Index;
use layout::{Layout, OpenEntry};

/// The cache of this node. Several processes may have the same directory open.
#[derive(Debug)]
pub(crate) struct Cache {
    settings: Settings,
    layout: Layout,
    index: Arc<dyn Index>,
    /// The driver in use, which is not the configured one after a fallback.
    driver: Driver,
    fills: Arc<Fills>,
    hits: Arc<Hits>,
    digests: Digests,
    readers: Arc<Readers>,
    /// Fills whose bytes were not the image.
    mismatches: AtomicU64,
    /// Held while room is made and taken, so that nobody takes the same room.
    room: tokio::sync::Mutex<()>,
    /// Held while an entry appears (rename and record) or disappears (unlink and record), so that file and record
    /// agree and nothing appears behind a deletion (security C5); [`Cache::publishing`] keeps other processes out, too.
    publishing: tokio::sync::Mutex<()>,
    /// Held while an entry is read that may not be whole, so that it is read once.
    proving: tokio::sync::Mutex<()>,
}

impl Cache {
    /// Opens the cache: makes its directories, and makes index and directory agree. A driver that cannot work here is
    /// replaced by `sqlite` with a warning (v1-cache §5). `rows` are this node's, for the driver that keeps its index in
    /// the service's database.
    ///
    /// # Errors
    /// The directories cannot be made or are open to everybody, or not even the SQLite index can be used.
    pub(crate) async fn open(settings: Settings, rows: Option<CachedOnNode>) -> Result<Arc<Self>> {
        let layout = Layout::new(settings.dir.clone());
        let prepared = layout.clone();
        blocking(move || prepared.create())
            .await
            .map_err(|source| Error::File { path: settings.dir.clone(), source })?;
        let (index, driver) = index::open(&settings, &layout, rows).await?;
        Ok(Arc::new(Self {
            layout,
            hits: Arc::new(Hits::after(&index.entries().await)),
            index,
            driver,
            fills: Arc::new(Fills::new(settings.max_fills)),
            settings,
            digests: Digests::default(),
            readers: Arc::default(),
            mismatches: AtomicU64::new(0),
            room: tokio::sync::Mutex::default(),
            publishing: tokio::sync::Mutex::default(),
            proving: tokio::sync::Mutex::default(),
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

    /// Opens the entry of `id`; `None` if there is none. An entry that cannot be opened is a miss, logged. One that is
    /// not as `expected` is not the image, or not its present data: it is evicted (security C6, C13).
    async fn lookup(self: &Arc<Self>, id: &ImageId, expected: &Expected) -> Option<Hit> {
        let opened = match self.layout.open_known_entry(id, |stamp| self.digests.of(id, stamp)) {
            Some(opened) => opened,
            None => self.open_unknown(id, expected).await,
        };
        let opened = opened.unwrap_or_else(|error| {
            tracing::warn!(image = %id, %error, "cached image cannot be opened");
            None
        });
        let OpenEntry { file, size, digest, .. } = opened?;
        let hit = Hit::new(id.clone(), file, size, Arc::clone(self));
        if let Some(fault) = fault(size, digest.as_ref(), expected) {
            tracing::error!(image = %id, "cached image is evicted: it has {fault}");
            self.evict_damaged(id, &hit.file).await;
            return None;
        }
        Some(hit)
    }

    /// The records of all cached images, ordered by image id.
    pub(crate) async fn entries(&self) -> Vec<CachedImage> {
        self.write_hits().await;
        self.index.entries().await
    }

    /// The nodes that have `id` in their caches, where their index is the service's database.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub(crate) async fn nodes(&self, id: &ImageId) -> db::Result<Vec<String>> {
        self.index.nodes(id).await
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

/// In what an entry of this size and digest is not as expected.
fn fault(size: u64, digest: Option<&Digest>, expected: &Expected) -> Option<String> {
    match (expected.size, digest) {
        (Some(wanted), _) if wanted != size => Some(format!("{size} bytes instead of {wanted}")),
        (_, Some(digest)) if expected.contradicts(digest) => Some(format!("the digest {digest}, not the image's")),
        _ => None,
    }
}

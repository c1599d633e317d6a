//! The writer of a fill: reads the image from its store, writes the file, and makes it an entry.

use std::io;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::watch;

use super::incomplete::Incomplete;
use super::registry::Registration;
use super::{Growing, Progress};
use crate::cache::source::{Source, open_whole};
use crate::cache::{Cache, blocking};
use crate::model::{ByteStream, ImageId};
use crate::store::Opened;

/// A fill to be run.
pub(super) struct Task {
    cache: Arc<Cache>,
    source: Arc<dyn Source>,
    expected_size: Option<u64>,
    progress: watch::Sender<Progress>,
}

/// Why copying ended before the image did.
enum Stop {
    /// The store failed, or gave another number of bytes than it should.
    Source(io::Error),
    /// The cache could not be written.
    Cache(io::Error),
}

impl Task {
    /// A fill from `source` that tells its `progress`.
    pub(super) fn new(
        cache: Arc<Cache>,
        source: Arc<dyn Source>,
        expected_size: Option<u64>,
        progress: watch::Sender<Progress>,
    ) -> Self {
        Self { cache, source, expected_size, progress }
    }

    /// Fills, gives up its place, and only then tells the end: who comes after the end must not join it.
    pub(super) async fn run(self, registration: Registration) {
        let end = self.fill(&registration).await;
        drop(registration);
        self.progress.send_replace(end);
    }

    async fn fill(&self, registration: &Registration) -> Progress {
        let id = &registration.id;
        let incomplete = match self.claim(id).await {
            Ok(incomplete) => incomplete,
            Err(end) => return end,
        };
        let Opened { data, size } = match open_whole(&*self.source, 0, self.expected_size).await {
            Ok(opened) => opened,
            Err(error) => {
                log(id, "unfinished file stays", incomplete.remove().await);
                return Progress::Unopened(Arc::new(error));
            }
        };
        let growing = Arc::new(Growing { file: Arc::clone(incomplete.file()), size });
        self.progress.send_replace(Progress::Filling { growing: Arc::clone(&growing), readable: 0 });
        match self.copy(data, &incomplete, &growing).await {
            Ok(size) => {
                self.commit(registration, &incomplete, size).await;
                Progress::Complete { growing, size }
            }
            Err(Stop::Source(error)) => {
                tracing::warn!(image = %id, %error, "fill failed: the store did not give the image");
                self.note_failure(registration, incomplete.reject().await, &error).await;
                Progress::Broken(Arc::new(error))
            }
            Err(Stop::Cache(error)) => {
                tracing::warn!(image = %id, %error, "fill failed: the cache cannot be written");
                self.note_failure(registration, incomplete.reject_emptied().await, &error).await;
                Progress::Abandoned
            }
        }
    }

    /// Claims the unfinished file; an end of the fill if it is not to be had, or not needed any more.
    async fn claim(&self, id: &ImageId) -> Result<Incomplete, Progress> {
        let (layout, wanted) = (self.cache.layout.clone(), id.clone());
        let incomplete = match blocking(move || Incomplete::claim(&layout, &wanted)).await {
            Ok(Some(incomplete)) => incomplete,
            Ok(None) => return Err(Progress::Elsewhere),
            Err(error) => {
                tracing::warn!(image = %id, %error, "not caching: no unfinished file can be made");
                return Err(Progress::NotBegun);
            }
        };
        // The last fill may have committed between the caller's lookup and this claim.
        if self.cache.lookup(id, self.expected_size).await.is_some() {
            log(id, "unfinished file stays", incomplete.remove().await);
            return Err(Progress::NotBegun);
        }
        Ok(incomplete)
    }

    /// Copies the image; yields its size. `data` is closed then: whoever goes on reading the store shall find the
    /// connection free.
    async fn copy(&self, mut data: ByteStream, incomplete: &Incomplete, growing: &Arc<Growing>) -> Result<u64, Stop> {
        let mut written: u64 = 0;
        while let Some(block) = data.next().await {
            let block = block.map_err(Stop::Source)?;
            // An empty block would make the one before it readable too early.
            if block.is_empty() {
                continue;
            }
            let before = written;
            written += block.len() as u64;
            incomplete.write(before, block).await.map_err(Stop::Cache)?;
            // One block behind: this one may be the last, which nobody may see before the commit (v1-cache §1).
            self.progress.send_replace(Progress::Filling { growing: Arc::clone(growing), readable: before });
        }
        Ok(written)
    }

    /// Makes the file an entry, unless the image was evicted meanwhile. What goes wrong here is the cache's loss only.
    async fn commit(&self, registration: &Registration, incomplete: &Incomplete, size: u64) {
        let id = &registration.id;
        let _alone = self.cache.publishing.lock().await;
        if registration.is_discarded() {
            log(id, "unfinished file stays", incomplete.remove().await);
            return;
        }
        match incomplete.commit().await {
            Ok(true) => self.cache.index.admit(id, size).await,
            Ok(false) => tracing::info!(image = %id, "evicted while it was filled"),
            Err(error) => {
                tracing::warn!(image = %id, %error, "not cached: the finished file cannot be moved");
                log(id, "unfinished file stays", incomplete.remove().await);
            }
        }
    }

    /// Tells the index of a failed fill. An evicted one is no news, and its image may have a new entry.
    async fn note_failure(&self, registration: &Registration, rejected: io::Result<bool>, reason: &io::Error) {
        let id = &registration.id;
        let _alone = self.cache.publishing.lock().await;
        if log(id, "unfinished file stays", rejected) && !registration.is_discarded() {
            self.cache.index.failed(id, &reason.to_string()).await;
        }
    }
}

/// The outcome of file work, or nothing and a line in the log.
fn log<T: Default>(id: &ImageId, consequence: &str, outcome: io::Result<T>) -> T {
    outcome.unwrap_or_else(|error| {
        tracing::warn!(image = %id, %error, "{consequence}");
        T::default()
    })
}

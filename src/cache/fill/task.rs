//! The life of a fill: claim the unfinished file, take room for it, copy the image, verify it, make it an entry.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::copy::{Copy, Stop, Written};
use super::incomplete::Incomplete;
use super::running::Registration;
use super::{Growing, Progress};
use crate::cache::room::NoRoom;
use crate::cache::source::{Source, open_whole};
use crate::cache::{Cache, Expected, Verdict, blocking};
use crate::model::ImageId;
use crate::store::Opened;

/// A fill to be run.
pub(super) struct Task {
    cache: Arc<Cache>,
    source: Arc<dyn Source>,
    expected: Expected,
    progress: watch::Sender<Progress>,
}

impl Task {
    /// A fill from `source` that tells its `progress`.
    pub(super) fn new(
        cache: Arc<Cache>,
        source: Arc<dyn Source>,
        expected: Expected,
        progress: watch::Sender<Progress>,
    ) -> Self {
        Self { cache, source, expected, progress }
    }

    /// Fills, gives up its place, and only then tells the end: who comes after the end must not join it.
    pub(super) async fn run(self, registration: Registration) {
        let end = match self.claim(&registration.id).await {
            Ok(incomplete) => self.fill(&registration, &incomplete).await,
            Err(end) => end,
        };
        drop(registration);
        self.progress.send_replace(end);
    }

    /// Claims the unfinished file; an end of the fill if it is not to be had, or not needed any more.
    async fn claim(&self, id: &ImageId) -> Result<Incomplete, Progress> {
        let (layout, wanted) = (self.cache.layout.clone(), id.clone());
        let incomplete = match blocking(move || Incomplete::claim(&layout, &wanted)).await {
            Ok(Some(incomplete)) => incomplete,
            Ok(None) => return Err(Progress::NotBegun(Verdict::Elsewhere)),
            Err(error) => {
                tracing::warn!(image = %id, %error, "not caching: no unfinished file can be made");
                return Err(Progress::NotBegun(Verdict::Bypass));
            }
        };
        // The last fill may have committed between the caller's lookup and this claim.
        if self.cache.lookup(id, &self.expected).await.is_some() {
            log(id, "unfinished file stays", incomplete.remove().await);
            return Err(Progress::NotBegun(Verdict::Bypass));
        }
        Ok(incomplete)
    }

    async fn fill(&self, registration: &Registration, incomplete: &Incomplete) -> Progress {
        let id = &registration.id;
        // A size that is known is taken before the store is asked at all.
        if let Some(size) = self.expected.size
            && let Err(none) = incomplete.take(&self.cache, 0, size).await
        {
            return self.not_begun(id, incomplete, &none).await;
        }
        let Opened { data, size, version, .. } = match open_whole(&*self.source, 0, self.expected.size).await {
            Ok(opened) => opened,
            Err(error) => {
                log(id, "unfinished file stays", incomplete.remove().await);
                return Progress::Unopened(Arc::new(error));
            }
        };
        if let (None, Some(announced)) = (self.expected.size, size)
            && let Err(none) = incomplete.take(&self.cache, 0, announced).await
        {
            return self.not_begun(id, incomplete, &none).await;
        }
        let growing = Arc::new(Growing { file: Arc::clone(incomplete.file()), size, version });
        self.progress.send_replace(Progress::Filling { growing: Arc::clone(&growing), readable: 0 });
        let copy = Copy {
            cache: &self.cache,
            source: &*self.source,
            expected: &self.expected,
            registration,
            progress: &self.progress,
            incomplete,
            growing: &growing,
            written: 0,
            taken: size.unwrap_or(0),
            failures: 0,
        };
        match copy.run(data).await.and_then(|written| self.verified(id, written)) {
            Ok(written) => {
                let size = written.size;
                self.commit(registration, incomplete, written).await;
                Progress::Complete { growing, size }
            }
            Err(stop) => self.stopped(registration, incomplete, stop).await,
        }
    }

    async fn not_begun(&self, id: &ImageId, incomplete: &Incomplete, none: &NoRoom) -> Progress {
        tracing::info!(image = %id, "not caching: {none}");
        log(id, "unfinished file stays", incomplete.remove().await);
        Progress::NotBegun(none.verdict())
    }

    /// Bytes that are not the image must not become its entry (promise P7, security C14).
    fn verified(&self, id: &ImageId, written: Written) -> Result<Written, Stop> {
        match &self.expected.digest {
            Some(expected) if self.expected.contradicts(&written.digest) => {
                let count = self.cache.mismatches.fetch_add(1, Ordering::Relaxed) + 1;
                let found = &written.digest;
                tracing::error!(
                    image = %id,
                    "the store's data is not the image: digest {found} instead of {expected}; {count} such since start"
                );
                Err(Stop::Source(io::Error::new(io::ErrorKind::InvalidData, "the data has another checksum")))
            }
            _ => Ok(written),
        }
    }

    /// The end of a fill that is not an entry.
    async fn stopped(&self, registration: &Registration, incomplete: &Incomplete, stop: Stop) -> Progress {
        let id = &registration.id;
        match stop {
            Stop::Source(error) => {
                tracing::warn!(image = %id, %error, "fill failed: the store did not give the image");
                self.note_failure(registration, incomplete, &error).await;
                Progress::Broken(Arc::new(error))
            }
            Stop::Cache(error) => {
                tracing::warn!(image = %id, %error, "fill failed: the cache cannot be written");
                self.note_failure(registration, incomplete, &error).await;
                Progress::Abandoned
            }
            Stop::NoRoom(none) => {
                tracing::info!(image = %id, "fill given up: {none}");
                log(id, "unfinished file stays", incomplete.remove().await);
                Progress::Abandoned
            }
            Stop::Unread => {
                tracing::info!(image = %id, "fill given up: nobody waits for it");
                log(id, "unfinished file stays", incomplete.remove().await);
                Progress::Abandoned
            }
        }
    }

    /// Makes the file an entry, unless the image was evicted meanwhile. What goes wrong here is the cache's loss only.
    async fn commit(&self, registration: &Registration, incomplete: &Incomplete, written: Written) {
        let id = &registration.id;
        let _alone = self.cache.publishing().await;
        if registration.is_discarded() {
            log(id, "unfinished file stays", incomplete.remove().await);
            return;
        }
        let size = written.size;
        match incomplete.commit(written.size, written.digest).await {
            Ok(true) => {
                self.cache.hits.forget(id);
                self.cache.index.admit(id, size, self.cache.hits.now()).await;
            }
            Ok(false) => tracing::info!(image = %id, "evicted while it was filled"),
            Err(error) => {
                tracing::warn!(image = %id, %error, "not cached: the finished file cannot be moved");
                log(id, "unfinished file stays", incomplete.remove().await);
            }
        }
    }

    /// Leaves a note of a failed fill among the invalid files and in the index. An evicted one is no news, and its image
    /// may have a new entry.
    async fn note_failure(&self, registration: &Registration, incomplete: &Incomplete, reason: &io::Error) {
        let id = &registration.id;
        let _alone = self.cache.publishing().await;
        if log(id, "unfinished file stays", incomplete.reject().await) && !registration.is_discarded() {
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

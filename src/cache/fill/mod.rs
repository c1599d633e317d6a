//! Filling: a cold image is read from its store once, however many ask (P3).
//!
//! The first who asks begins a fill, a task of its own that outlives him; he and all who come before its end follow
//! the growing file, each at his own pace. [`incomplete`] is the file, [`task`] the writer, [`follower`] a reader,
//! [`registry`] who fills what in this process.

mod follower;
mod incomplete;
mod registry;
mod source;
mod task;

use std::fmt;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub(super) use incomplete::{remove_if_unowned, remove_unowned};
pub(super) use registry::Fills;
#[cfg(test)]
pub(super) use registry::MAX_FILLS;
pub(crate) use source::Source;

use super::{Cache, Verdict};
use crate::model::{ByteStream, ImageId};
use crate::store;
use follower::Follower;
use registry::Place;
use task::Task;

/// How far a fill is. `Opening` and `Filling` pass; the others are its end.
#[derive(Debug, Clone)]
enum Progress {
    /// The store has not answered yet.
    Opening,
    /// Bytes up to `readable` may be handed out.
    Filling { growing: Arc<Growing>, readable: u64 },
    /// All `size` bytes are written, and whatever had to be done before the last one is seen is done.
    Complete { growing: Arc<Growing>, size: u64 },
    /// It did not begin: the image is cached meanwhile, or another process writes it, or the cache cannot be written.
    NotBegun,
    /// The store would not open the image.
    Unopened(Arc<store::Error>),
    /// The store failed on the way: there is no complete image to be had.
    Broken(Arc<std::io::Error>),
    /// The cache could not be written any further: who needs more reads the store himself.
    Abandoned,
}

/// The file of a fill, which readers share.
#[derive(Debug)]
struct Growing {
    file: Arc<File>,
    /// Bytes it will have, if known.
    size: Option<u64>,
}

/// An image on its way from the store or, by now, from the cache.
pub(crate) struct Fetched {
    /// What the cache did.
    pub(crate) verdict: Verdict,
    /// Bytes of the image: the expected ones, else what the store announces.
    pub(crate) size: Option<u64>,
    /// The image.
    pub(crate) data: ByteStream,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched").field("verdict", &self.verdict).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Cache {
    /// Yields the image `id`, which [`Cache::lookup`] did not find: joins the fill of it that runs in this process, or
    /// begins one. Resolves once the store has opened the image. When the last block is handed out the image is cached.
    ///
    /// `expected_size` is the image's size in bytes as its metadata has it, `None` where they do not know. Bytes that
    /// are not of that number are never cached, and the stream of them ends in an error.
    ///
    /// Dropping the stream does not end the fill. Where the cache cannot take the image, it comes straight from
    /// `source`.
    ///
    /// # Errors
    /// The store's, if it cannot open the image; shared by all who wait for the same fill.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        id: &ImageId,
        source: Arc<dyn Source>,
        expected_size: Option<u64>,
    ) -> Result<Fetched, Arc<store::Error>> {
        let (progress, verdict) = match self.fills.join_or_begin(id) {
            Place::Joined(progress) => (progress, Verdict::Filling),
            Place::Begun(registration, sender) => {
                let progress = sender.subscribe();
                let task = Task::new(Arc::clone(self), Arc::clone(&source), expected_size, sender);
                tokio::spawn(task.run(registration));
                (progress, Verdict::Miss)
            }
            Place::Full => {
                tracing::info!(image = %id, "too many fills are running: not caching");
                return pass_through(source, expected_size).await;
            }
        };
        self.follow(id, progress, verdict, source, expected_size).await
    }

    /// Waits until no fill runs, at most for `grace`. False if some still do.
    pub(crate) async fn drain(&self, grace: Duration) -> bool {
        tokio::time::timeout(grace, self.fills.idle()).await.is_ok()
    }

    /// Becomes a reader of a fill as soon as it has something to read.
    async fn follow(
        &self,
        id: &ImageId,
        mut progress: watch::Receiver<Progress>,
        verdict: Verdict,
        source: Arc<dyn Source>,
        expected_size: Option<u64>,
    ) -> Result<Fetched, Arc<store::Error>> {
        let begun = progress.wait_for(|progress| !matches!(progress, Progress::Opening)).await.map(|now| now.clone());
        match begun {
            Ok(Progress::Filling { growing, .. } | Progress::Complete { growing, .. }) => {
                let size = growing.size;
                let data = Follower::new(id.clone(), progress, growing, source).into_stream();
                Ok(Fetched { verdict, size, data })
            }
            Ok(Progress::Unopened(error)) => Err(error),
            Ok(Progress::Broken(error)) => Err(Arc::new(store::Error::Unavailable(error.to_string()))),
            Ok(Progress::Opening | Progress::NotBegun | Progress::Abandoned) | Err(_) => {
                if let Some(hit) = self.lookup(id).await {
                    return Ok(Fetched { verdict: Verdict::Hit, size: Some(hit.size()), data: hit.into_stream() });
                }
                pass_through(source, expected_size).await
            }
        }
    }
}

/// The image straight from its store.
async fn pass_through(source: Arc<dyn Source>, expected_size: Option<u64>) -> Result<Fetched, Arc<store::Error>> {
    let opened = source.open(0).await.map_err(Arc::new)?;
    Ok(Fetched { verdict: Verdict::PassThrough, size: expected_size.or(opened.size), data: opened.data })
}

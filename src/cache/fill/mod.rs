//! Filling: a cold image is read from its store once, however many ask (P3).
//!
//! The first who asks begins a fill, a task of its own that outlives him; he and all who come before its end follow
//! the growing file, each at his own pace. [`incomplete`] is the file, [`task`] the writer, [`follower`] a reader,
//! [`registry`] who fills what in this process, [`prefetch`] a fill without readers.

mod follower;
mod incomplete;
mod prefetch;
mod registry;
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

use super::source::{Source, open_whole};
use super::{Cache, Verdict, reader};
use crate::model::{ByteStream, ImageId};
use crate::store::{self, Opened};
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
    /// It did not begin: another process writes the image.
    Elsewhere,
    /// It did not begin: the image is cached meanwhile, or the cache cannot be written.
    NotBegun,
    /// The store would not open the image.
    Unopened(Arc<store::Error>),
    /// The store failed on the way: there is no complete image to be had.
    Broken(Arc<std::io::Error>),
    /// The cache could not be written any further: who needs more reads the store himself.
    Abandoned,
}

impl Progress {
    /// Whether nothing will follow.
    fn is_end(&self) -> bool {
        !matches!(self, Self::Opening | Self::Filling { .. })
    }

    /// Whether a reader who has all bytes up to `offset` has to wait.
    fn is_short_of(&self, offset: u64) -> bool {
        match self {
            Self::Opening => true,
            Self::Filling { readable, .. } => *readable <= offset,
            _ => false,
        }
    }
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
    /// begins one. Resolves once the store has opened the image. Before the last block is handed out, the image is cached,
    /// unless the cache could not keep it.
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
        match self.join_or_begin(id, &source, expected_size) {
            Some((progress, verdict)) => self.follow(id, progress, verdict, source, expected_size).await,
            None => pass_through(source, expected_size).await,
        }
    }

    /// Waits until no fill runs, at most for `grace`. False if some still do.
    pub(crate) async fn drain(&self, grace: Duration) -> bool {
        tokio::time::timeout(grace, self.fills.idle()).await.is_ok()
    }

    /// The fill of `id` that runs or begins now, and what to call that; `None` if too many run.
    fn join_or_begin(
        self: &Arc<Self>,
        id: &ImageId,
        source: &Arc<dyn Source>,
        expected_size: Option<u64>,
    ) -> Option<(watch::Receiver<Progress>, Verdict)> {
        match self.fills.join_or_begin(id) {
            Place::Joined(progress) => Some((progress, Verdict::Filling)),
            Place::Begun(registration, sender) => {
                let progress = sender.subscribe();
                let task = Task::new(Arc::clone(self), Arc::clone(source), expected_size, sender);
                tokio::spawn(task.run(registration));
                Some((progress, Verdict::Miss))
            }
            Place::Full => {
                tracing::info!(image = %id, "too many fills are running: not caching");
                None
            }
        }
    }

    /// Becomes a reader of a fill as soon as it has something to read.
    async fn follow(
        self: &Arc<Self>,
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
                let data = reader::read(Follower { id: id.clone(), progress }, source, size);
                Ok(Fetched { verdict, size, data })
            }
            Ok(Progress::Unopened(error)) => Err(error),
            Ok(Progress::Broken(error)) => Err(Arc::new(store::Error::Unavailable(error.to_string()))),
            Ok(Progress::Opening | Progress::Elsewhere | Progress::NotBegun | Progress::Abandoned) | Err(_) => {
                match self.lookup(id, expected_size).await {
                    Some(hit) => {
                        Ok(Fetched { verdict: Verdict::Hit, size: Some(hit.size()), data: hit.into_stream(source) })
                    }
                    None => pass_through(source, expected_size).await,
                }
            }
        }
    }
}

/// The image straight from its store.
async fn pass_through(source: Arc<dyn Source>, expected_size: Option<u64>) -> Result<Fetched, Arc<store::Error>> {
    let Opened { data, size } = open_whole(&*source, 0, expected_size).await.map_err(Arc::new)?;
    Ok(Fetched { verdict: Verdict::PassThrough, size, data })
}

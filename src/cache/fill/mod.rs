//! Filling: a cold image is read from its store once, however many ask (P3).
//!
//! The first who asks begins a fill, a task of its own that outlives him; he and all who come before its end follow
//! the growing file, each at his own pace. [`incomplete`] is the file, [`task`] its life from claim to commit, [`copy`]
//! the bytes on their way into it ([`batches`] at a time), [`follower`] a reader, [`running`] who fills what in this process, [`prefetch`] a
//! fill without readers.

mod batches;
mod copy;
mod follower;
mod incomplete;
mod prefetch;
mod running;
mod task;

use std::sync::Arc;
use std::time::Duration;

use fastio::ImageFile;
use tokio::sync::watch;

pub(super) use follower::Follower;
pub(super) use incomplete::{remove_if_unowned, remove_unowned};
pub(super) use running::Fills;

use super::open::FetchError;
use super::source::Source;
use super::{Cache, Expected, Hit, Verdict};
use crate::model::ImageId;
use crate::store;
use running::Place;
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
    /// It did not begin, for this reason.
    NotBegun(Verdict),
    /// The store would not open the image.
    Unopened(Arc<store::Error>),
    /// The store failed on the way and could not be healed, or its bytes are not the image: there is none to be had.
    Broken(Arc<std::io::Error>),
    /// The cache could not be written any further: who needs more reads the store himself.
    Abandoned,
}

impl Progress {
    /// Whether nothing will follow.
    fn is_end(&self) -> bool {
        !matches!(self, Self::Opening | Self::Filling { .. })
    }

    /// Whether there is something to read. Of an empty image the head is the last that a client waits for, so it is not
    /// sent before the end.
    fn has_begun(&self) -> bool {
        match self {
            Self::Opening => false,
            Self::Filling { growing, .. } => growing.size != Some(0),
            _ => true,
        }
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
    file: Arc<ImageFile>,
    /// Bytes it will have, if known.
    size: Option<u64>,
    /// The state of the image that is being copied, if the store tells.
    version: Option<String>,
}

/// What one who wanted to read through a fill has got.
pub(super) enum Joined {
    /// A fill, by now open.
    Fill { follower: Follower, size: Option<u64>, verdict: Verdict },
    /// The entry that a fill has become meanwhile.
    Entry(Hit),
    /// Nothing, for this reason.
    Nothing(Verdict),
}

impl Cache {
    /// Waits until no fill runs, at most for `grace`. False if some still do.
    pub(crate) async fn drain(&self, grace: Duration) -> bool {
        tokio::time::timeout(grace, self.fills.idle()).await.is_ok()
    }

    /// Joins the fill of `id` that runs in this process, or begins one; resolves when there is something to read.
    ///
    /// # Errors
    /// The store's, if it does not give the image.
    pub(super) async fn join_or_begin(
        self: &Arc<Self>,
        id: &ImageId,
        source: &Arc<dyn Source>,
        expected: &Expected,
    ) -> Result<Joined, FetchError> {
        let Some((mut progress, verdict)) = self.running_fill(id, source, expected) else {
            return Ok(Joined::Nothing(Verdict::Bypass));
        };
        let begun = progress.wait_for(Progress::has_begun).await.map(|now| now.clone());
        let reason = match begun {
            Ok(Progress::Filling { growing, .. } | Progress::Complete { growing, .. }) => {
                let size = growing.size;
                let follower = Follower::new(id.clone(), progress, growing, self.readers.enter(id));
                return Ok(Joined::Fill { follower, size, verdict });
            }
            Ok(Progress::Unopened(error)) => return Err(FetchError::Store(error)),
            Ok(Progress::Broken(error)) => return Err(store::Error::Unavailable(error.to_string()).into()),
            Ok(Progress::NotBegun(reason)) => reason,
            Ok(Progress::Opening | Progress::Abandoned) | Err(_) => Verdict::Bypass,
        };
        Ok(self.lookup(id, expected).await.map_or(Joined::Nothing(reason), Joined::Entry))
    }

    /// Begins a fill of `id`, unless one runs, that needs no readers to go on.
    pub(super) fn begin_unread(self: &Arc<Self>, id: &ImageId, source: &Arc<dyn Source>, expected: &Expected) {
        if let Some((mut progress, Verdict::Miss)) = self.running_fill(id, source, expected) {
            // Ends with the fill.
            tokio::spawn(async move { drop(progress.wait_for(Progress::is_end).await) });
        }
    }

    /// The fill of `id` that runs or begins now, and what to call that; `None` if too many run.
    fn running_fill(
        self: &Arc<Self>,
        id: &ImageId,
        source: &Arc<dyn Source>,
        expected: &Expected,
    ) -> Option<(watch::Receiver<Progress>, Verdict)> {
        match self.fills.join_or_begin(id) {
            Place::Joined(progress) => Some((progress, Verdict::Filling)),
            Place::Begun(registration, sender) => {
                let progress = sender.subscribe();
                let task = Task::new(Arc::clone(self), Arc::clone(source), expected.clone(), sender);
                tokio::spawn(task.run(registration));
                Some((progress, Verdict::Miss))
            }
            Place::Full => {
                tracing::info!(image = %id, "too many fills are running: not caching");
                None
            }
        }
    }
}

//! The bytes of a fill on their way from the store into the unfinished file: hashed beside, written in batches, and
//! read on from where the store failed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastio::Hashing;
use tokio::sync::watch;

use super::batches::Batches;
use super::incomplete::Incomplete;
use super::running::Registration;
use super::{Growing, Progress};
use crate::cache::expected::Digest;
use crate::cache::room::NoRoom;
use crate::cache::source::{Source, open_whole};
use crate::cache::{Cache, Expected};
use crate::model::ByteStream;
use crate::store;

/// Bytes that are taken at a time for an image of unknown size.
const STEP: u64 = 16 * 1024 * 1024;
/// The pause before a failed store is asked again the first time, doubled each time …
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why copying ended before the image did.
#[derive(Debug)]
pub(super) enum Stop {
    /// The store failed for good, or gave bytes that are not the image.
    Source(io::Error),
    /// The cache could not be written.
    Cache(io::Error),
    /// There was no room for the rest.
    NoRoom(NoRoom),
    /// Nobody reads it any more.
    Unread,
}

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) size: u64,
    pub(super) digest: Digest,
}

/// A copy under way.
pub(super) struct Copy<'a> {
    pub(super) cache: &'a Arc<Cache>,
    pub(super) source: &'a dyn Source,
    pub(super) expected: &'a Expected,
    pub(super) registration: &'a Registration,
    pub(super) progress: &'a watch::Sender<Progress>,
    pub(super) incomplete: &'a Incomplete,
    pub(super) growing: &'a Arc<Growing>,
    pub(super) written: u64,
    /// Bytes that are taken in the directory.
    pub(super) taken: u64,
    /// Failures of the store since it last gave a byte.
    pub(super) failures: u32,
}

impl Copy<'_> {
    /// Copies the image, of which `data` is the beginning; what the store has given is closed then: whoever goes on
    /// reading the store shall find the connection free.
    pub(super) async fn run(mut self, mut data: ByteStream) -> Result<Written, Stop> {
        let algorithm = self.expected.algorithm();
        let mut hashing = Hashing::start(&[algorithm]);
        while let Err(failure) = self.pour(data, &mut hashing).await? {
            data = self.reopened(failure).await?;
        }
        let hex = hashing.finish().await.map_err(Stop::Cache)?.concat();
        Ok(Written { size: self.written, digest: Digest { algorithm, hex } })
    }

    /// Writes `data` to its end, or to a failure of the store, which may pass.
    async fn pour(&mut self, data: ByteStream, hashing: &mut Hashing) -> Result<Result<(), io::Error>, Stop> {
        let mut batches = Batches::new(data);
        let mut next = batches.next().await;
        loop {
            let batch = match next {
                Ok(Some(batch)) => batch,
                Ok(None) => return Ok(Ok(())),
                Err(failure) => return Ok(Err(failure)),
            };
            self.failures = 0;
            self.check_readers()?;
            let bytes = batch.iter().map(|block| block.len() as u64).sum();
            self.make_room(bytes).await?;
            let hash = hash(hashing, batch.clone());
            let read_on = async { Ok(batches.next().await) };
            ((), (), next) = tokio::try_join!(hash, self.write(batch, self.written + bytes), read_on)?;
            self.written += bytes;
        }
    }

    /// Writes a batch and tells the readers.
    async fn write(&self, batch: Vec<Bytes>, end: u64) -> Result<(), Stop> {
        self.incomplete.write(self.written, batch).await.map_err(Stop::Cache)?;
        // What may be the end of the image nobody may see before the commit (v1-cache §1).
        let readable = if self.growing.size.is_some_and(|size| end < size) { end } else { self.written };
        self.progress.send_replace(Progress::Filling { growing: Arc::clone(self.growing), readable });
        Ok(())
    }

    /// Takes room for an image of unknown size as it grows.
    async fn make_room(&mut self, more: u64) -> Result<(), Stop> {
        let needed = self.written + more;
        if needed > self.taken {
            let target = needed.max(self.taken.saturating_add(STEP));
            let grown = match self.incomplete.take(self.cache, self.taken, target).await {
                // There may be room for what is here, if not for a whole step.
                Err(NoRoom::NoSpace | NoRoom::TooBig) if target > needed => {
                    self.incomplete.take(self.cache, self.taken, needed).await.map(|()| needed)
                }
                taken => taken.map(|()| target),
            };
            self.taken = grown.map_err(Stop::NoRoom)?;
        }
        Ok(())
    }

    /// The store again, from where it failed, as often as configured.
    async fn reopened(&mut self, mut failure: io::Error) -> Result<ByteStream, Stop> {
        let id = &self.registration.id;
        loop {
            // More data than there should be, or another size: these do not pass.
            let hopeless = failure.kind() == io::ErrorKind::InvalidData;
            if hopeless || self.failures >= self.cache.settings.fill_retries {
                return Err(Stop::Source(failure));
            }
            let pause = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(self.failures));
            self.failures += 1;
            tracing::warn!(
                image = %id, error = %failure,
                "the store failed at byte {}, trying again in {} ms", self.written, pause.as_millis()
            );
            tokio::time::sleep(pause).await;
            self.check_readers()?;
            failure = match open_whole(self.source, self.written, self.growing.size).await {
                Ok(opened) if opened.version != self.growing.version => {
                    let changed = "the image was replaced in its store while it was copied";
                    return Err(Stop::Source(io::Error::new(io::ErrorKind::InvalidData, changed)));
                }
                Ok(opened) => return Ok(opened.data),
                Err(error @ (store::Error::Unavailable(_) | store::Error::Io(_) | store::Error::Source(_))) => {
                    io::Error::other(error)
                }
                Err(gone) => return Err(Stop::Source(io::Error::other(gone))),
            };
        }
    }

    fn check_readers(&self) -> Result<(), Stop> {
        // What was evicted meanwhile will be no entry, so it is of no use but to those who read it.
        let idle = !self.cache.settings.finish_abandoned || self.registration.is_discarded();
        let unread = idle && self.registration.leave_if_unread(self.progress);
        if unread { Err(Stop::Unread) } else { Ok(()) }
    }
}

async fn hash(hashing: &mut Hashing, batch: Vec<Bytes>) -> Result<(), Stop> {
    for block in batch {
        hashing.hear(block).await.map_err(Stop::Cache)?;
    }
    Ok(())
}

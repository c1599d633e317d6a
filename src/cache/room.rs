//! Room for what is to be cached: taken before a fill writes, so that entries and running fills together never exceed
//! the configured size (promise P5, security C19, C20).
//!
//! The directory is the account: an unfinished file has the size that was taken for it from the start, so every
//! process that shares the directory sees the same sum; and the disk keeps a floor of free space (`image_cache_min_free`). Whoever changes the sum upwards holds a lock meanwhile.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::layout::{Account, Entry, Layout};
use super::order::{Candidate, least_missed_first};
use super::upkeep::Pruned;
use super::{Cache, Error, Result, Verdict};

/// Why there is no room.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoRoom {
    /// More than the whole cache may hold.
    #[error("larger than the cache")]
    TooBig,
    /// What could be evicted is not enough, or the disk would become too full.
    #[error("no space left for it")]
    NoSpace,
    /// The operating system refused.
    #[error("{0}")]
    Failed(io::Error),
}

impl NoRoom {
    /// What the cache does for a download that finds no room.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::TooBig => Verdict::TooBig,
            Self::NoSpace => Verdict::NoSpace,
            Self::Failed(_) => Verdict::Bypass,
        }
    }
}

/// Bytes that are too many.
#[derive(Debug, Clone, Copy)]
struct Lacking {
    /// For the cache's limit.
    limit: u64,
    /// For the disk.
    disk: u64,
}

impl Lacking {
    fn most(self) -> u64 {
        self.limit.max(self.disk)
    }

    /// What is lacking when `victim` is gone. One that is being read occupies the disk until its last reader leaves.
    fn without(self, victim: &Candidate) -> Self {
        let freed = if victim.busy { 0 } else { victim.size };
        Self { limit: self.limit.saturating_sub(victim.size), disk: self.disk.saturating_sub(freed) }
    }
}

impl From<Error> for NoRoom {
    fn from(error: Error) -> Self {
        Self::Failed(io::Error::other(error))
    }
}

impl Cache {
    /// Makes room for `more` bytes, evicting what is missed least, and has `take` occupy it before anybody else can.
    ///
    /// # Errors
    /// There is no room, or `take` failed.
    pub(super) async fn occupy<T: Send + 'static>(
        self: &Arc<Self>,
        more: u64,
        take: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, NoRoom> {
        if more > self.settings.max_size {
            return Err(NoRoom::TooBig);
        }
        let _here = self.room.lock().await;
        // Unlocked when dropped.
        let _everywhere = self.files(Layout::lock_room).await?;
        if self.shrink(more).await?.1 > 0 {
            return Err(NoRoom::NoSpace);
        }
        match super::blocking(take).await {
            Err(error) if is_full(&error) => Err(NoRoom::NoSpace),
            taken => taken.map_err(NoRoom::Failed),
        }
    }

    /// Evicts entries until `more` bytes fit; nothing if they cannot be made to fit. Tells what went, and how many bytes
    /// are still lacking. An entry that cannot be removed stays, logged; others go in its place.
    pub(super) async fn shrink(self: &Arc<Self>, more: u64) -> Result<(Pruned, u64)> {
        let (Account { entries, unfinished, unwritten }, free) =
            self.files(|layout| Ok((layout.account()?, layout.free()?))).await?;
        let cached: u64 = entries.iter().map(|entry| entry.metadata.len()).sum();
        let mut lacking = Lacking {
            limit: cached.saturating_add(unfinished).saturating_add(more).saturating_sub(self.settings.max_size),
            disk: self.lacking_disk(more, unwritten, free),
        };
        let mut pruned = Pruned::default();
        if lacking.most() == 0 {
            return Ok((pruned, 0));
        }
        let candidates = self.least_missed(entries).await;
        if more > 0 && candidates.iter().fold(lacking, Lacking::without).most() > 0 {
            return Ok((pruned, lacking.most()));
        }
        for victim in &candidates {
            if lacking.most() == 0 {
                break;
            }
            match self.evict_entry(&victim.id).await {
                Ok(true) => {
                    pruned.files += 1;
                    pruned.bytes += victim.size;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(image = %victim.id, "entry stays: {error}");
                    continue;
                }
            }
            lacking = lacking.without(victim);
        }
        if pruned.files > 0 {
            tracing::info!("evicted {} images, {} bytes, to make room", pruned.files, pruned.bytes);
        }
        Ok((pruned, lacking.most()))
    }

    /// Bytes by which the disk would be too full with `more`, and with what running fills have still to write, on it.
    /// Nothing for nothing: the floor keeps the cache from growing, but does not shrink it, as it may be others who fill
    /// the disk.
    fn lacking_disk(&self, more: u64, unwritten: u64, free: u64) -> u64 {
        if more == 0 {
            return 0;
        }
        more.saturating_add(unwritten).saturating_add(self.settings.min_free).saturating_sub(free)
    }

    async fn least_missed(&self, entries: Vec<Entry>) -> Vec<Candidate> {
        let mut records: HashMap<_, _> =
            self.entries().await.into_iter().map(|record| (record.image_id.clone(), record)).collect();
        let candidates = entries.into_iter().map(|Entry { id, metadata }| {
            let record = records.remove(&id);
            let used = match &record {
                Some(record) if record.hits > 0 => record.last_accessed,
                Some(record) => record.last_accessed.max(record.last_modified),
                // Put there by somebody who kept no record.
                None => metadata.modified().map_or(0.0, super::index::epoch),
            };
            let hit = record.is_some_and(|record| record.hits > 0);
            Candidate { size: metadata.len(), hit, used, busy: self.readers.of(&id), id }
        });
        least_missed_first(candidates.collect(), self.settings.max_size)
    }
}

/// Whether the disk, or its owner's share of it, is full.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

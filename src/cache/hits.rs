//! Hits that the index does not know yet: counting one costs no disk access (security C28). They are visible at once,
//! because whoever asks this process for the records has them written first; otherwise they are written behind, many in one go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::Cache;
use super::index::{Index, epoch};
use crate::model::{CachedImage, ImageId, Uses};

/// The uses since the last writing.
#[derive(Debug)]
pub(super) struct Hits {
    pending: Mutex<HashMap<ImageId, Uses>>,
    /// Held while a batch is written, so that whoever waits for it finds all of it in the index.
    writing: tokio::sync::Mutex<()>,
    /// Somebody will write what is pending.
    scheduled: AtomicBool,
    /// Microseconds since 1970 that were given out last.
    clock: AtomicU64,
}

impl Hits {
    /// None yet; later than all uses in `records`.
    pub(super) fn after(records: &[CachedImage]) -> Self {
        let latest = records.iter().map(|record| record.last_accessed.max(record.last_modified)).fold(0.0, f64::max);
        Self {
            pending: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            scheduled: AtomicBool::new(false),
            clock: AtomicU64::new(micros(latest)),
        }
    }

    /// The time, or a moment after the last one asked for: a clock that is set back must not make the entries that are
    /// used or filled look old (security C33).
    pub(super) fn now(&self) -> f64 {
        let wall = micros(epoch(SystemTime::now()));
        let later = |last: u64| wall.max(last.saturating_add(1));
        let last = self.clock.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(later(last)));
        // Never an error, as the closure always has a value.
        later(last.unwrap_or(wall)) as f64 / 1e6
    }

    fn add(&self, id: &ImageId, uses: Uses) {
        let mut pending = self.pending();
        let sum = pending.entry(id.clone()).or_insert(Uses { hits: 0, last_accessed: 0.0 });
        sum.hits += uses.hits;
        sum.last_accessed = sum.last_accessed.max(uses.last_accessed);
    }

    /// Forgets the uses of an entry that is gone.
    pub(super) fn forget(&self, id: &ImageId) {
        self.pending().remove(id);
    }

    /// Writes what is pending. What the index cannot take now stays pending; then false.
    pub(super) async fn write_to(&self, index: &dyn Index) -> bool {
        let _alone = self.writing.lock().await;
        let batch: Vec<_> = std::mem::take(&mut *self.pending()).into_iter().collect();
        let written = batch.is_empty() || index.used(&batch).await;
        if !written {
            for (id, uses) in &batch {
                self.add(id, *uses);
            }
        }
        written
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<ImageId, Uses>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing to distrust.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// Counts a read of an entry; only one of the whole image is a hit.
    pub(super) fn count(self: &Arc<Self>, id: &ImageId, whole: bool) {
        self.hits.add(id, Uses { hits: u64::from(whole), last_accessed: self.hits.now() });
        if !self.hits.scheduled.swap(true, Ordering::AcqRel) {
            let cache = Arc::clone(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(cache.settings.hits_interval).await;
                    cache.hits.scheduled.store(false, Ordering::Release);
                    // Again, if that failed and nobody else is about to.
                    if cache.hits.write_to(&*cache.index).await || cache.hits.scheduled.swap(true, Ordering::AcqRel) {
                        break;
                    }
                }
            });
        }
    }

    /// Brings the index up to date with the hits. Runs to its end even if the caller stops waiting.
    pub(crate) async fn write_hits(&self) {
        let (hits, index) = (Arc::clone(&self.hits), Arc::clone(&self.index));
        // Fails only if it panics, which is told then.
        let _ = tokio::spawn(async move { hits.write_to(&*index).await }).await;
    }
}

fn micros(seconds: f64) -> u64 {
    // Saturates; times before 1970 are 0.
    (seconds * 1e6) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let future = CachedImage {
            image_id: ImageId::random(),
            hits: 1,
            last_accessed: 4e9,
            last_modified: 0.0,
            size: 1,
            row: None,
        };
        let hits = Hits::after(&[future]);
        let (first, second) = (hits.now(), hits.now());
        assert!(first > 4e9 && second > first, "{first} {second}");
        assert!(Hits::after(&[]).now() < 4e9);
    }
}

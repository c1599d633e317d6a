//! Who fills what in this process.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::Progress;
use crate::model::ImageId;

/// The running fills.
#[derive(Debug)]
pub(in crate::cache) struct Fills {
    running: Mutex<HashMap<ImageId, Fill>>,
    slots: Arc<Semaphore>,
    most: u32,
}

/// A running fill as others see it.
#[derive(Debug)]
struct Fill {
    progress: watch::Receiver<Progress>,
    discarded: Arc<AtomicBool>,
}

/// Where one who wants an image finds himself.
pub(super) enum Place {
    /// In a fill that runs already.
    Joined(watch::Receiver<Progress>),
    /// At the head of a new one, which he must run.
    Begun(Registration, watch::Sender<Progress>),
    /// Nowhere: as many as may are running.
    Full,
}

/// A fill's place among the running ones, given up when dropped.
#[derive(Debug)]
pub(super) struct Registration {
    /// Whose fill it is.
    pub(super) id: ImageId,
    discarded: Arc<AtomicBool>,
    fills: Arc<Fills>,
    _slot: OwnedSemaphorePermit,
}

impl Fills {
    /// None yet, and never more than `most` (`image_cache_max_fills`).
    pub(in crate::cache) fn new(most: u32) -> Self {
        Self { running: Mutex::default(), slots: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// Whether a fill of `id` can be joined.
    pub(in crate::cache) fn is_running(&self, id: &ImageId) -> bool {
        self.running().contains_key(id)
    }

    /// Joins the fill of `id`, or makes a place for a new one.
    pub(super) fn join_or_begin(self: &Arc<Self>, id: &ImageId) -> Place {
        let mut running = self.running();
        let vacant = match running.entry(id.clone()) {
            Entry::Occupied(fill) => return Place::Joined(fill.get().progress.clone()),
            Entry::Vacant(vacant) => vacant,
        };
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else { return Place::Full };
        let (sender, progress) = watch::channel(Progress::Opening);
        let discarded = Arc::new(AtomicBool::new(false));
        vacant.insert(Fill { progress, discarded: Arc::clone(&discarded) });
        Place::Begun(Registration { id: id.clone(), discarded, fills: Arc::clone(self), _slot: slot }, sender)
    }

    /// Lets the fill of `id`, if one runs, go on for its readers but not become an entry; nobody joins it any more.
    /// The caller holds the cache's publishing lock.
    pub(in crate::cache) fn discard(&self, id: &ImageId) {
        if let Some(fill) = self.running().remove(id) {
            fill.discarded.store(true, Ordering::Release);
        }
    }

    /// Resolves when no fill is running.
    pub(super) async fn idle(&self) {
        // Fails only if the semaphore is closed, which nobody does.
        let _all = self.slots.acquire_many(self.most).await;
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ImageId, Fill>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing to distrust.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registration {
    /// Gives up the place if nobody waits for the fill, so that nobody can join it any more; tells whether that is so.
    pub(super) fn leave_if_unread(&self, sender: &watch::Sender<Progress>) -> bool {
        let mut running = self.fills.running();
        // One receiver is the registry's own, unless the place was given up by an eviction.
        let ours = running.get(&self.id).is_some_and(|fill| Arc::ptr_eq(&fill.discarded, &self.discarded));
        let unread = sender.receiver_count() <= usize::from(ours);
        if unread && ours {
            running.remove(&self.id);
        }
        unread
    }

    /// Whether the image was evicted since the fill began. Settled only under the cache's publishing lock.
    pub(super) fn is_discarded(&self) -> bool {
        self.discarded.load(Ordering::Acquire)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut running = self.fills.running();
        // After an eviction the place may be another fill's.
        if running.get(&self.id).is_some_and(|fill| Arc::ptr_eq(&fill.discarded, &self.discarded)) {
            running.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_joins_a_discarded_fill_and_its_end_leaves_the_next_one_alone() {
        let (fills, id) = (Arc::new(Fills::new(2)), ImageId::random());
        let Place::Begun(old, _old_sender) = fills.join_or_begin(&id) else { panic!("it is the first") };
        assert!(matches!(fills.join_or_begin(&id), Place::Joined(_)));
        fills.discard(&id);
        let Place::Begun(new, _new_sender) = fills.join_or_begin(&id) else { panic!("the old one is discarded") };
        assert!(old.is_discarded() && !new.is_discarded());
        drop(old);
        assert!(matches!(fills.join_or_begin(&id), Place::Joined(_)));
        drop(new);
        assert!(matches!(fills.join_or_begin(&id), Place::Begun(..)));
    }
}

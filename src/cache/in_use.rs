//! Who reads which image at this moment in this process, from its entry or from the fill that becomes one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::ImageId;

/// The entries being read, and by how many.
#[derive(Debug, Default)]
pub(super) struct Readers(Mutex<HashMap<ImageId, usize>>);

/// Somebody reads an entry, until this is dropped.
#[derive(Debug)]
pub(super) struct Reading {
    readers: Arc<Readers>,
    id: ImageId,
}

impl Readers {
    /// One more reader of `id`.
    pub(super) fn enter(self: &Arc<Self>, id: &ImageId) -> Reading {
        *self.counts().entry(id.clone()).or_insert(0) += 1;
        Reading { readers: Arc::clone(self), id: id.clone() }
    }

    /// Whether somebody reads `id`.
    pub(super) fn of(&self, id: &ImageId) -> bool {
        self.counts().contains_key(id)
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<ImageId, usize>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing to distrust.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut counts = self.readers.counts();
        if let Some(count) = counts.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_until_its_last_reader_leaves() {
        let (readers, id) = (Arc::new(Readers::default()), ImageId::random());
        let (first, second) = (readers.enter(&id), readers.enter(&id));
        drop(first);
        assert!(readers.of(&id) && !readers.of(&ImageId::random()));
        drop(second);
        assert!(!readers.of(&id));
    }
}

//! The digests noted on entries, remembered: reading one from its file may wait for a disk, and every hit compares it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Digest;
use super::layout::{OpenEntry, Stamp};
use crate::model::ImageId;

/// What is known of entries that were opened before.
#[derive(Debug, Default)]
pub(super) struct Digests(Mutex<HashMap<ImageId, (Stamp, Option<Digest>)>>);

impl Digests {
    /// The digest noted on the file of this stamp, if that was read before: none may be noted.
    pub(super) fn of(&self, id: &ImageId, stamp: Stamp) -> Option<Option<Digest>> {
        let known = self.known();
        let (of, digest) = known.get(id)?;
        (*of == stamp).then(|| digest.clone())
    }

    /// Remembers what was read.
    pub(super) fn learn(&self, id: &ImageId, entry: &OpenEntry) {
        self.known().insert(id.clone(), (entry.stamp, entry.digest.clone()));
    }

    /// Forgets an entry that is gone.
    pub(super) fn forget(&self, id: &ImageId) {
        self.known().remove(id);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ImageId, (Stamp, Option<Digest>)>> {
        // The map is whole after every statement, so a panic elsewhere leaves nothing to distrust.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

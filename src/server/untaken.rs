//! What a peer has still to take of what was written.

use std::os::fd::AsFd;

/// Bytes that it had still to take when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Untaken(usize);

impl Untaken {
    /// Looks again: whether they have become fewer.
    pub(super) fn fell(&mut self, socket: &impl AsFd) -> bool {
        let before = std::mem::replace(&mut self.0, fastio::unacknowledged(socket).unwrap_or(0));
        self.0 < before
    }

    /// There were none.
    pub(super) fn is_nothing(&self) -> bool {
        self.0 == 0
    }
}

//! Whether a connection is waited for, or waits for us.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is being done for one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Work(Arc<AtomicUsize>);

/// Something that is being done; dropped, it is done.
#[derive(Debug)]
pub(super) struct Working(Work);

impl Work {
    /// Begins with something.
    pub(super) fn begin(&self) -> Working {
        self.0.fetch_add(1, Ordering::Relaxed);
        Working(self.clone())
    }

    /// Something is being done now.
    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

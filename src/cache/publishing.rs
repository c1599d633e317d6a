//! The right to have entries appear and disappear: whoever renames or removes a file changes its record as well, and
//! nobody, in this process or another one on the same directory, may come in between and leave the two apart.

use std::fs::File;

use tokio::sync::MutexGuard;

use super::Cache;
use super::layout::Layout;

/// The right, given back when dropped.
pub(super) struct Publishing<'a> {
    _here: MutexGuard<'a, ()>,
    /// `None` where the directory cannot be locked: then it is in trouble that the work itself will meet.
    _everywhere: Option<File>,
}

impl Cache {
    /// Waits for the right.
    pub(super) async fn publishing(&self) -> Publishing<'_> {
        let here = self.publishing.lock().await;
        Publishing { _here: here, _everywhere: self.files(Layout::lock_entries).await.ok() }
    }
}

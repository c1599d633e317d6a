//! Keeping the cache small and tidy: prune and clean (v1-cache §8).

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastio::shared::remove_if_there;

use super::fill::remove_if_unowned;
use super::layout::{Layout, paths_in, sweep};
use super::{Cache, Result};

/// What pruning removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    /// Entries.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// What cleaning removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// Files of failed fills.
    pub(crate) invalid: u64,
    /// Unfinished files that nobody writes any more.
    pub(crate) stalled: u64,
}

impl Cache {
    /// Evicts what is missed least until the rest fits into the configured size: nothing, unless the limit was lowered or
    /// others put files here, as the cache keeps to it by itself.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub(crate) async fn prune(self: &Arc<Self>) -> Result<Pruned> {
        let _here = self.room.lock().await;
        let _everywhere = self.files(Layout::lock_room).await?;
        Ok(self.shrink(0).await?.0)
    }

    /// Removes what failed fills left, and unfinished files older than the stall time. One that a living process is
    /// writing stays, however old. What cannot be removed stays, too, logged.
    ///
    /// # Errors
    /// A directory cannot be listed.
    pub(crate) async fn clean(&self) -> Result<Cleaned> {
        let stall_time = self.settings.stall_time;
        self.files(move |layout| {
            let invalid = paths_in(&layout.invalid_dir()).map(|paths| sweep(paths, remove_unless_directory));
            let stalled = paths_in(&layout.incomplete_dir()).map(|paths| {
                sweep(paths, |path| {
                    let aged = age(path.symlink_metadata()?.modified()?) >= stall_time;
                    Ok(aged && remove_if_unowned(path)?)
                })
            });
            // Each directory has had its turn before the fault of one is told.
            Ok(Cleaned { invalid: invalid?, stalled: stalled? })
        })
        .await
    }
}

fn remove_unless_directory(path: &Path) -> io::Result<bool> {
    Ok(!path.symlink_metadata()?.is_dir() && remove_if_there(path)?)
}

/// How long ago `then` was; nothing for a time still to come.
fn age(then: SystemTime) -> Duration {
    SystemTime::now().duration_since(then).unwrap_or_default()
}

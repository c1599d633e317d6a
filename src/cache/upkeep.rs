//! Keeping the cache small and tidy: prune and clean (v1-cache §8).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::fill::remove_if_unowned;
use super::layout::remove_if_there;
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
    /// Removes the least recently used entries until the rest fits into the configured size. Entries that the index
    /// does not know go last, the oldest file first.
    ///
    /// # Errors
    /// The directory cannot be listed or an entry not removed.
    pub(crate) async fn prune(self: &Arc<Self>) -> Result<Pruned> {
        let mut files = self.files(|layout| layout.entries()).await?;
        let mut total: u64 = files.iter().map(|entry| entry.metadata.len()).sum();
        let mut pruned = Pruned::default();
        if total <= self.settings.max_size {
            return Ok(pruned);
        }
        files.sort_by_key(|entry| (entry.metadata.modified().ok(), entry.id.clone()));
        let sizes: HashMap<_, _> = files.iter().map(|entry| (entry.id.clone(), entry.metadata.len())).collect();
        // The order is taken once: a record that cannot be removed must not bring the same entry up for ever.
        let mut order = self.index.by_recency().await;
        let known: HashSet<_> = order.iter().cloned().collect();
        order.extend(files.into_iter().map(|entry| entry.id).filter(|id| !known.contains(id)));
        for id in &order {
            if total <= self.settings.max_size {
                break;
            }
            let Some(size) = sizes.get(id) else { continue };
            if self.evict(id).await? {
                pruned.files += 1;
                pruned.bytes += size;
            }
            total -= size;
        }
        Ok(pruned)
    }

    /// Removes what failed fills left, and unfinished files older than the stall time. One that a living process is
    /// writing stays, however old.
    ///
    /// # Errors
    /// A directory cannot be listed or a file not removed.
    pub(crate) async fn clean(&self) -> Result<Cleaned> {
        let stall_time = self.settings.stall_time;
        self.files(move |layout| {
            let mut cleaned = Cleaned::default();
            for entry in fs::read_dir(layout.invalid_dir())? {
                let entry = entry?;
                if !entry.file_type()?.is_dir() {
                    cleaned.invalid += u64::from(remove_if_there(&entry.path())?);
                }
            }
            for entry in fs::read_dir(layout.incomplete_dir())? {
                let path = entry?.path();
                let Ok(metadata) = path.symlink_metadata() else { continue };
                if age(metadata.modified()?) >= stall_time {
                    cleaned.stalled += u64::from(remove_if_unowned(&path)?);
                }
            }
            Ok(cleaned)
        })
        .await
    }
}

/// How long ago `then` was; nothing for a time still to come.
fn age(then: SystemTime) -> Duration {
    SystemTime::now().duration_since(then).unwrap_or_default()
}

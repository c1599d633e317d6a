//! What is remembered of each entry beside its bytes: hits and times; and of fills that they failed.
//!
//! An index never decides whether an image is cached. Once it is open its faults are logged here and go no further,
//! because counting must not cost anybody a download (v1-cache §6).

mod centralized_db;
mod sqlite;
mod xattr;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use super::layout::{Entry, Layout};
use super::{Driver, Result, Settings};
use crate::db;
use crate::db::sql::CachedOnNode;
use crate::model::{CachedImage, ImageId, Uses};

/// A place for records. Operations on an image without a record do nothing.
#[async_trait]
pub(super) trait Index: Send + Sync + std::fmt::Debug {
    /// Records a new entry of `size` bytes, with no hits, filled at `at` (seconds since 1970, later than all others).
    async fn admit(&self, id: &ImageId, size: u64, at: f64);

    /// Forgets the record of `id`.
    async fn remove(&self, id: &ImageId);

    /// Adds uses to the records of entries. False if that has to be tried again.
    async fn used(&self, batch: &[(ImageId, Uses)]) -> bool;

    /// Takes note that a fill of `id` failed and left its file among the invalid ones.
    async fn failed(&self, id: &ImageId, reason: &str);

    /// All records, ordered by image id.
    async fn entries(&self) -> Vec<CachedImage>;

    /// The nodes that have `id` in their caches: none, where each node's index is its own.
    async fn nodes(&self, _id: &ImageId) -> db::Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Opens the configured index, or the SQLite one if that does not work here. Tells which it is.
pub(super) async fn open(
    settings: &Settings,
    layout: &Layout,
    rows: Option<CachedOnNode>,
) -> Result<(Arc<dyn Index>, Driver)> {
    let sqlite_db = layout.base().join(&settings.sqlite_db);
    match (settings.driver, rows) {
        (Driver::CentralizedDb, Some(rows)) => {
            let index = centralized_db::CentralizedDb::open(rows, layout.clone(), sqlite_db).await;
            return Ok((Arc::new(index), Driver::CentralizedDb));
        }
        (Driver::Xattr, _) => match xattr::Xattr::open(layout.clone()).await {
            Ok(index) => return Ok((Arc::new(index), Driver::Xattr)),
            Err(error) => tracing::warn!(
                "Image cache driver 'xattr' cannot be used in {}: {error}. Using 'sqlite'.",
                layout.base().display()
            ),
        },
        _ => {}
    }
    let index = sqlite::Sqlite::open(sqlite_db, layout.clone()).await?;
    Ok((Arc::new(index), Driver::Sqlite))
}

/// In what an index and the directory disagree: entries without a record, and records without an entry.
fn disagreement(recorded: &[String], files: Vec<Entry>) -> (Vec<Entry>, Vec<String>) {
    let mut lost: HashSet<&str> = recorded.iter().map(String::as_str).collect();
    // What has a record is taken from both sides.
    let unknown = files.into_iter().filter(|entry| !lost.remove(entry.id.as_str())).collect();
    (unknown, lost.into_iter().map(str::to_owned).collect())
}

/// Seconds since 1970, as Glance's records have them; 0 for times before.
pub(super) fn epoch(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

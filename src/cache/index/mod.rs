//! What is remembered of each entry beside its bytes: hits and times; and of fills that they failed.
//!
//! An index never decides whether an image is cached. Once it is open its faults are logged here and go no further,
//! because counting must not cost anybody a download (v1-cache §6).

mod sqlite;
mod xattr;

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use super::hits::Uses;
use super::layout::Layout;
use super::{Driver, Result, Settings};
use crate::model::ImageId;

/// The record of a cached image (v1-cache §4.1). Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CachedImage {
    /// Whose bytes.
    pub(crate) image_id: ImageId,
    /// Complete reads since the fill.
    pub(crate) hits: u64,
    /// Time of the last read, also of a part; what it is before the first one depends on the driver.
    pub(crate) last_accessed: f64,
    /// Time of the fill.
    pub(crate) last_modified: f64,
    /// Bytes.
    pub(crate) size: u64,
}

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
}

/// Opens the configured index, or the SQLite one if that does not work here. Tells which it is.
pub(super) async fn open(settings: &Settings, layout: &Layout) -> Result<(Arc<dyn Index>, Driver)> {
    if settings.driver == Driver::Xattr {
        match xattr::Xattr::open(layout.clone()).await {
            Ok(index) => return Ok((Arc::new(index), Driver::Xattr)),
            Err(error) => tracing::warn!(
                "Image cache driver 'xattr' cannot be used in {}: {error}. Using 'sqlite'.",
                layout.base().display()
            ),
        }
    }
    let index = sqlite::Sqlite::open(layout.base().join(&settings.sqlite_db), layout.clone()).await?;
    Ok((Arc::new(index), Driver::Sqlite))
}

/// Seconds since 1970, as Glance's records have them; 0 for times before.
pub(super) fn epoch(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

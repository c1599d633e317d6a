//! What is remembered of a cached image beside its bytes.

use super::ImageId;

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
    /// The number of its row, if it is one of the service's database: v2 tells it.
    pub(crate) row: Option<i64>,
}

/// What is to be added to the record of a cached image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Uses {
    /// Complete reads.
    pub(crate) hits: u64,
    /// Time of the last read, also of a part; seconds since 1970.
    pub(crate) last_accessed: f64,
}

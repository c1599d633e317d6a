//! What an operator decides about the cache.

use std::path::PathBuf;
use std::time::Duration;

/// The options of the cache (v1-cache §10), already read and typed.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `image_cache_dir`: where everything lies.
    pub(crate) dir: PathBuf,
    /// `image_cache_driver`: where hits and times are kept.
    pub(crate) driver: Driver,
    /// `image_cache_sqlite_db`: name of the SQLite index below `dir`.
    pub(crate) sqlite_db: String,
    /// `image_cache_max_size`: bytes that entries and running fills together never exceed.
    pub(crate) max_size: u64,
    /// `image_cache_min_free`: bytes of the file system that the cache leaves free.
    pub(crate) min_free: u64,
    /// `image_cache_max_fills`: fills at a time. Each costs a connection to a store and some memory; who comes later
    /// reads the store without caching.
    pub(crate) max_fills: u32,
    /// `image_cache_fill_retries`: failures of a store in a row that a fill tries to get over.
    pub(crate) fill_retries: u32,
    /// `image_cache_finish_abandoned`: whether a fill goes on when nobody reads it any more.
    pub(crate) finish_abandoned: bool,
    /// `image_cache_fill_on_range`: whether asking for a part of an image begins to cache the whole.
    pub(crate) fill_on_range: bool,
    /// `image_cache_hits_interval`: longest time that counted hits are in memory only.
    pub(crate) hits_interval: Duration,
    /// `image_cache_stall_time`: age from which cleaning takes an unfinished file nobody writes.
    pub(crate) stall_time: Duration,
}

/// Where the index of the cache is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// A table in an SQLite file of the cache directory.
    Sqlite,
    /// Extended attributes of the cached files.
    Xattr,
    /// The rows of this node in the service's database.
    CentralizedDb,
}

impl Driver {
    /// The driver that `image_cache_driver` names. Any other name is `sqlite`, with a warning (v1-cache §5).
    pub(crate) fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "sqlite" => Self::Sqlite,
            "xattr" => Self::Xattr,
            "centralized_db" => Self::CentralizedDb,
            _ => {
                tracing::warn!("image_cache_driver '{name}' is not available. Using 'sqlite'.");
                Self::Sqlite
            }
        }
    }
}

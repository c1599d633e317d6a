//! What can go wrong in the cache where somebody is told: at its opening and in its management.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::Verdict;
use crate::db;
use crate::store;

/// Why the cache could not be opened, or a management operation did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The operating system refused work on the cache directory.
    #[error("image cache {path}: {source}", path = path.display())]
    File {
        /// The cache directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The SQLite index cannot be used.
    #[error("image cache index {path}: {source}", path = path.display())]
    Index {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The index is in the service's database, which cannot be asked.
    #[error("image cache index: {0}")]
    Database(#[from] db::Error),
}

/// Why a prefetched image is not cached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrefetchError {
    /// The store did not give it.
    #[error("{0}")]
    Store(Arc<store::Error>),
    /// What the store gave is not the image.
    #[error("the store's data is not the image")]
    NotTheImage,
    /// It is larger than the cache, or nothing could be evicted for it.
    #[error("the cache has no room for it ({})", .0.as_str())]
    NoRoom(Verdict),
    /// There was no place to fill it, its file could not be finished, or it was evicted meanwhile; the log tells.
    #[error("the cache did not keep it")]
    NotKept,
}

/// What opening and managing the cache yield.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

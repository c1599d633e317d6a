//! The SQLite index: Glance's table `cached_images` in a file of the cache directory (v1-cache §6).
//!
//! Shared with other processes by SQLite's own locking; every write is one short transaction.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use super::{Index, disagreement, epoch};
use crate::cache::blocking::blocking;
use crate::cache::layout::{FILE_MODE, Layout};
use crate::cache::{Error, Result};
use crate::model::{CachedImage, ImageId, Uses};

/// How long an operation waits for another process's lock.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// How long an operation waits for a connection: its turn behind others that wait for a lock.
const CONNECTION_WAIT: Duration = Duration::from_secs(10);
/// SQLite has one writer at a time anyway.
const CONNECTIONS: u32 = 4;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS cached_images (image_id TEXT PRIMARY KEY, last_accessed REAL DEFAULT 0.0, \
     last_modified REAL DEFAULT 0.0, size INTEGER DEFAULT 0, hits INTEGER DEFAULT 0, checksum TEXT)";

/// The index in an SQLite file.
#[derive(Debug)]
pub(super) struct Sqlite {
    pool: SqlitePool,
}

impl Sqlite {
    /// Opens the database at `path`, making it if need be, and makes it agree with the directory. One that is no
    /// database, or is broken, is put aside: what it knew can be found again but for hits and times.
    pub(super) async fn open(path: PathBuf, layout: Layout) -> Result<Self> {
        let opened = match connect(&path).await {
            Err(error) if is_corrupt(&error) => {
                tracing::warn!("Image cache index {} is put aside and made anew: {error}", path.display());
                put_aside(&path).map_err(|source| Error::File { path: path.clone(), source })?;
                connect(&path).await
            }
            other => other,
        };
        let index = Self { pool: opened.map_err(|source| Error::Index { path: path.clone(), source })? };
        index.agree_with(layout).await.map_err(|source| Error::Index { path, source })?;
        Ok(index)
    }

    /// The index that a cache had before it took another one; `None` if there is none that can be read.
    pub(super) async fn former(path: &Path) -> Option<Self> {
        let there = path.to_owned();
        if !blocking(move || there.try_exists()).await.unwrap_or(false) {
            return None;
        }
        let opened = connect(path).await.inspect_err(|error| {
            tracing::warn!("former image cache index {} cannot be read: {error}", path.display());
        });
        Some(Self { pool: opened.ok()? })
    }

    /// Forgets all records.
    pub(super) async fn clear(&self) {
        log(sqlx::query("DELETE FROM cached_images").execute(&self.pool).await.map(drop));
    }

    /// Records the entries that have no record and forgets the records that have no entry.
    async fn agree_with(&self, layout: Layout) -> sqlx::Result<()> {
        // A living process goes on making and removing entries; it must not do so between the two lists.
        let locking = layout.clone();
        let _alone = blocking(move || locking.lock_entries()).await.ok();
        let recorded: Vec<String> =
            sqlx::query_scalar("SELECT image_id FROM cached_images").fetch_all(&self.pool).await?;
        let files = blocking(move || layout.entries()).await?;
        let (unknown, lost) = disagreement(&recorded, files);
        let mut transaction = self.pool.begin().await?;
        for entry in unknown {
            sqlx::query("INSERT OR IGNORE INTO cached_images (image_id, last_modified, size) VALUES (?, ?, ?)")
                .bind(entry.id.as_str())
                .bind(epoch(entry.metadata.modified()?))
                .bind(entry.metadata.len().cast_signed())
                .execute(&mut *transaction)
                .await?;
        }
        for id in lost {
            sqlx::query("DELETE FROM cached_images WHERE image_id = ?").bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    /// One transaction, so that a batch is written whole or not at all.
    async fn add_uses(&self, batch: &[(ImageId, Uses)]) -> sqlx::Result<()> {
        // Taking the write lock at once: a reader that turns writer fails without waiting when another wrote.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for (id, uses) in batch {
            let change =
                "UPDATE cached_images SET hits = hits + ?, last_accessed = MAX(last_accessed, ?) WHERE image_id = ?";
            sqlx::query(change)
                .bind(uses.hits.cast_signed())
                .bind(uses.last_accessed)
                .bind(id.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    async fn delete(&self, id: &ImageId) {
        let done = sqlx::query("DELETE FROM cached_images WHERE image_id = ?").bind(id.as_str()).execute(&self.pool);
        log(done.await);
    }
}

#[async_trait]
impl Index for Sqlite {
    async fn admit(&self, id: &ImageId, size: u64, at: f64) {
        let done = sqlx::query(
            "INSERT OR REPLACE INTO cached_images (image_id, last_accessed, last_modified, hits, size) \
             VALUES (?, 0.0, ?, 0, ?)",
        )
        .bind(id.as_str())
        .bind(at)
        .bind(size.cast_signed())
        .execute(&self.pool);
        log(done.await);
    }

    async fn remove(&self, id: &ImageId) {
        self.delete(id).await;
    }

    async fn used(&self, batch: &[(ImageId, Uses)]) -> bool {
        self.add_uses(batch).await.inspect_err(|error| tracing::warn!("image cache index: {error}")).is_ok()
    }

    async fn failed(&self, id: &ImageId, _reason: &str) {
        self.delete(id).await;
    }

    async fn entries(&self) -> Vec<CachedImage> {
        let rows: Vec<(String, i64, f64, f64, i64)> = log(sqlx::query_as(
            "SELECT image_id, hits, last_accessed, last_modified, size FROM cached_images ORDER BY image_id",
        )
        .fetch_all(&self.pool)
        .await);
        rows.into_iter()
            .filter_map(|(id, hits, last_accessed, last_modified, size)| {
                Some(CachedImage {
                    image_id: ImageId::parse(&id)?,
                    hits: hits.cast_unsigned(),
                    last_accessed,
                    last_modified,
                    size: size.cast_unsigned(),
                    row: None,
                })
            })
            .collect()
    }
}

/// The outcome, or nothing and a line in the log.
fn log<T: Default>(outcome: sqlx::Result<T>) -> T {
    outcome.unwrap_or_else(|error| {
        tracing::warn!("image cache index: {error}");
        T::default()
    })
}

async fn connect(path: &Path) -> sqlx::Result<SqlitePool> {
    // SQLite would make it with the process's umask; an empty file is an empty database.
    OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(LOCK_WAIT)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("count_changes", "OFF")
        .pragma("temp_store", "MEMORY");
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(CONNECTION_WAIT)
        .connect_with(options)
        .await?;
    sqlx::query(TABLE).execute(&pool).await?;
    Ok(pool)
}

/// Whether SQLite says that the file is broken (11, `SQLITE_CORRUPT`) or no database (26, `SQLITE_NOTADB`).
fn is_corrupt(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    // The low byte is the primary code; the rest says more about it.
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

/// Renames the database to `….corrupt`, together with its journal, which must not be played into the new one.
fn put_aside(path: &Path) -> io::Result<()> {
    for suffix in ["", "-journal"] {
        let mut from = path.as_os_str().to_owned();
        from.push(suffix);
        let mut to = path.as_os_str().to_owned();
        to.push(format!(".corrupt{suffix}"));
        match fs::rename(from, to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

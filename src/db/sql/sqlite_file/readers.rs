//! SQLite connections that readers hand on to each other.
//!
//! sqlx's pool tests a connection whenever it is given back. For SQLite that is a journey to another thread, as costly as
//! the query that every download waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Sqlite, SqlitePool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The connections that are kept for reading, taken from a pool when first needed.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    pool: SqlitePool,
    idle: Arc<Mutex<Vec<PoolConnection<Sqlite>>>>,
    /// One permit for each of them.
    turns: Arc<Semaphore>,
}

/// A connection in use, handed on when dropped.
#[derive(Debug)]
pub(super) struct Reader {
    /// `None` only while it is dropped.
    connection: Option<PoolConnection<Sqlite>>,
    /// Nothing is under way on it. One that was left in the middle of a query goes back to the pool, which tests it.
    at_rest: bool,
    idle: Arc<Mutex<Vec<PoolConnection<Sqlite>>>>,
    _turn: OwnedSemaphorePermit,
}

impl Readers {
    /// Keeps the connections of `pool`, which are as many as `most`.
    pub(super) fn of(pool: &SqlitePool, most: usize) -> Self {
        Self { pool: pool.clone(), idle: Arc::default(), turns: Arc::new(Semaphore::new(most)) }
    }

    /// A connection, as soon as one is free; [`sqlx::Error::PoolTimedOut`] if none is for as long as one waits for the pool.
    pub(super) async fn next(&self) -> sqlx::Result<Reader> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(self.pool.options().get_acquire_timeout(), turn).await;
        let turn = turn.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = locked(&self.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.pool.acquire().await?,
        };
        Ok(Reader { connection: Some(connection), at_rest: true, idle: Arc::clone(&self.idle), _turn: turn })
    }
}

impl Reader {
    /// The connection, for one query; [`Reader::rest`] when that is done.
    pub(super) fn begin(&mut self) -> sqlx::Result<&mut SqliteConnection> {
        self.at_rest = false;
        self.connection.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// The query is done.
    pub(super) fn rest(&mut self) {
        self.at_rest = true;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.at_rest {
            locked(&self.idle).extend(self.connection.take());
        }
    }
}

fn locked(idle: &Mutex<Vec<PoolConnection<Sqlite>>>) -> MutexGuard<'_, Vec<PoolConnection<Sqlite>>> {
    // The list is whole after every statement, so a panic elsewhere leaves nothing to distrust.
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

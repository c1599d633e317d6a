//! Looking into a SQLite file that a program has written, and keeping it from writing.

use std::path::Path;

use sqlx::{Connection, Row, SqliteConnection};
use tokio::runtime::{Builder, Runtime};

/// The rows of a query, each with its columns as text joined by `|`, as the `sqlite3` tool prints them.
pub(crate) fn sqlite_rows(file: &Path, query: &'static str) -> Vec<String> {
    runtime().block_on(async {
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|i| row.get::<String, _>(i)).collect::<Vec<_>>().join("|")).collect()
    })
}

/// The write lock of a SQLite file, which keeps everybody else from changing it until this is dropped.
#[derive(Debug)]
pub(crate) struct WriteLock {
    connection: SqliteConnection,
    runtime: Runtime,
}

impl WriteLock {
    pub(crate) fn on(file: &Path) -> Self {
        let runtime = runtime();
        let connection = runtime.block_on(async {
            let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
            sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
            connection
        });
        Self { connection, runtime }
    }

    /// Makes a change while everybody else waits, and lets go.
    pub(crate) fn change(mut self, statement: &'static str) {
        self.runtime.block_on(async {
            sqlx::query(statement).execute(&mut self.connection).await.unwrap();
            sqlx::query("COMMIT").execute(&mut self.connection).await.unwrap();
        });
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(sqlx::query("ROLLBACK").execute(&mut self.connection));
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

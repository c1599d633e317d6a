//! Looking into a SQLite file that a program has written.

use std::path::Path;

use sqlx::{Connection, Row, SqliteConnection};

/// The rows of a query, each with its columns as text joined by `|`, as the `sqlite3` tool prints them.
pub(crate) fn sqlite_rows(file: &Path, query: &'static str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| (0..row.len()).map(|i| row.get::<String, _>(i)).collect::<Vec<_>>().join("|")).collect()
    })
}

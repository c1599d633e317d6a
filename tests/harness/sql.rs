//! Looking into the database that a program has written, and keeping it from writing.

use std::path::Path;

use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::{
    AssertSqlSafe, Column, ColumnIndex, Connection, Database as Driver, Decode, Executor, Row, SqliteConnection,
};
use testdb::Kind;
use tokio::runtime::{Builder, Runtime};

use super::databases::Database;

/// The rows of a query on a SQLite file, each with its columns as text joined by `|`, as the `sqlite3` tool prints them.
pub(crate) fn sqlite_rows(file: &Path, query: &str) -> Vec<String> {
    Database::file(file).rows(query)
}

impl Database {
    /// The rows of a query, each with its columns as text joined by `|`.
    pub(crate) fn rows(&self, query: &str) -> Vec<String> {
        runtime().block_on(async { Connected::to(self).await.rows(query).await.unwrap() })
    }
}

/// A connection of one of the three kinds.
#[derive(Debug)]
enum Connected {
    Sqlite(SqliteConnection),
    Mysql(MySqlConnection),
    Postgresql(PgConnection),
}

impl Connected {
    async fn to(database: &Database) -> Self {
        let url = database.plain_url();
        match database.kind() {
            Kind::Sqlite => Self::Sqlite(SqliteConnection::connect(url).await.unwrap()),
            Kind::Mysql => Self::Mysql(MySqlConnection::connect(url).await.unwrap()),
            Kind::Postgresql => Self::Postgresql(PgConnection::connect(url).await.unwrap()),
        }
    }

    async fn rows(&mut self, query: &str) -> sqlx::Result<Vec<String>> {
        match self {
            Self::Sqlite(connection) => rows(connection, query).await,
            Self::Mysql(connection) => rows(connection, query).await,
            Self::Postgresql(connection) => rows(connection, query).await,
        }
    }
}

/// Without bound values servers answer everything as text, and SQLite turns everything into text.
async fn rows<'c, DB, C>(connection: &'c mut C, query: &str) -> sqlx::Result<Vec<String>>
where
    DB: Driver,
    &'c mut C: Executor<'c, Database = DB>,
    usize: ColumnIndex<DB::Row>,
    for<'r> String: Decode<'r, DB>,
    for<'r> Option<String>: Decode<'r, DB>,
{
    let found = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(query))).await?;
    let text = |row: &DB::Row| {
        let columns = row.columns().iter();
        let values = columns.map(|column| row.try_get_unchecked::<Option<String>, _>(column.ordinal()).unwrap());
        values.map(Option::unwrap_or_default).collect::<Vec<_>>().join("|")
    };
    Ok(found.iter().map(text).collect())
}

/// A connection that is kept, for transactions.
#[derive(Debug)]
pub(crate) struct Held {
    connection: Connected,
    runtime: Runtime,
}

impl Held {
    pub(crate) fn to(database: &Database) -> Self {
        let runtime = runtime();
        let connection = runtime.block_on(Connected::to(database));
        Self { connection, runtime }
    }

    /// As [`Database::rows`]; the database may refuse.
    pub(crate) fn rows(&mut self, query: &str) -> sqlx::Result<Vec<String>> {
        self.runtime.block_on(self.connection.rows(query))
    }
}

/// A lock on the images, which keeps everybody else from changing them, not from reading, until this is dropped.
#[derive(Debug)]
pub(crate) struct WriteLock(Held);

impl WriteLock {
    pub(crate) fn on(database: &Database) -> Self {
        let lock: &[&str] = match database.kind() {
            Kind::Sqlite => &["BEGIN IMMEDIATE"],
            Kind::Mysql => &["BEGIN", "SELECT id FROM images FOR UPDATE"],
            Kind::Postgresql => &["BEGIN", "LOCK TABLE images IN EXCLUSIVE MODE"],
        };
        let mut held = Held::to(database);
        for statement in lock {
            held.rows(statement).unwrap();
        }
        Self(held)
    }

    /// Makes a change while everybody else waits, and lets go.
    pub(crate) fn change(mut self, statement: &str) {
        self.0.rows(statement).unwrap();
        self.0.rows("COMMIT").unwrap();
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        let _ = self.0.rows("ROLLBACK");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

//! One face for the three drivers: pools, sessions, rows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::FromSql;
use sea_query_sqlx::{SqlxBinder, SqlxValues};
use sqlx::mysql::{MySqlConnection, MySqlPool, MySqlRow};
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Database, Decode, Executor, MySql, Postgres, Row as _, Sqlite, Transaction};

use super::dialect::Dialect;
use super::error::Fault;
use super::settings::Settings;
use super::sqlite_file::{PromptRow, Reading, SqliteFile};
use super::url::{self, BadUrl, Target};

/// How long SQLite itself waits for another process's write (database §8).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections to one database, opened when first needed.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    /// One connection, which is the database.
    Memory(SqlitePool),
    /// A file: the connection that writes, and what reads.
    File(SqlitePool, SqliteFile),
    Postgres(PgPool),
    Mysql(MySqlPool),
}

impl Pool {
    /// Prepares the pool; must run inside the runtime. Only the directory of a SQLite file is looked at now.
    pub(super) fn open(settings: &Settings) -> Result<Self, BadUrl> {
        let most = settings.max_pool_size.saturating_add(settings.max_overflow).max(1);
        match url::parse(&settings.connection)? {
            Target::Memory => Ok(Self::Memory(memory(settings))),
            Target::File(path) => {
                let readers = settings.max_pool_size.max(1);
                let reading = SqliteFile::open(&path, &file(&path, settings, readers)?, readers as usize);
                // One connection writes. A second one would have to wait for it anyway, and waits by trying again after
                // pauses that grow, while others overtake it.
                Ok(Self::File(file(&path, settings, 1)?, reading))
            }
            Target::Postgres(target) => Ok(Self::Postgres(options(settings, most).connect_lazy_with(*target))),
            Target::Mysql(target) => {
                let session: Arc<str> = mysql_session(settings)?.into();
                let prepared = options(settings, most).after_connect(move |connection: &mut MySqlConnection, _| {
                    let session = Arc::clone(&session);
                    Box::pin(async move {
                        if !session.is_empty() {
                            connection.execute(sqlx::raw_sql(AssertSqlSafe(session.to_string()))).await?;
                        }
                        Ok(())
                    })
                });
                Ok(Self::Mysql(prepared.connect_lazy_with(*target)))
            }
        }
    }

    /// The kind of database.
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Memory(_) | Self::File(..) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
            Self::Mysql(_) => Dialect::Mysql,
        }
    }

    /// The SQLite file that the database is, if it is one.
    pub(super) fn file(&self) -> Option<&SqliteFile> {
        if let Self::File(_, file) = self { Some(file) } else { None }
    }

    /// Opens a connection to a server, if that is what the database is.
    pub(super) async fn reach(&self) -> sqlx::Result<()> {
        match self {
            Self::Memory(_) | Self::File(..) => Ok(()),
            Self::Postgres(pool) => pool.acquire().await.map(drop),
            Self::Mysql(pool) => pool.acquire().await.map(drop),
        }
    }

    /// A session whose statements stand alone.
    pub(super) async fn read(&self) -> sqlx::Result<Session> {
        // Boxed: the futures of pools are large, and would be part of every future that waits for this one.
        Ok(match self {
            Self::Memory(pool) => Session::Sqlite(Link::Plain(Box::pin(pool.acquire()).await?)),
            Self::File(_, file) => Session::Reading(file.read()),
            Self::Postgres(pool) => Session::Postgres(Link::Plain(Box::pin(pool.acquire()).await?)),
            Self::Mysql(pool) => Session::Mysql(Link::Plain(Box::pin(pool.acquire()).await?)),
        })
    }

    /// A session that is one transaction: undone unless [`Session::commit`] is called.
    pub(super) async fn begin(&self) -> sqlx::Result<Session> {
        Ok(match self {
            // Taking the write lock at once: a reader that turns writer fails without waiting when another wrote.
            Self::Memory(pool) | Self::File(pool, _) => {
                Session::Sqlite(Link::Transaction(Box::pin(pool.begin_with("BEGIN IMMEDIATE")).await?))
            }
            Self::Postgres(pool) => Session::Postgres(Link::Transaction(Box::pin(pool.begin()).await?)),
            Self::Mysql(pool) => Session::Mysql(Link::Transaction(Box::pin(pool.begin()).await?)),
        })
    }
}

/// What each connection to MySQL begins with (database §8).
fn mysql_session(settings: &Settings) -> Result<String, BadUrl> {
    let mode = &settings.mysql_sql_mode;
    if !mode.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ',')) {
        return Err(BadUrl(format!("mysql_sql_mode '{mode}' is no list of modes")));
    }
    let mode = if mode.is_empty() { String::new() } else { format!("SET SESSION sql_mode = '{mode}';") };
    let wait = settings.mysql_wsrep_sync_wait.map(|wait| format!("SET SESSION wsrep_sync_wait = {wait};"));
    Ok(mode + &wait.unwrap_or_default())
}

fn options<DB: Database>(settings: &Settings, most: u32) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(most)
        .acquire_timeout(settings.pool_timeout)
        .max_lifetime(settings.connection_recycle_time)
}

/// The database is its connection, so there is just one and it is never closed: not for its age, and not because
/// somebody gave up while it was being tested.
fn memory(settings: &Settings) -> SqlitePool {
    let target = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
    let one = options(settings, 1).max_lifetime(None).idle_timeout(None).test_before_acquire(false);
    one.connect_lazy_with(target)
}

/// WAL lets readers go on while one writes. With `NORMAL` a commit is in the operating system's hands when it is
/// acknowledged: it survives the death of this process, and a power cut may cost the last commits but not consistency.
fn file(path: &Path, settings: &Settings, most: u32) -> Result<SqlitePool, BadUrl> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !dir.is_dir() {
        return Err(BadUrl(format!("there is no directory {} for the SQLite file", dir.display())));
    }
    let synchronous = if settings.sqlite_synchronous { SqliteSynchronous::Normal } else { SqliteSynchronous::Off };
    let target = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous);
    // Each connection is a thread, and more of them write no faster: no overflow.
    // Nor can the connection to a file be lost: no test before each use.
    Ok(options(settings, most).test_before_acquire(false).connect_lazy_with(target))
}

/// A connection in use, with or without a transaction.
#[derive(Debug)]
pub(super) enum Link<DB: Database> {
    Plain(PoolConnection<DB>),
    Transaction(Transaction<'static, DB>),
}

impl<DB: Database> Link<DB> {
    fn connection(&mut self) -> &mut DB::Connection {
        match self {
            Self::Plain(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
    }

    async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Transaction(transaction) => transaction.commit().await,
        }
    }
}

/// The work of one operation. An operation takes one session only: in memory there is no second connection.
#[derive(Debug)]
pub(super) enum Session {
    Sqlite(Link<Sqlite>),
    Reading(Reading),
    Postgres(Link<Postgres>),
    Mysql(Link<MySql>),
}

impl Session {
    /// The kind of database.
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) | Self::Reading(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
            Self::Mysql(_) => Dialect::Mysql,
        }
    }

    /// All rows of a query.
    pub(super) async fn rows(&mut self, query: &impl SqlxBinder) -> sqlx::Result<Vec<Row>> {
        let (sql, values) = self.dialect().render(query);
        Ok(match self {
            Self::Sqlite(link) => {
                bound(sql, values).fetch_all(link.connection()).await?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Reading(reading) => reading.rows(sql, values).await?,
            Self::Postgres(link) => {
                bound(sql, values).fetch_all(link.connection()).await?.into_iter().map(Row::Postgres).collect()
            }
            Self::Mysql(link) => {
                bound(sql, values).fetch_all(link.connection()).await?.into_iter().map(Row::Mysql).collect()
            }
        })
    }

    /// The first row of a query, if any.
    pub(super) async fn row(&mut self, query: &impl SqlxBinder) -> sqlx::Result<Option<Row>> {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// Changes rows and tells how many matched.
    pub(super) async fn execute(&mut self, change: &impl SqlxBinder) -> sqlx::Result<u64> {
        let (sql, values) = self.dialect().render(change);
        Ok(match self {
            Self::Sqlite(link) => bound(sql, values).execute(link.connection()).await?.rows_affected(),
            Self::Reading(_) => return Err(read_only()),
            Self::Postgres(link) => bound(sql, values).execute(link.connection()).await?.rows_affected(),
            Self::Mysql(link) => bound(sql, values).execute(link.connection()).await?.rows_affected(),
        })
    }

    /// Runs statements that hold no values, one after the other. For the schema.
    pub(super) async fn script(&mut self, sql: String) -> sqlx::Result<()> {
        let script = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(link) => script.execute(link.connection()).await.map(drop),
            Self::Reading(_) => Err(read_only()),
            Self::Postgres(link) => script.execute(link.connection()).await.map(drop),
            Self::Mysql(link) => script.execute(link.connection()).await.map(drop),
        }
    }

    /// Waits until no other process changes the schema. SQLite's transactions do so anyway; PostgreSQL's lock ends with the
    /// transaction.
    pub(super) async fn lock_schema(&mut self) -> sqlx::Result<()> {
        match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => {
                self.script("SELECT pg_advisory_xact_lock(hashtext('gander schema'))".to_owned()).await
            }
            Dialect::Mysql => self.script("SELECT GET_LOCK(CONCAT('gander.', DATABASE()), 50)".to_owned()).await,
        }
    }

    /// Lets go of what [`Session::lock_schema`] took. MySQL's lock is the connection's, which lives on.
    pub(super) async fn unlock_schema(&mut self) -> sqlx::Result<()> {
        match self.dialect() {
            Dialect::Sqlite | Dialect::Postgres => Ok(()),
            Dialect::Mysql => self.script("SELECT RELEASE_LOCK(CONCAT('gander.', DATABASE()))".to_owned()).await,
        }
    }

    /// Ends the transaction, keeping its changes.
    pub(super) async fn commit(self) -> Result<(), Fault> {
        let committed = match self {
            Self::Sqlite(link) => link.commit().await,
            Self::Reading(_) => Ok(()),
            Self::Postgres(link) => link.commit().await,
            Self::Mysql(link) => link.commit().await,
        };
        committed.map_err(Fault::of_commit)
    }
}

fn read_only() -> sqlx::Error {
    sqlx::Error::InvalidArgument("a session that only reads was asked to write".to_owned())
}

/// The statement text is safe: sea-query made it, and every value goes beside it.
pub(super) fn bound<DB: Database>(sql: String, values: SqlxValues) -> sqlx::query::Query<'static, DB, SqlxValues>
where
    SqlxValues: sqlx::IntoArguments<DB>,
{
    sqlx::query_with(AssertSqlSafe(sql), values)
}

/// A row of an answer.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Prompt(PromptRow),
    Postgres(PgRow),
    Mysql(MySqlRow),
}

impl Row {
    /// The value of a column. Databases of different age and kind declare different types for the same column
    /// (an enum for a text, four bytes for eight), so only the value itself decides whether it can be read.
    pub(super) fn get<T>(&self, column: &str) -> sqlx::Result<T>
    where
        T: for<'r> Decode<'r, Sqlite> + for<'r> Decode<'r, Postgres> + for<'r> Decode<'r, MySql> + FromSql,
    {
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(column),
            Self::Prompt(row) => row.get(column),
            Self::Postgres(row) => row.try_get_unchecked(column),
            Self::Mysql(row) => row.try_get_unchecked(column),
        }
    }
}

//! Short reads, done on the thread that asks.
//!
//! sqlx asks SQLite on threads of its own. The journey there and back costs several times what it takes to find a record in
//! pages that the kernel has in memory, and sqlx offers no other way, so these reads go by rusqlite; both are faces of
//! the same library. A read that turns out long is given up and begun anew on sqlx's way, as is one that meets a lock or
//! a fault: that way can wait, and says what is wrong.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::types::{FromSql, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};
use sea_query_sqlx::SqlxValues;

/// A read is long that takes so many times so many steps of SQLite's machine: a millisecond, if its pages are in memory.
const STEPS: i32 = 250;
const TICKS: u32 = 100;
/// Longest that a read keeps its thread that has to wait for the disk, page after page. It may be quick next time.
const PATIENCE: Duration = Duration::from_millis(20);
/// Statements that each connection keeps ready.
const PREPARED: usize = 64;
/// Statements that are remembered as long ones.
const MOST_LONG: usize = 256;

/// The way of short reads to one file.
#[derive(Debug, Clone)]
pub(super) struct Prompt(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    /// As many as there were threads that read at the same time.
    idle: Mutex<Vec<Counted>>,
    /// Texts of statements that were long.
    long: Mutex<HashSet<String>>,
}

/// A connection, and what is left to the read that it does.
#[derive(Debug)]
pub(super) struct Counted {
    connection: Connection,
    left: Arc<Left>,
}

#[derive(Debug)]
struct Left {
    ticks: AtomicU32,
    began: Instant,
    /// When the read has to end, in nanoseconds since `began`.
    until: AtomicU64,
}

impl Left {
    fn new() -> Self {
        Self { ticks: AtomicU32::new(TICKS), began: Instant::now(), until: AtomicU64::new(u64::MAX) }
    }

    /// A read begins.
    fn reset(&self) {
        self.ticks.store(TICKS, Ordering::Relaxed);
        self.until.store(self.nanoseconds(PATIENCE), Ordering::Relaxed);
    }

    /// Whether the read has to end, asked every so many steps.
    fn is_over(&self) -> bool {
        self.ticks.fetch_sub(1, Ordering::Relaxed) <= 1
            || self.nanoseconds(Duration::ZERO) > self.until.load(Ordering::Relaxed)
    }

    /// It had to end for the number of its steps.
    fn was_long(&self) -> bool {
        self.ticks.load(Ordering::Relaxed) == 0
    }

    /// From `began` until now and a while.
    fn nanoseconds(&self, and: Duration) -> u64 {
        u64::try_from((self.began.elapsed() + and).as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Prompt {
    /// Reads the file at `path`, which need not be there yet.
    pub(super) fn of(path: &Path) -> Self {
        Self(Arc::new(Shared { file: path.to_owned(), idle: Mutex::default(), long: Mutex::default() }))
    }

    /// All rows that a statement finds; `None` if it has to go the other way.
    pub(super) fn rows(&self, sql: &str, values: &SqlxValues) -> Option<Vec<PromptRow>> {
        if locked(&self.0.long).contains(sql) {
            return None;
        }
        let idle = locked(&self.0.idle).pop();
        let counted = idle.or_else(|| Counted::open(&self.0.file).ok())?;
        let found = counted.rows(sql, values);
        match found {
            Ok(rows) => {
                locked(&self.0.idle).push(counted);
                Some(rows)
            }
            Err(error) => {
                if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) {
                    if counted.left.was_long() {
                        self.remember(sql);
                    }
                    locked(&self.0.idle).push(counted);
                }
                None
            }
        }
    }

    /// The statement was long.
    fn remember(&self, sql: &str) {
        let mut long = locked(&self.0.long);
        if long.len() == MOST_LONG {
            long.clear();
        }
        long.insert(sql.to_owned());
    }
}

impl Counted {
    pub(super) fn open(file: &Path) -> rusqlite::Result<Self> {
        // A file in WAL mode cannot be read without writing to its index of readers.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        let left = Arc::new(Left::new());
        let watched = Arc::clone(&left);
        connection.progress_handler(STEPS, Some(move || watched.is_over()))?;
        Ok(Self { connection, left })
    }

    /// A number that is another one as soon as another connection has committed something.
    pub(super) fn data_version(&self) -> rusqlite::Result<i64> {
        self.left.reset();
        self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
    }

    fn rows(&self, sql: &str, values: &SqlxValues) -> rusqlite::Result<Vec<PromptRow>> {
        self.left.reset();
        let mut statement = self.connection.prepare_cached(sql)?;
        for (place, value) in values.0.iter().enumerate() {
            bind(&mut statement, place + 1, value)?;
        }
        let names: Arc<[String]> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut found = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            let values = (0..names.len()).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?;
            found.push(PromptRow { names: Arc::clone(&names), values });
        }
        Ok(found)
    }
}

/// Those values that statements are rendered with here (`Dialect::render` makes texts of times).
fn bind(statement: &mut CachedStatement<'_>, place: usize, value: &sea_query::Value) -> rusqlite::Result<()> {
    use sea_query::Value as Given;
    match value {
        Given::Bool(value) => statement.raw_bind_parameter(place, value),
        Given::Int(value) => statement.raw_bind_parameter(place, value),
        Given::BigInt(value) => statement.raw_bind_parameter(place, value),
        Given::BigUnsigned(Some(value)) => match i64::try_from(*value) {
            Ok(value) => statement.raw_bind_parameter(place, value),
            Err(_) => Err(rusqlite::Error::InvalidParameterCount(place, place)),
        },
        Given::String(value) => statement.raw_bind_parameter(place, value.as_deref()),
        _ => Err(rusqlite::Error::InvalidParameterCount(place, place)),
    }
}

/// A row, with copies of its values.
#[derive(Debug)]
pub(in crate::db::sql) struct PromptRow {
    names: Arc<[String]>,
    values: Vec<Value>,
}

impl PromptRow {
    /// The value of a column.
    pub(in crate::db::sql) fn get<T: FromSql>(&self, column: &str) -> sqlx::Result<T> {
        let place = self.names.iter().position(|name| name == column);
        let value = place
            .and_then(|place| self.values.get(place))
            .ok_or_else(|| sqlx::Error::ColumnNotFound(column.to_owned()))?;
        T::column_result(ValueRef::from(value))
            .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) })
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Both collections are whole after every statement, so a panic elsewhere leaves nothing to distrust.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use sea_query::{Value, Values};
    use sea_query_sqlx::SqlxValues;
    use tempfile::TempDir;

    use super::{Prompt, PromptRow};

    fn file() -> (TempDir, Prompt, rusqlite::Connection) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sqlite");
        let writer = rusqlite::Connection::open(&path).unwrap();
        let table =
            "PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER, x TEXT); INSERT INTO t VALUES (1, 'ä'), (2, NULL)";
        writer.execute_batch(table).unwrap();
        (dir, Prompt::of(&path), writer)
    }

    fn values(values: Vec<Value>) -> SqlxValues {
        SqlxValues(Values(values))
    }

    fn numbers(rows: &[PromptRow]) -> Vec<i64> {
        rows.iter().map(|row| row.get("n").unwrap()).collect()
    }

    #[test]
    fn short_reads_are_answered() {
        let (_dir, prompt, writer) = file();
        let rows = prompt.rows("SELECT n, x FROM t ORDER BY n", &values(vec![])).unwrap();
        assert_eq!(numbers(&rows), [1, 2]);
        assert_eq!(rows[0].get::<String>("x").unwrap(), "ä");
        assert_eq!(rows[1].get::<Option<String>>("x").unwrap(), None);
        assert!(rows[0].get::<String>("y").is_err());
        writer.execute("INSERT INTO t VALUES (3, '')", []).unwrap();
        let found = prompt.rows("SELECT n FROM t WHERE n > ?", &values(vec![Value::BigInt(Some(1))])).unwrap();
        assert_eq!(numbers(&found), [2, 3], "what another has committed");
    }

    #[test]
    fn what_cannot_be_answered_at_once_goes_the_other_way() {
        let (_dir, prompt, _writer) = file();
        let none = values(vec![]);
        assert!(prompt.rows("SELECT n FROM nothing", &none).is_none());
        assert!(prompt.rows("INSERT INTO t VALUES (4, '')", &none).is_none(), "it only reads");
        assert!(prompt.rows("SELECT ?", &values(vec![Value::Float(Some(1.0))])).is_none());
        assert!(prompt.rows("SELECT ?", &values(vec![Value::BigUnsigned(Some(u64::MAX))])).is_none());
        let long = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000) SELECT sum(n) AS n FROM c";
        assert!(prompt.rows(long, &none).is_none());
        assert!(super::locked(&prompt.0.long).contains(long), "it is not tried again");
        // None of that has spoilt the connection for others.
        for _ in 0..100 {
            assert_eq!(numbers(&prompt.rows("SELECT n FROM t ORDER BY n", &none).unwrap()), [1, 2]);
        }
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_found_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sqlite");
        let prompt = Prompt::of(&path);
        assert!(prompt.rows("SELECT 1 AS n", &values(vec![])).is_none());
        assert!(!path.exists(), "nor is it made");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (n)").unwrap();
        assert_eq!(numbers(&prompt.rows("SELECT 1 AS n", &values(vec![])).unwrap()), [1]);
    }
}

//! Reading a SQLite file: short reads at once ([`prompt`]), others on a thread of SQLite's ([`readers`]), and what was read
//! before and is the same still not at all ([`remembered`]).

mod prompt;
mod readers;
mod remembered;

use std::path::Path;

use sea_query_sqlx::SqlxValues;
use sqlx::sqlite::SqlitePool;

use self::prompt::Prompt;
pub(super) use self::prompt::PromptRow;
use self::readers::{Reader, Readers};
pub(super) use self::remembered::{Memory, PageKey, Remembered};
use super::pool::{Row, bound};

/// What reads one file.
#[derive(Debug, Clone)]
pub(super) struct SqliteFile {
    prompt: Prompt,
    readers: Readers,
    remembered: Remembered,
}

/// A session that only reads. It takes a reader when it first needs one.
#[derive(Debug)]
pub(super) struct Reading {
    file: SqliteFile,
    reader: Option<Reader>,
}

impl SqliteFile {
    /// Reads the file at `path`, if it takes long by the connections of `pool`, which are as many as `most`.
    pub(super) fn open(path: &Path, pool: &SqlitePool, most: usize) -> Self {
        let remembered = Remembered::of(path.to_owned());
        Self { prompt: Prompt::of(path), readers: Readers::of(pool, most), remembered }
    }

    /// What was read of it before.
    pub(super) fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// A session.
    pub(super) fn read(&self) -> Reading {
        Reading { file: self.clone(), reader: None }
    }
}

impl Reading {
    /// All rows that a statement finds.
    pub(super) async fn rows(&mut self, sql: String, values: SqlxValues) -> sqlx::Result<Vec<Row>> {
        if let Some(rows) = self.file.prompt.rows(&sql, &values) {
            return Ok(rows.into_iter().map(Row::Prompt).collect());
        }
        // Boxed, as it is large and seldom needed.
        Box::pin(self.long_rows(sql, values)).await
    }

    async fn long_rows(&mut self, sql: String, values: SqlxValues) -> sqlx::Result<Vec<Row>> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(self.file.readers.next().await?),
        };
        let rows = bound(sql, values).fetch_all(reader.begin()?).await?;
        reader.rest();
        Ok(rows.into_iter().map(Row::Sqlite).collect())
    }
}

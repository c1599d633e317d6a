//! The database of one server under test: a file, or a database of the private MariaDB or PostgreSQL, as
//! `GANDER_TEST_DATABASE` says.

use std::path::Path;
use std::sync::Arc;

use testdb::Kind;

use super::skip::skipped;

/// Where a server keeps its records. Clones are the same database, which ends with the last of them.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    url: String,
    plain_url: String,
    server: Option<Arc<testdb::Database>>,
}

impl Database {
    /// The SQLite file of this name.
    pub(crate) fn file(path: &Path) -> Self {
        let path = path.display();
        Self { url: format!("sqlite:///{path}"), plain_url: format!("sqlite://{path}"), server: None }
    }

    /// A new and empty database of the kind that the tests run on; a file would be `path`.
    pub(crate) fn chosen(path: &Path) -> Self {
        match Kind::chosen() {
            Kind::Sqlite => Self::file(path),
            kind => Self::of(testdb::Database::create(kind).unwrap()),
        }
    }

    /// A new and empty database of this server; `None`, and the test is skipped, where it is not installed.
    pub(crate) fn of_server(kind: Kind) -> Option<Self> {
        or_skipped(kind, testdb::Database::create(kind)).map(Self::of)
    }

    /// As [`Database::of_server`], in a server of its own; with TLS if that is wanted.
    pub(crate) fn alone(kind: Kind, tls: bool) -> Option<Self> {
        or_skipped(kind, testdb::Database::alone(kind, tls)).map(Self::of)
    }

    fn of(database: testdb::Database) -> Self {
        Self { url: database.url(), plain_url: database.plain_url(), server: Some(Arc::new(database)) }
    }

    /// As it is written into configuration files.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// As our own driver wants it.
    pub(super) fn plain_url(&self) -> &str {
        &self.plain_url
    }

    pub(crate) fn kind(&self) -> Kind {
        self.server.as_ref().map_or(Kind::Sqlite, |server| server.kind())
    }

    /// A new and empty database of this kind; a file would be `path`. As [`Database::of_server`].
    pub(crate) fn of_kind(kind: Kind, path: &Path) -> Option<Self> {
        if kind == Kind::Sqlite { Some(Self::file(path)) } else { Self::of_server(kind) }
    }

    /// The database of a server that this is.
    pub(crate) fn server(&self) -> &testdb::Database {
        self.server.as_ref().unwrap()
    }
}

/// `None`, which is told, where there is no such server.
fn or_skipped(kind: Kind, created: std::io::Result<testdb::Database>) -> Option<testdb::Database> {
    match created {
        Ok(database) => Some(database),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skipped(&format!("{}: {error}", kind.as_str()));
            None
        }
        Err(error) => panic!("{}: {error}", kind.as_str()),
    }
}

/// Whether the tests run on SQLite. For tests of what other databases do not have; `why` says what that is.
pub(crate) fn on_sqlite(why: &str) -> bool {
    let sqlite = Kind::chosen() == Kind::Sqlite;
    if !sqlite {
        println!("nothing to test on {}: {why}", Kind::chosen().as_str());
    }
    sqlite
}

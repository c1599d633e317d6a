//! MariaDB and PostgreSQL, whatever database the other tests run on: what only they can do, and what must be the same on all.

mod catalog;
mod faults;
mod manage;
mod schema;
mod tls;
mod urls;
mod values;

use testdb::Kind;

use crate::harness::{Database, Outcome, execute};

const ALL: [Kind; 3] = [Kind::Sqlite, Kind::Mysql, Kind::Postgresql];
const SERVERS: [Kind; 2] = [Kind::Mysql, Kind::Postgresql];

/// Our own `glance-manage`.
fn manage(database: &Database, words: &str) -> Outcome {
    execute(&format!("bin/glance-manage '--sql-connection={}' {words}", database.url()))
}

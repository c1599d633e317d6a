//! The text that creates tables. Written here and not by sea-query, whose types and keys for SQLite
//! (`datetime_text`, AUTOINCREMENT) are not those that Glance's migrations make.

use super::{ALEMBIC_VERSION, Checked, Column, Default, Kind, TABLES, Table};
use crate::db::sql::dialect::{Dialect, VISIBILITY_TYPE};

const VISIBILITIES: &str = "'private', 'public', 'shared', 'community'";

/// Creates every table, without the row of the revision.
pub(super) fn all(dialect: Dialect) -> String {
    let mut sql = String::new();
    if dialect == Dialect::Postgres {
        sql += &format!("CREATE TYPE {VISIBILITY_TYPE} AS ENUM ({VISIBILITIES});\n");
    }
    sql += &alembic_version(dialect);
    sql + &TABLES.iter().copied().flatten().map(|table| create(dialect, table)).collect::<String>()
}

/// Creates just the tables that 2024.1 added.
pub(super) fn added_in_2024_1(dialect: Dialect) -> String {
    super::cache::TABLES.iter().map(|table| create(dialect, table)).collect()
}

/// Creates alembic's table, which may be there already.
pub(super) fn alembic_version(dialect: Dialect) -> String {
    create(dialect, &ALEMBIC_VERSION).replacen("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1)
}

fn create(dialect: Dialect, table: &Table) -> String {
    let mut parts: Vec<String> = table.columns.iter().map(|each| column(dialect, each)).collect();
    parts.push(format!(
        "{}PRIMARY KEY ({})",
        primary_key_name(dialect, table),
        quoted_list(dialect, table.primary_key)
    ));
    for (column, parent, key) in table.foreign_keys {
        parts.push(format!("FOREIGN KEY ({column}) REFERENCES {parent} ({key})"));
    }
    for (name, columns) in table.uniques {
        parts.push(format!("CONSTRAINT {name} UNIQUE ({})", quoted_list(dialect, columns)));
    }
    for (place, each) in table.columns.iter().filter(|each| is_checked(dialect, each)).enumerate() {
        parts.push(format!("{}CHECK ({} IN (0, 1))", check_name(dialect, table, place), each.name));
    }
    // alembic leaves its own table to the database's defaults.
    let options = match dialect {
        Dialect::Mysql if table.name != ALEMBIC_VERSION.name => {
            " ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci"
        }
        _ => "",
    };
    let mut sql = format!("CREATE TABLE {} (\n  {}\n){options};\n", table.name, parts.join(",\n  "));
    for (name, columns) in table.indexes {
        sql += &format!("CREATE INDEX {name} ON {} ({});\n", table.name, quoted_list(dialect, columns));
    }
    sql
}

fn column(dialect: Dialect, column: &Column) -> String {
    let mut sql = format!("{} {}", quoted(dialect, column.name), kind(dialect, column.kind));
    match column.default {
        None => {}
        Some(Default::False) if dialect == Dialect::Postgres => sql += " DEFAULT false",
        Some(Default::False) => sql += " DEFAULT 0",
        Some(Default::Text(text)) => sql += &format!(" DEFAULT '{text}'"),
    }
    if !column.nullable {
        sql += " NOT NULL";
    }
    if dialect == Dialect::Mysql && matches!(column.kind, Kind::Auto | Kind::BigAuto) {
        sql += " AUTO_INCREMENT";
    }
    sql
}

fn kind(dialect: Dialect, kind: Kind) -> String {
    let words: [&str; 3] = match kind {
        Kind::S(length) => return format!("VARCHAR({length})"),
        Kind::Text => ["TEXT", "TEXT", "TEXT"],
        Kind::Int => ["INTEGER", "INTEGER", "INTEGER"],
        Kind::Big => ["INTEGER", "BIGINT", "BIGINT"],
        Kind::BigNamed => ["BIGINT", "BIGINT", "BIGINT"],
        Kind::Bool => ["BOOLEAN", "BOOLEAN", "BOOL"],
        Kind::Time => ["DATETIME", "TIMESTAMP WITHOUT TIME ZONE", "DATETIME"],
        Kind::Auto => ["INTEGER", "SERIAL", "INTEGER"],
        Kind::BigAuto => ["INTEGER", "BIGSERIAL", "BIGINT"],
        Kind::Visibility if dialect == Dialect::Mysql => return format!("ENUM({VISIBILITIES})"),
        Kind::Visibility => ["VARCHAR(9)", VISIBILITY_TYPE, ""],
    };
    let [sqlite, postgres, mysql] = words;
    match dialect {
        Dialect::Sqlite => sqlite,
        Dialect::Postgres => postgres,
        Dialect::Mysql => mysql,
    }
    .to_owned()
}

fn is_checked(dialect: Dialect, column: &Column) -> bool {
    match column.checked {
        Checked::Nowhere => false,
        Checked::OnMysql => dialect == Dialect::Mysql,
        Checked::Emulated => dialect != Dialect::Postgres,
    }
}

/// MySQL counts the checks of a table; the first of `images` was that of a column which Glance has dropped.
fn check_name(dialect: Dialect, table: &Table, place: usize) -> String {
    if dialect == Dialect::Mysql && table.name == "images" {
        format!("CONSTRAINT CONSTRAINT_{} ", place + 2)
    } else {
        String::new()
    }
}

fn primary_key_name(dialect: Dialect, table: &Table) -> &'static str {
    // Everywhere else the databases' own names are the right ones.
    if dialect == Dialect::Postgres && table.name == ALEMBIC_VERSION.name {
        "CONSTRAINT alembic_version_pkc "
    } else {
        ""
    }
}

/// `namespace`, `type`, `required` and the like are words of some dialect.
fn quoted(dialect: Dialect, name: &str) -> String {
    let mark = if dialect == Dialect::Mysql { '`' } else { '"' };
    format!("{mark}{name}{mark}")
}

fn quoted_list(dialect: Dialect, names: &[&str]) -> String {
    names.iter().map(|name| quoted(dialect, name)).collect::<Vec<_>>().join(", ")
}

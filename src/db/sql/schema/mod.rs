//! Glance's schema (database §2–3): described once as data, rendered per dialect, created in one go.

mod cache;
mod ddl;
mod images;
mod metadefs;
mod revision;
mod tasks;

pub(crate) use revision::{EXPAND_HEAD, HEAD, Report, SchemaError};
pub(super) use revision::{expand, found, migrate, record};

/// Type of a column, in the notation of database §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text of at most so many characters.
    S(u16),
    Text,
    Int,
    Big,
    /// [`Kind::Big`] whose name SQLite keeps.
    BigNamed,
    Bool,
    Time,
    /// Key that the database counts up.
    Auto,
    /// [`Kind::Auto`] of eight bytes.
    BigAuto,
    Visibility,
}

/// A column.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    kind: Kind,
    nullable: bool,
    /// Server default.
    default: Option<Default>,
    /// A boolean whose CHECK the migrations made.
    checked: Checked,
}

/// Server default of a column.
#[derive(Debug, Clone, Copy)]
enum Default {
    False,
    Text(&'static str),
}

/// Where a boolean is held to 0 and 1 by a CHECK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checked {
    Nowhere,
    /// MySQL only: SQLite's table was rebuilt without it.
    OnMysql,
    /// MySQL and SQLite; PostgreSQL has a boolean type.
    Emulated,
}

impl Column {
    /// A column that must have a value.
    const fn needed(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: false, default: None, checked: Checked::Nowhere }
    }

    /// A column that may be null.
    const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { nullable: true, ..Self::needed(name, kind) }
    }

    const fn or(self, default: Default) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn checked(self, checked: Checked) -> Self {
        Self { checked, ..self }
    }
}

/// A table with its keys and indexes.
#[derive(Debug)]
struct Table {
    name: &'static str,
    columns: &'static [Column],
    primary_key: &'static [&'static str],
    /// Name and columns of unique constraints.
    uniques: &'static [(&'static str, &'static [&'static str])],
    /// Column and the table whose `id`-like key it holds, as (column, table, key).
    foreign_keys: &'static [(&'static str, &'static str, &'static str)],
    /// Name and columns of plain indexes.
    indexes: &'static [(&'static str, &'static [&'static str])],
}

const CREATED_AT: Column = Column::needed("created_at", Kind::Time);
const UPDATED_AT: Column = Column::optional("updated_at", Kind::Time);
const DELETED_AT: Column = Column::optional("deleted_at", Kind::Time);
const DELETED: Column = Column::needed("deleted", Kind::Bool).checked(Checked::Emulated);

/// Every table but alembic's own, parents first.
const TABLES: [&[Table]; 4] = [&images::TABLES, &tasks::TABLES, &metadefs::TABLES, &cache::TABLES];

/// The table of alembic, which holds the revision.
const ALEMBIC_VERSION: Table = Table {
    name: "alembic_version",
    columns: &[Column::needed("version_num", Kind::S(32))],
    primary_key: &["version_num"],
    uniques: &[],
    foreign_keys: &[],
    indexes: &[],
};

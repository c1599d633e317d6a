//! What differs between SQLite, PostgreSQL and MySQL in statements: the only place, beside the schema, that knows.

use sea_query::{
    Expr, ExprTrait, MysqlQueryBuilder, PostgresQueryBuilder, Query, SelectStatement, SqliteQueryBuilder, Value,
};
use sea_query_sqlx::{SqlxBinder, SqlxValues};

use crate::model::{SortDir, Visibility};

/// How SQLAlchemy writes times into SQLite: always with six digits of the second (database §2).
const SQLITE_TIME: &str = "%Y-%m-%d %H:%M:%S%.6f";
/// Name of PostgreSQL's type of `images.visibility`.
pub(super) const VISIBILITY_TYPE: &str = "image_visibility";

/// Characters of a long text that are kept in an index.
const KEY_LENGTH: usize = 128;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
    Mysql,
}

impl Dialect {
    /// The text of a statement and the values it is to be sent with.
    pub(super) fn render(self, statement: &impl SqlxBinder) -> (String, SqlxValues) {
        match self {
            Self::Postgres => statement.build_sqlx(PostgresQueryBuilder),
            Self::Mysql => statement.build_sqlx(MysqlQueryBuilder),
            Self::Sqlite => {
                let (sql, mut values) = statement.build_sqlx(SqliteQueryBuilder);
                for value in &mut values.0.0 {
                    if let Value::ChronoDateTime(Some(time)) = value {
                        *value = time.format(SQLITE_TIME).to_string().into();
                    }
                }
                (sql, values)
            }
        }
    }

    /// The text of a statement with its values, none of which may come from outside.
    pub(super) fn spelled_out(self, statement: &SelectStatement) -> String {
        match self {
            Self::Sqlite => statement.to_string(SqliteQueryBuilder),
            Self::Postgres => statement.to_string(PostgresQueryBuilder),
            Self::Mysql => statement.to_string(MysqlQueryBuilder),
        }
    }

    /// Whether NULLs come before all else in an order.
    pub(super) fn nulls_first(self, dir: SortDir) -> bool {
        (self == Self::Postgres) == (dir == SortDir::Desc)
    }

    /// The value of a column that no index is to be chosen for. SQLite takes every `=` for a sign that few rows are left,
    /// and would rather sort these than walk in order until a page is full.
    pub(super) fn unindexed(self, column: Expr) -> Expr {
        if self == Self::Sqlite { Expr::cust_with_expr("+?", column) } else { column }
    }

    /// The text of a column, compared as it is: MySQL else takes case, accents and spaces at the end for nothing.
    pub(super) fn bytewise(self, column: Expr) -> Expr {
        if self == Self::Mysql { Expr::cust_with_expr("BINARY ?", column) } else { column }
    }

    /// The column holds just this text. MySQL finds by its indexes what is about the same, and then looks at each byte.
    pub(super) fn is_just(self, column: &'static str, text: &str) -> Expr {
        let same = Expr::col(column).eq(text);
        if self == Self::Mysql { same.and(self.bytewise(Expr::col(column)).eq(text)) } else { same }
    }

    /// A sum as a whole number of 64 bits; PostgreSQL and MySQL else make decimals of it.
    pub(super) fn whole(self, sum: Expr) -> Expr {
        match self {
            Self::Sqlite => sum,
            Self::Postgres => sum.cast_as("bigint"),
            Self::Mysql => sum.cast_as("signed"),
        }
    }

    /// Lists the tables of the database, as column `name`.
    pub(super) fn table_names(self) -> SelectStatement {
        let mut select = Query::select();
        match self {
            Self::Sqlite => select.column("name").from("sqlite_master").and_where(Expr::col("type").eq("table")),
            Self::Postgres => select
                .expr_as(Expr::col("tablename"), "name")
                .from(("pg_catalog", "pg_tables"))
                .and_where(Expr::col("schemaname").eq(Expr::cust("current_schema()"))),
            Self::Mysql => select
                .expr_as(Expr::col("table_name"), "name")
                .from(("information_schema", "tables"))
                .and_where(Expr::col("table_schema").eq(Expr::cust("DATABASE()"))),
        };
        select
    }

    /// Lists the indexes of the database, as column `name`.
    pub(super) fn index_names(self) -> SelectStatement {
        let mut select = Query::select();
        match self {
            Self::Sqlite => select.column("name").from("sqlite_master").and_where(Expr::col("type").eq("index")),
            Self::Postgres => select
                .expr_as(Expr::col("indexname"), "name")
                .from(("pg_catalog", "pg_indexes"))
                .and_where(Expr::col("schemaname").eq(Expr::cust("current_schema()"))),
            Self::Mysql => select
                .distinct()
                .expr_as(Expr::col("index_name"), "name")
                .from(("information_schema", "statistics"))
                .and_where(Expr::col("table_schema").eq(Expr::cust("DATABASE()"))),
        };
        select
    }

    /// What an index of long texts holds of them: PostgreSQL refuses rows whose key is longer than a page of it holds,
    /// and MySQL wants the length.
    pub(super) fn long_text_key(self, column: &str) -> String {
        match self {
            Self::Sqlite => column.to_owned(),
            Self::Postgres => format!("\"left\"({column}, {KEY_LENGTH})"),
            Self::Mysql => format!("{column}({KEY_LENGTH})"),
        }
    }

    /// Whether rows cost so much more than values that several are rather [`Dialect::packed`] into one.
    pub(super) fn packs(self) -> bool {
        self == Self::Sqlite
    }

    /// The rows of a statement in one value, JSON of their `columns`, for a dialect that packs.
    pub(super) fn packed(self, columns: &[&str]) -> Expr {
        Expr::cust(format!("json_group_array(json_array({}))", columns.join(", ")))
    }

    /// The column holds this text, in words that find it by [`Dialect::long_text_key`].
    pub(super) fn has_long_text(self, column: &'static str, text: &str) -> Expr {
        let whole = Expr::col(column).eq(text);
        if self != Self::Postgres {
            return whole;
        }
        let key: String = text.chars().take(KEY_LENGTH).collect();
        Expr::cust(self.long_text_key(column)).eq(key).and(whole)
    }
}

/// The visibility as a value: PostgreSQL compares and assigns it only as its own type.
pub(super) fn visibility(visibility: Visibility) -> Expr {
    Expr::val(visibility.as_str()).as_enum(VISIBILITY_TYPE)
}

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

    /// Whether NULLs come before all else in an order.
    pub(super) fn nulls_first(self, dir: SortDir) -> bool {
        (self == Self::Postgres) == (dir == SortDir::Desc)
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
}

/// The visibility as a value: PostgreSQL compares and assigns it only as its own type.
pub(super) fn visibility(visibility: Visibility) -> Expr {
    Expr::val(visibility.as_str()).as_enum(VISIBILITY_TYPE)
}

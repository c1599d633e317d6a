//! Small words of which the statements are made.

use chrono::{NaiveDateTime, SubsecRound, Utc};
use sea_query::{Expr, ExprTrait, InsertStatement, Query, UpdateStatement};

use crate::model::ImageId;

/// The time that rows are written with: UTC, microseconds, by our clock and never the database's (database §4.1).
pub(super) fn now() -> NaiveDateTime {
    Utc::now().naive_utc().trunc_subsecs(6)
}

/// The row is not deleted. Not written as `deleted = false`: SQLite, which has no statistics of Glance's tables, takes
/// the index of any column that is compared by `=`, and nearly all rows are alike in this one.
pub(super) fn live() -> Expr {
    Expr::col("deleted").ne(true)
}

/// A column of `images`, where a statement reads other tables, too.
pub(super) fn of_image(column: &'static str) -> Expr {
    Expr::col(("images", column))
}

/// No size in the database is larger than what a signed number holds.
pub(super) fn big(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// One new row.
pub(super) fn insert<const N: usize>(table: &'static str, cells: [(&'static str, Expr); N]) -> InsertStatement {
    let (columns, values): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
    Query::insert().into_table(table).columns(columns).values_panic(values).take()
}

/// One new row of a child of an image, with the columns that all of them have.
pub(super) fn insert_child<const N: usize>(
    table: &'static str,
    image: &ImageId,
    now: NaiveDateTime,
    cells: [(&'static str, Expr); N],
) -> InsertStatement {
    let common = [
        ("image_id", image.as_str().into()),
        ("created_at", now.into()),
        ("updated_at", now.into()),
        ("deleted", false.into()),
    ];
    let (columns, values): (Vec<_>, Vec<_>) = common.into_iter().chain(cells).unzip();
    Query::insert().into_table(table).columns(columns).values_panic(values).take()
}

/// Marks the live children of an image deleted (database §4.3).
pub(super) fn soft_delete_children(table: &'static str, image: &ImageId, now: NaiveDateTime) -> UpdateStatement {
    Query::update()
        .table(table)
        .value("deleted", true)
        .value("deleted_at", now)
        .and_where(Expr::col("image_id").eq(image.as_str()))
        .and_where(live())
        .take()
}

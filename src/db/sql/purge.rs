//! Physical removal of rows that were marked deleted long ago (database §10.3).

use chrono::{Duration, NaiveDateTime};
use sea_query::{DeleteStatement, Expr, ExprTrait, Order, Query};

use super::Sql;
use super::error::Fault;
use super::pool::Session;
use super::statement::now;
use crate::db::Result;

/// Children first, so that no row loses its parent. `task_info` has no time of its own: it goes with its task.
const TABLES: [&str; 5] = ["image_properties", "image_tags", "image_locations", "image_members", "tasks"];

/// What to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purge {
    /// Rows deleted longer ago than this many days.
    pub(crate) age_in_days: u32,
    /// At most so many of each table; `None`: all.
    pub(crate) max_rows: Option<u32>,
    /// Just `images` (whose ids must stay taken for long), or everything else.
    pub(crate) images: bool,
}

/// How many rows of which table were removed.
pub(crate) type Purged = Vec<(&'static str, u64)>;

impl Sql {
    /// Removes old rows. Revived rows stay, whatever `deleted_at` another writer left in them.
    pub(crate) async fn purge(&self, purge: Purge) -> Result<Purged> {
        let before = now() - Duration::days(i64::from(purge.age_in_days));
        self.retry
            .tried(|| async {
                let mut session = self.pool.begin().await?;
                let purged = run(&mut session, purge, before).await?;
                session.commit().await?;
                Ok(purged)
            })
            .await
    }
}

async fn run(session: &mut Session, purge: Purge, before: NaiveDateTime) -> std::result::Result<Purged, Fault> {
    if purge.images {
        return Ok(vec![("images", session.execute(&delete("images", "id", "images", purge, before)).await?)]);
    }
    let mut purged =
        vec![("task_info", session.execute(&delete("task_info", "task_id", "tasks", purge, before)).await?)];
    for table in TABLES {
        purged.push((table, session.execute(&delete(table, "id", table, purge, before)).await?));
    }
    Ok(purged)
}

/// Deletes the rows of `table` whose `key` is the id of an old row of `of`, oldest first.
/// The ids are two levels deep because MySQL takes no limit inside `IN`.
fn delete(
    table: &'static str,
    key: &'static str,
    of: &'static str,
    purge: Purge,
    before: NaiveDateTime,
) -> DeleteStatement {
    let mut old = Query::select();
    old.column("id")
        .from(of)
        .and_where(Expr::col("deleted").eq(true))
        .and_where(Expr::col("deleted_at").lt(before))
        .order_by("deleted_at", Order::Asc)
        .order_by("id", Order::Asc);
    if let Some(rows) = purge.max_rows {
        old.limit(u64::from(rows));
    }
    let ids = Query::select().column("id").from_subquery(old, "old").take();
    Query::delete().from_table(table).and_where(Expr::col(key).in_subquery(ids)).take()
}

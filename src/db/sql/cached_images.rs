//! What nodes have in their caches (database §3.8). A node writes only the rows that bear its own name.

use chrono::{DateTime, NaiveDateTime};
use sea_query::{Expr, ExprTrait, InsertStatement, OnConflict, Order, Query, SelectStatement};
use tokio::time::{Instant, timeout_at};

use super::Sql;
use super::error::Fault;
use super::pool::{Row, Session};
use super::statement::{big, insert};
use crate::db::{Error, Result};
use crate::model::{CachedImage, ImageId, Uses};

/// Rows that one statement names, so that no database finds it too long.
const AT_ONCE: usize = 500;

/// The rows of one node.
#[derive(Debug, Clone)]
pub(crate) struct CachedOnNode {
    sql: Sql,
    node: String,
}

impl Sql {
    /// The rows of the node of this name, which is where others reach it.
    pub(crate) fn cached_on(&self, node: String) -> CachedOnNode {
        CachedOnNode { sql: self.clone(), node }
    }
}

impl CachedOnNode {
    /// Makes the node known, which it has to be before it has rows.
    pub(crate) async fn register(&self) -> Result<()> {
        let known = OnConflict::column("node_reference_url").do_nothing_on(["node_reference_id"]).to_owned();
        let register =
            insert("node_reference", [("node_reference_url", self.node.as_str().into())]).on_conflict(known).take();
        self.sql
            .retry
            .tried(|| async {
                // A refused row would take a number on some databases.
                if self.sql.pool.read().await?.row(&self.number()).await?.is_some() {
                    return Ok(());
                }
                let mut session = self.sql.pool.begin().await?;
                session.execute(&register).await?;
                session.commit().await
            })
            .await
    }

    /// All rows, ordered by image id.
    pub(crate) async fn all(&self) -> Result<Vec<CachedImage>> {
        let columns = ["id", "image_id", "hits", "last_accessed", "last_modified", "size"];
        let query = Query::select()
            .columns(columns)
            .from("cached_images")
            .and_where(self.own())
            .order_by("image_id", Order::Asc)
            .take();
        let read = || async { self.sql.pool.read().await?.rows(&query).await?.iter().map(cached_image).collect() };
        let found: Vec<Option<CachedImage>> = self.sql.retry.tried(read).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The ids in all rows, as they are.
    pub(crate) async fn ids(&self) -> Result<Vec<String>> {
        let query = Query::select().column("image_id").from("cached_images").and_where(self.own()).take();
        self.texts(&query, "image_id").await
    }

    /// The names of all nodes that have a row of this image.
    pub(crate) async fn nodes_with(&self, id: &ImageId) -> Result<Vec<String>> {
        let theirs = Expr::col(("cached_images", "node_reference_id")).equals(("node_reference", "node_reference_id"));
        let query = Query::select()
            .column("node_reference_url")
            .from("node_reference")
            .inner_join("cached_images", theirs)
            .and_where(Expr::col("image_id").eq(id.as_str()))
            .order_by("node_reference_url", Order::Asc)
            .take();
        self.texts(&query, "node_reference_url").await
    }

    /// Writes nothing, as other changes do: shows whether these would be taken.
    pub(crate) async fn try_changing(&self) -> Result<()> {
        // No image has this id.
        self.change(&[], &[String::new()]).await
    }

    /// Puts rows, in the place of those of the same images, and removes others; all of it or nothing.
    pub(crate) async fn change(&self, put: &[CachedImage], remove: &[String]) -> Result<()> {
        self.sql
            .retry
            .tried(|| async {
                let mut session = self.sql.pool.begin().await?;
                for images in put.chunks(AT_ONCE) {
                    session.execute(&self.put(images)).await?;
                }
                for ids in remove.chunks(AT_ONCE) {
                    let ids = ids.iter().map(String::as_str);
                    let gone = Expr::col("image_id").is_in(ids).and(self.own());
                    session.execute(&Query::delete().from_table("cached_images").and_where(gone).take()).await?;
                }
                session.commit().await
            })
            .await
    }

    /// Adds uses to the rows of images; those without a row are left out. An error says that none was added: what may have
    /// been counts as done, as hits that count twice are worse than hits that do not. Begins nothing new after `deadline`.
    pub(crate) async fn used(&self, batch: &[(ImageId, Uses)], deadline: Instant) -> Result<()> {
        // Servers of one node that do so at the same time must not wait for each other in a circle.
        let mut batch = batch.to_vec();
        batch.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.sql
            .retry
            .tried(|| async {
                // Undone when it is given up.
                let session = timeout_at(deadline, self.add(&batch)).await.map_err(|_| busy())??;
                match session.commit().await {
                    Err(Fault::Uncertain(error)) => {
                        tracing::warn!("hits of cached images may not be counted: {error}");
                        Ok(())
                    }
                    committed => committed,
                }
            })
            .await
    }

    /// A transaction in which the uses are added.
    async fn add(&self, batch: &[(ImageId, Uses)]) -> std::result::Result<Session, Fault> {
        let mut session = self.sql.pool.begin().await?;
        for (id, uses) in batch {
            let at = time(uses.last_accessed);
            let latest = Expr::case(Expr::col("last_accessed").lt(at), at).finally(Expr::col("last_accessed"));
            let change = Query::update()
                .table("cached_images")
                .value("hits", Expr::col("hits").add(int(uses.hits)))
                .value("last_accessed", latest)
                .and_where(Expr::col("image_id").eq(id.as_str()))
                .and_where(self.own())
                .take();
            session.execute(&change).await?;
        }
        Ok(session)
    }

    fn put(&self, images: &[CachedImage]) -> InsertStatement {
        let values = ["last_accessed", "last_modified", "size", "hits"];
        let mut put = Query::insert()
            .into_table("cached_images")
            .columns(["image_id", "node_reference_id"].into_iter().chain(values))
            .take();
        for image in images {
            put.values_panic([
                image.image_id.as_str().into(),
                value_of(self.number()),
                time(image.last_accessed).into(),
                time(image.last_modified).into(),
                big(image.size).into(),
                int(image.hits).into(),
            ]);
        }
        put.on_conflict(OnConflict::columns(["image_id", "node_reference_id"]).update_columns(values).to_owned()).take()
    }

    /// Selects the number of the node.
    fn number(&self) -> SelectStatement {
        Query::select()
            .column("node_reference_id")
            .from("node_reference")
            .and_where(Expr::col("node_reference_url").eq(self.node.as_str()))
            .take()
    }

    /// The row is the node's.
    fn own(&self) -> Expr {
        Expr::col("node_reference_id").eq(value_of(self.number()))
    }

    async fn texts(&self, query: &SelectStatement, column: &str) -> Result<Vec<String>> {
        let read = || async {
            let rows = self.sql.pool.read().await?.rows(query).await?;
            rows.iter().map(|row| Ok(row.get(column)?)).collect()
        };
        self.sql.retry.tried(read).await
    }
}

fn busy() -> Fault {
    Error::Unavailable(": the database did not answer in time".to_owned()).into()
}

/// The only value of the only row that a query finds.
fn value_of(query: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(query.into()))
}

/// The row, unless what it names is no image id.
fn cached_image(row: &Row) -> std::result::Result<Option<CachedImage>, Fault> {
    let Some(image_id) = ImageId::parse(&row.get::<String>("image_id")?) else { return Ok(None) };
    let number = |column: &str| -> sqlx::Result<u64> { Ok(u64::try_from(row.get::<i64>(column)?).unwrap_or(0)) };
    let seconds = |column: &str| row.get(column).map(seconds);
    Ok(Some(CachedImage {
        image_id,
        hits: number("hits")?,
        last_accessed: seconds("last_accessed")?,
        last_modified: seconds("last_modified")?,
        size: number("size")?,
        row: Some(row.get("id")?),
    }))
}

/// Seconds since 1970 as a time of the database; what that cannot hold is 1970.
fn time(seconds: f64) -> NaiveDateTime {
    DateTime::from_timestamp_micros((seconds * 1e6).round() as i64).unwrap_or_default().naive_utc()
}

/// In seconds since 1970. Added up as Glance does it, so that both tell the same number.
fn seconds(time: NaiveDateTime) -> f64 {
    let time = time.and_utc();
    time.timestamp() as f64 + f64::from(time.timestamp_subsec_micros()) / 1e6
}

/// No count in the database is larger than what a signed number of 32 bits holds.
fn int(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

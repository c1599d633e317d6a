//! The suite of the metadata seam, on SQLite in memory and in files, or on a server (`GANDER_TEST_DATABASE`).

mod cached_images;
mod concurrency;
mod filters;
mod images;
mod listing;
mod members;
mod paging;
mod plans;
mod remembered;
mod schema;
mod usage;
mod visibility;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{Duration, SubsecRound, Utc};
use sea_query::{Expr, ExprTrait, Query};
use sea_query_sqlx::SqlxBinder;
use tempfile::TempDir;
use testdb::Kind;

use super::dialect::Dialect;
use super::pool::Row;
use super::{PageLimits, Settings, Sql};
use crate::db::Metadata;
use crate::model::{Context, Image, ImageFields, ImageId, ImageQuery};

/// A database with the schema, and what it lives in.
pub(super) struct Bed {
    pub(super) sql: Sql,
    pub(super) settings: Settings,
    /// Images that were added.
    count: AtomicI64,
    _home: Home,
}

/// Where a database lives, and ends.
#[derive(Default)]
pub(super) struct Home {
    _directory: Option<TempDir>,
    _server: Option<testdb::Database>,
}

impl std::ops::Deref for Bed {
    type Target = Sql;

    fn deref(&self) -> &Sql {
        &self.sql
    }
}

/// Databases of each kind that `GANDER_TEST_DATABASE` chooses: the last is one that other processes could use as well.
pub(super) async fn beds() -> Vec<Bed> {
    let mut beds = vec![common_bed().await];
    if is_sqlite() {
        beds.insert(0, bed("sqlite://", Home::default()).await);
    }
    beds
}

/// A database that other processes could use as well.
pub(super) async fn common_bed() -> Bed {
    let (url, home) = empty();
    bed(&url, home).await
}

/// A database without a table.
pub(super) fn empty() -> (String, Home) {
    if is_sqlite() {
        let dir = tempfile::tempdir().unwrap();
        (format!("sqlite:///{}/glance.sqlite", dir.path().display()), Home { _directory: Some(dir), _server: None })
    } else {
        let database = testdb::Database::create(Kind::chosen()).unwrap();
        (database.url(), Home { _directory: None, _server: Some(database) })
    }
}

/// Whether the tests run on SQLite. Some are about nothing else: its plans, its files, its account of a schema.
pub(super) fn is_sqlite() -> bool {
    Kind::chosen() == Kind::Sqlite
}

async fn bed(url: &str, home: Home) -> Bed {
    let settings = Settings { page: PageLimits { default: 25, max: 50 }, ..Settings::new(url) };
    let sql = Sql::connect(&settings).unwrap();
    sql.sync_schema().await.unwrap();
    Bed { sql, settings, count: AtomicI64::new(0), _home: home }
}

impl Bed {
    /// Adds an image as `ctx`. MySQL tells whole seconds only: there each image is a second older than those after it.
    pub(super) async fn add(&self, ctx: &Context, fields: ImageFields) -> Image {
        let mut image = self.image_insert(ctx, fields).await.unwrap();
        if self.pool.dialect() == Dialect::Mysql {
            let age = Duration::seconds(10_000 - self.count.fetch_add(1, Ordering::Relaxed));
            image.created_at = (Utc::now().naive_utc() - age).trunc_subsecs(0);
            let older = Query::update()
                .table("images")
                .value("created_at", image.created_at)
                .and_where(Expr::col("id").eq(image.id.as_str()))
                .take();
            let mut session = self.pool.begin().await.unwrap();
            session.execute(&older).await.unwrap();
            session.commit().await.unwrap();
        }
        image
    }

    /// Names of the listed images, in order.
    pub(super) async fn names(&self, ctx: &Context, query: &ImageQuery) -> Vec<String> {
        let images = self.image_find(ctx, query).await.unwrap();
        images.into_iter().map(|image| image.name.unwrap_or_default()).collect()
    }

    /// What is really in the tables.
    pub(super) async fn rows(&self, query: &impl SqlxBinder) -> Vec<Row> {
        self.pool.read().await.unwrap().rows(query).await.unwrap()
    }
}

pub(super) fn admin() -> Context {
    Context { is_admin: true, owner_is_tenant: true, ..Context::default() }
}

pub(super) fn tenant(name: &str) -> Context {
    Context { tenant: Some(name.to_owned()), owner_is_tenant: true, ..Context::default() }
}

pub(super) fn anonymous() -> Context {
    Context { read_only: true, owner_is_tenant: true, ..Context::default() }
}

/// Fields of a valid image.
pub(super) fn named(name: &str) -> ImageFields {
    ImageFields {
        name: Some(Some(name.to_owned())),
        disk_format: Some(Some("raw".to_owned())),
        container_format: Some(Some("bare".to_owned())),
        ..ImageFields::default()
    }
}

pub(super) fn properties(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, Option<String>>> {
    Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect())
}

pub(super) fn unknown_id() -> ImageId {
    ImageId::parse("00000000-0000-4000-8000-000000000000").unwrap()
}

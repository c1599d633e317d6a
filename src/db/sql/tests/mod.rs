//! The suite of the metadata seam, on SQLite in memory and in files.

mod concurrency;
mod filters;
mod images;
mod listing;
mod members;
mod paging;
mod plans;
mod schema;
mod visibility;

use std::collections::BTreeMap;

use sea_query_sqlx::SqlxBinder;
use tempfile::TempDir;

use super::pool::Row;
use super::{PageLimits, Settings, Sql};
use crate::db::Metadata;
use crate::model::{Context, Image, ImageFields, ImageId, ImageQuery};

/// A database with the schema, and the directory it lives in.
pub(super) struct Bed {
    pub(super) sql: Sql,
    pub(super) settings: Settings,
    _dir: Option<TempDir>,
}

impl std::ops::Deref for Bed {
    type Target = Sql;

    fn deref(&self) -> &Sql {
        &self.sql
    }
}

/// One database of each kind.
pub(super) async fn beds() -> [Bed; 2] {
    let dir = tempfile::tempdir().unwrap();
    let file = format!("sqlite:///{}/glance.sqlite", dir.path().display());
    [bed("sqlite://", None).await, bed(&file, Some(dir)).await]
}

async fn bed(url: &str, dir: Option<TempDir>) -> Bed {
    let settings = Settings { page: PageLimits { default: 25, max: 50 }, ..Settings::new(url) };
    let sql = Sql::connect(&settings).unwrap();
    sql.sync_schema().await.unwrap();
    Bed { sql, settings, _dir: dir }
}

impl Bed {
    /// Adds an image as `ctx`.
    pub(super) async fn add(&self, ctx: &Context, fields: ImageFields) -> Image {
        self.image_insert(ctx, fields).await.unwrap()
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

//! Managing this node's cache (v1-cache §4).

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::request::image_id;
use crate::api::error::ApiError;
use crate::api::json::answer;
use std::sync::Arc;

use crate::cache::{self, Cache, CachedImage, Driver};
use crate::images::Images;
use crate::model::Context;

type Answer = Result<Response, ApiError>;

/// `GET /cached_images`
pub(super) async fn index(State(images): State<Images>, Extension(ctx): Extension<Context>) -> Answer {
    let cache = images.managed_cache(&ctx)?;
    let list: Vec<Value> = cache.entries().await.iter().map(|entry| record(entry, cache.driver())).collect();
    Ok(answer(&json!({ "cached_images": list })))
}

/// `DELETE /cached_images`
pub(super) async fn clear(State(images): State<Images>, Extension(ctx): Extension<Context>) -> Answer {
    let deleted = images.managed_cache(&ctx)?.evict_all().await.map_err(fault)?;
    Ok(answer(&json!({ "num_deleted": deleted })))
}

/// `DELETE /cached_images/{id}`
pub(super) async fn evict(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    images.managed_cache(&ctx)?.evict(&image_id(&id)?).await.map_err(fault)?;
    Ok(done())
}

/// `GET /queued_images`
pub(super) async fn queue(State(images): State<Images>, Extension(ctx): Extension<Context>) -> Answer {
    let queued = images.managed_cache(&ctx)?.queued().await.map_err(fault)?;
    let list: Vec<&str> = queued.iter().map(|id| id.as_str()).collect();
    Ok(answer(&json!({ "queued_images": list })))
}

/// `DELETE /queued_images`
pub(super) async fn clear_queue(State(images): State<Images>, Extension(ctx): Extension<Context>) -> Answer {
    let deleted = images.managed_cache(&ctx)?.unqueue_all().await.map_err(fault)?;
    Ok(answer(&json!({ "num_deleted": deleted })))
}

/// `PUT /queued_images/{id}`
pub(super) async fn enqueue(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    images.managed_cache(&ctx)?.queue(&image_id(&id)?).await.map_err(fault)?;
    Ok(done())
}

/// `DELETE /queued_images/{id}`
pub(super) async fn dequeue(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    images.managed_cache(&ctx)?.unqueue(&image_id(&id)?).await.map_err(fault)?;
    Ok(done())
}

/// A fault of the cache is the log's business.
fn fault(error: cache::Error) -> ApiError {
    tracing::error!("image cache: {error}");
    ApiError::internal()
}

fn done() -> Response {
    answer(&Value::Null)
}

/// Times are epoch seconds with the sqlite driver, text with the xattr driver (v1-cache §4.1).
fn record(entry: &CachedImage, driver: Driver) -> Value {
    let time = |seconds: f64| match driver {
        Driver::Sqlite => json!(seconds),
        Driver::Xattr => {
            let text = chrono::DateTime::from_timestamp_micros((seconds * 1e6) as i64)
                .map(|time| time.format("%Y-%m-%dT%H:%M:%S").to_string());
            json!(text)
        }
    };
    json!({
        "image_id": entry.image_id.as_str(),
        "hits": entry.hits,
        "last_accessed": time(entry.last_accessed),
        "last_modified": time(entry.last_modified),
        "size": entry.size,
    })
}

impl Images {
    /// The cache, for callers who may manage it.
    fn managed_cache(&self, ctx: &Context) -> Result<&Arc<Cache>, ApiError> {
        self.policy.enforce(ctx, "manage_image_cache").map_err(crate::images::Error::Policy)?;
        self.cache.as_ref().ok_or_else(|| ApiError::not_found("This server has no image cache"))
    }
}

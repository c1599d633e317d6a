//! Managing this node's cache (v1-cache §4).

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::api::json::answer;
use crate::cache::Driver;
use crate::images::Images;
use crate::model::{CachedImage, Context, ImageId};

type Answer = Result<Response, ApiError>;

/// `GET /cached_images`
pub(super) async fn index(State(images): State<Images>, Extension(ctx): Extension<Context>) -> Answer {
    let (cached, driver) = images.cached_images(&ctx).await?;
    let list: Vec<Value> = cached.iter().map(|entry| record(entry, driver)).collect();
    Ok(answer(&json!({ "cached_images": list })))
}

/// `DELETE /cached_images`
pub(super) async fn clear(State(images): State<Images>, Extension(ctx): Extension<Context>) -> Answer {
    let deleted = images.delete_cached_images(&ctx).await?;
    Ok(answer(&json!({ "num_deleted": deleted })))
}

/// `DELETE /cached_images/{id}`
pub(super) async fn evict(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    images.delete_cached_image(&ctx, &cached_id(&id)?).await?;
    Ok(answer(&Value::Null))
}

/// `GET /queued_images`
pub(super) async fn queue(State(images): State<Images>, Extension(ctx): Extension<Context>) -> Answer {
    let queued = images.queued_images(&ctx).await?;
    let list: Vec<&str> = queued.iter().map(ImageId::as_str).collect();
    Ok(answer(&json!({ "queued_images": list })))
}

/// `DELETE /queued_images`
pub(super) async fn clear_queue(State(images): State<Images>, Extension(ctx): Extension<Context>) -> Answer {
    let deleted = images.delete_queued_images(&ctx).await?;
    Ok(answer(&json!({ "num_deleted": deleted })))
}

/// `PUT /queued_images/{id}`
pub(super) async fn enqueue(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    images.queue_image(&ctx, &cached_id(&id)?).await?;
    Ok(answer(&Value::Null))
}

/// `DELETE /queued_images/{id}`
pub(super) async fn dequeue(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    images.delete_queued_image(&ctx, &cached_id(&id)?).await?;
    Ok(answer(&Value::Null))
}

/// A name in the cache; what is no image id is refused before it comes near a file (security C10).
fn cached_id(text: &str) -> Result<ImageId, ApiError> {
    ImageId::parse(text).ok_or_else(|| ApiError::bad_request(format!("'{text}' is not an image id")))
}

/// Times are epoch seconds with the drivers that are databases, text with the xattr driver (v1-cache §4.1).
fn record(entry: &CachedImage, driver: Driver) -> Value {
    let time = |seconds: f64| match driver {
        Driver::Sqlite | Driver::CentralizedDb => json!(seconds),
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

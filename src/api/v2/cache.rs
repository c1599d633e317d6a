//! Managing this node's cache: v2's own way (v2-images §12.2), and the older one that `glance-cache-manage` speaks (§12.3).

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Value, json};

use super::body::explained;
use super::failure::{Failure, missing};
use super::images::{Answer, empty, no_content};
use super::{Shared, body, views};
use crate::api::error::ApiError;
use crate::images::Clear;
use crate::model::{CachedImage, Context, ImageId};

/// Says what of the cache is to be emptied.
const CLEAR_TARGET: HeaderName = HeaderName::from_static("x-image-cache-clear-target");

/// `GET /cache`
pub(super) async fn list(State(v2): State<Shared>, Extension(ctx): Extension<Context>, headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    let (cached, queued) = v2.images.cache_contents(&ctx).await?;
    Ok(views::ok(&json!({"cached_images": records(&cached), "queued_images": ids(&queued)})))
}

/// `DELETE /cache`
pub(super) async fn clear(State(v2): State<Shared>, Extension(ctx): Extension<Context>, headers: HeaderMap) -> Answer {
    let target = headers.get(&CLEAR_TARGET).map_or("", |value| value.to_str().unwrap_or("?"));
    let what = match target.to_ascii_lowercase().as_str() {
        "" => Some(Clear::Both),
        "cache" => Some(Clear::Cache),
        "queue" => Some(Clear::Queue),
        _ => None,
    };
    let text = "If provided 'x-image-cache-clear-target' must be 'cache', 'queue' or empty string.";
    v2.images.clear_cache(&ctx, what.ok_or_else(|| explained(text))?).await?;
    Ok(no_content())
}

/// `PUT /cache/{id}`
pub(super) async fn put(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    v2.images.cache_image(&ctx, &image_id(&id)?).await.map_err(|error| missing(error, not_found))?;
    Ok(empty(StatusCode::ACCEPTED))
}

/// `DELETE /cache/{id}`
pub(super) async fn remove(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    v2.images.uncache_image(&ctx, &image_id(&id)?).await.map_err(|error| missing(error, not_found))?;
    Ok(no_content())
}

/// `GET /cache/nodes/{id}`
pub(super) async fn nodes(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let nodes = v2.images.nodes_that_cache(&ctx, &id).await.map_err(|error| missing(error, not_found))?;
    Ok(views::ok(&json!(nodes)))
}

/// `POST /cache/clean`
pub(super) async fn clean(State(v2): State<Shared>, Extension(ctx): Extension<Context>) -> Answer {
    let done = v2.images.clean_cache(&ctx).await?;
    tracing::info!("cleaned {} invalid and {} stalled images", done.invalid, done.stalled);
    Ok(empty(StatusCode::OK))
}

/// `POST /cache/prune`
pub(super) async fn prune(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    if body::is_there(&headers) {
        // Nobody looks into it, but it has to be one.
        body::read(&headers, body).await?;
    }
    let done = v2.images.prune_cache(&ctx).await?;
    Ok(views::ok(&json!({"total_files_pruned": done.files, "total_bytes_pruned": done.bytes})))
}

/// `GET /cached_images`
pub(super) async fn cached(State(v2): State<Shared>, Extension(ctx): Extension<Context>) -> Answer {
    let (cached, _) = v2.images.cached_images(&ctx).await?;
    Ok(views::ok(&json!({"cached_images": records(&cached)})))
}

/// `DELETE /cached_images`
pub(super) async fn clear_cached(State(v2): State<Shared>, Extension(ctx): Extension<Context>) -> Answer {
    Ok(views::ok(&json!({"num_deleted": v2.images.delete_cached_images(&ctx).await?})))
}

/// `DELETE /cached_images/{id}`
pub(super) async fn remove_cached(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    v2.images.delete_cached_image(&ctx, &name(&id)?).await?;
    Ok(views::ok(&Value::Null))
}

/// `GET /queued_images`
pub(super) async fn queued(State(v2): State<Shared>, Extension(ctx): Extension<Context>) -> Answer {
    Ok(views::ok(&json!({"queued_images": ids(&v2.images.queued_images(&ctx).await?)})))
}

/// `DELETE /queued_images`
pub(super) async fn clear_queued(State(v2): State<Shared>, Extension(ctx): Extension<Context>) -> Answer {
    Ok(views::ok(&json!({"num_deleted": v2.images.delete_queued_images(&ctx).await?})))
}

/// `PUT /queued_images/{id}`
pub(super) async fn queue(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    v2.images.queue_image(&ctx, &name(&id)?).await?;
    Ok(views::ok(&Value::Null))
}

/// `DELETE /queued_images/{id}`
pub(super) async fn remove_queued(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    v2.images.delete_queued_image(&ctx, &name(&id)?).await?;
    Ok(views::ok(&Value::Null))
}

fn image_id(text: &str) -> Result<ImageId, Failure> {
    Ok(ImageId::parse(text).ok_or_else(|| ApiError::not_found("").explained(not_found(text)))?)
}

fn not_found(id: &str) -> String {
    format!("Image {id} not found.")
}

/// A name in the cache; what is no image id is refused before it comes near a file (security C10).
fn name(text: &str) -> Result<ImageId, Failure> {
    Ok(ImageId::parse(text).ok_or_else(|| explained(format!("'{text}' is not an image id")))?)
}

/// Times are seconds since 1970, whatever the driver. What is a row of the service's database shows so; it never has a
/// checksum, in Glance either (v2-images §12.2).
fn records(cached: &[CachedImage]) -> Vec<Value> {
    let record = |entry: &CachedImage| {
        let mut record = json!({
            "image_id": entry.image_id.as_str(),
            "hits": entry.hits,
            "last_accessed": entry.last_accessed,
            "last_modified": entry.last_modified,
            "size": entry.size,
        });
        if let Some(row) = entry.row {
            record["id"] = json!(row);
            record["checksum"] = Value::Null;
        }
        record
    };
    cached.iter().map(record).collect()
}

fn ids(images: &[ImageId]) -> Vec<&str> {
    images.iter().map(ImageId::as_str).collect()
}

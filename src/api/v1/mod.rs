//! The v1 image API: HTTP in, use case, HTTP out.

mod cached;
mod failure;
mod headers;
mod images;
mod members;
mod request;
mod views;

use axum::Router;
use axum::routing::{any, delete, get, head, put};

use super::error::no_route;
use crate::images::Images;

/// Every route of v1 (v1-api §8); the cache's own only in pipelines with cache management (v1-cache §4).
pub(crate) fn router(images: Images, cache_management: bool) -> Router {
    let mut router = Router::new()
        .route("/", any(images::index))
        .route("/images", get(images::index).head(no_route).post(images::create))
        .route("/images.{format}", get(images::index).head(no_route))
        .route("/images/detail", get(images::detail).head(no_route))
        .route("/images/{id}", head(images::meta).get(images::show).put(images::update).delete(images::remove))
        .route("/images/{id}/members", get(members::index).head(no_route).put(members::replace))
        .route("/images/{id}/members/{member}", get(members::not_shown).put(members::put).delete(members::remove))
        .route("/shared-images/{member}", any(members::shared));
    if cache_management {
        router = router
            .route("/cached_images", get(cached::index).head(no_route).delete(cached::clear))
            .route("/cached_images/{id}", delete(cached::evict))
            .route("/queued_images", get(cached::queue).head(no_route).delete(cached::clear_queue))
            .route("/queued_images/{id}", put(cached::enqueue).delete(cached::dequeue));
    }
    // v1 answers an unknown path and an unknown method on a known one alike.
    router.fallback(no_route).method_not_allowed_fallback(no_route).with_state(images)
}

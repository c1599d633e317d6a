//! The registry server: metadata over HTTP for the API, the prefetcher and the scrubber (v1-system §3).
//!
//! Handlers decode, call [`Metadata`] and encode; rights and rules are judged behind that seam.
//! Who asks is read from the request's extensions, where the identity filter must have put the [`Context`].
//!
//! [`Context`]: crate::model::Context

mod failure;
mod images;
mod members;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, put};

use super::error::no_route;
use crate::db::Metadata;

/// The routes. The caller identifies requests before and renders errors after them.
pub(crate) fn router(metadata: Arc<dyn Metadata>) -> Router {
    Router::new()
        .route("/", any(images::list))
        .route("/images", get(images::list).post(images::create))
        .route("/images/detail", get(images::list_detail))
        .route("/images/{id}", get(images::show).put(images::update).delete(images::delete))
        .route("/images/{id}/members", get(members::list).put(members::replace))
        .route("/images/{id}/members/{member}", put(members::put).delete(members::delete))
        .route("/shared-images/{member}", any(members::shared_images))
        .fallback(no_route)
        .method_not_allowed_fallback(no_route)
        .with_state(metadata)
}

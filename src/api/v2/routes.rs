//! Every route of v2 (v2-images §3).

use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodRouter, delete, get, post, put};
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};

use super::{Shared, actions, cache, data, images, info, locations, members, schemas, tags};
use crate::api::error::ApiError;

pub(super) fn router(state: Shared, cache_management: bool) -> Router {
    let router = Router::new()
        .route("/images", only("GET, POST", get(images::index).post(images::create)))
        .route(
            "/images/{id}",
            only("GET, PATCH, DELETE", get(images::show).patch(images::update).delete(images::remove)),
        )
        .route("/images/{id}/file", only("GET, PUT", get(data::download).put(data::upload)))
        .route("/images/{id}/stage", only("PUT", put(data::stage)))
        .merge(parts_of_images())
        .merge(about())
        .merge(cache());
    let router = if cache_management { router.merge(old_cache()) } else { router };
    router.fallback(unknown).with_state(state)
}

/// What belongs to an image.
fn parts_of_images() -> Router<Shared> {
    Router::new()
        .route("/images/{id}/actions/deactivate", only("POST", post(actions::deactivate)))
        .route("/images/{id}/actions/reactivate", only("POST", post(actions::reactivate)))
        .route("/images/{id}/locations", only("POST", get(locations::index).post(locations::add)))
        .route("/images/{id}/tags/{tag}", only("PUT, DELETE", put(tags::add).delete(tags::remove)))
        .route("/images/{id}/members", only("GET, POST", get(members::index).post(members::add)))
        .route(
            "/images/{id}/members/{member}",
            only("GET, PUT, DELETE", get(members::show).put(members::answer).delete(members::remove)),
        )
}

/// What the service tells of itself.
fn about() -> Router<Shared> {
    Router::new()
        .route("/schemas/image", only("GET", get(schemas::image)))
        .route("/schemas/images", only("GET", get(schemas::images)))
        .route("/schemas/member", only("GET", get(schemas::member)))
        .route("/schemas/members", only("GET", get(schemas::members)))
        .route("/schemas/task", only("GET", get(schemas::task)))
        .route("/schemas/tasks", only("GET", get(schemas::tasks)))
        .route("/info/import", only("GET", get(info::import)))
        .route("/info/stores", only("GET", get(info::stores)))
        .route("/info/stores/detail", only("GET", get(info::stores_in_detail)))
        .route("/info/usage", or_nothing(get(info::usage)))
        .route("/stores/{store}/{id}", only("DELETE", delete(info::delete_from_store)))
}

/// The cache of this node.
fn cache() -> Router<Shared> {
    Router::new()
        .route("/cache", only("GET, DELETE", get(cache::list).delete(cache::clear)))
        .route("/cache/{id}", only("DELETE, PUT", put(cache::put).delete(cache::remove)))
        .route("/cache/nodes/{id}", only("GET", get(cache::nodes)))
        .route("/cache/clean", only("POST", post(cache::clean)))
        .route("/cache/prune", only("POST", post(cache::prune)))
}

/// The same as the filter of old has it.
fn old_cache() -> Router<Shared> {
    Router::new()
        .route("/cached_images", or_nothing(get(cache::cached).delete(cache::clear_cached)))
        .route("/cached_images/{id}", or_nothing(delete(cache::remove_cached)))
        .route("/queued_images", or_nothing(get(cache::queued).delete(cache::clear_queued)))
        .route("/queued_images/{id}", or_nothing(put(cache::queue).delete(cache::remove_queued)))
}

/// Any other method of a known path finds nothing.
fn or_nothing(methods: MethodRouter<Shared>) -> MethodRouter<Shared> {
    methods.head(unknown).fallback(unknown)
}

/// Any other method of a known path is a 405 that names those there are; HEAD among them, which axum would take for GET.
fn only(allowed: &'static str, methods: MethodRouter<Shared>) -> MethodRouter<Shared> {
    let refuse = move |request: Request| async move { not_allowed(&request, allowed) };
    methods.head(refuse).fallback(refuse)
}

fn not_allowed(request: &Request, allowed: &'static str) -> ApiError {
    ApiError::method_not_allowed(request.method().as_str()).with_header(ALLOW, HeaderValue::from_static(allowed))
}

/// No such path; nor, for methods that no path has, such a method.
async fn unknown(request: Request) -> ApiError {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::PATCH];
    match known.contains(request.method()) {
        true => ApiError::not_found(""),
        false => ApiError::new(StatusCode::NOT_IMPLEMENTED, "")
            .explained(format!("\nThe request method {} is not implemented for this server. ", request.method())),
    }
}

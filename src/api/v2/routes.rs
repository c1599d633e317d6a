//! Every route of v2 (v2-images §3).

use axum::Router;
use axum::extract::Request;
use axum::routing::{MethodRouter, get, put};
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};

use super::{Shared, data, images};
use crate::api::error::ApiError;

pub(super) fn router(state: Shared, _cache_management: bool) -> Router {
    Router::new()
        .route("/images", only("GET, POST", get(images::index).post(images::create)))
        .route(
            "/images/{id}",
            only("GET, PATCH, DELETE", get(images::show).patch(images::update).delete(images::remove)),
        )
        .route("/images/{id}/file", only("GET, PUT", get(data::download).put(data::upload)))
        .route("/images/{id}/stage", only("PUT", put(data::stage)))
        .fallback(unknown)
        .with_state(state)
}

/// Any other method of a known path is a 405 that names those there are; HEAD among them, which axum would take for GET.
fn only(allowed: &'static str, methods: MethodRouter<Shared>) -> MethodRouter<Shared> {
    let refuse = move |request: Request| async move { not_allowed(&request, allowed) };
    methods.head(refuse.clone()).fallback(refuse)
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
            .explained(format!("The method {} is not implemented for this resource. ", request.method())),
    }
}

//! A pipeline as a service: version negotiation, identity, then the API's routes.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::X_CONTENT_TYPE_OPTIONS;
use percent_encoding::percent_decode_str;
use tower::ServiceExt;

use super::error::{ApiError, render::Form};
use super::v1::BaseUrl;
use super::versions::{self, Wanted};
use crate::auth::Identity;
use crate::db::Metadata;
use crate::images::Images;

/// Something that answers requests.
#[async_trait]
pub(crate) trait Service: Send + Sync + std::fmt::Debug + 'static {
    /// Answers one request of `peer`; never fails.
    async fn call(&self, request: Request, peer: SocketAddr) -> Response;
}

/// The image API server.
#[derive(Debug)]
pub(crate) struct ImageApi {
    identity: Identity,
    v1: Router,
}

impl ImageApi {
    /// The API with or without the routes that manage the cache.
    pub(crate) fn new(identity: Identity, images: Images, cache_management: bool) -> Self {
        Self { identity, v1: super::v1::router(images, cache_management) }
    }
}

#[async_trait]
impl Service for ImageApi {
    async fn call(&self, mut request: Request, peer: SocketAddr) -> Response {
        let base = versions::base_url(request.headers(), "http");
        match versions::negotiate(request.uri().path(), request.headers()) {
            Wanted::Versions => versions::document(&base),
            Wanted::V1 { path } => {
                if let Some(uri) = versions::with_path(request.uri(), &path) {
                    *request.uri_mut() = uri;
                }
                request.extensions_mut().insert(BaseUrl(base));
                request.extensions_mut().insert(ConnectInfo(peer));
                identified(&self.identity, &self.v1, request).await
            }
        }
    }
}

/// The registry server.
#[derive(Debug)]
pub(crate) struct RegistryApi {
    identity: Identity,
    routes: Router,
}

impl RegistryApi {
    /// The registry over this metadata.
    pub(crate) fn new(identity: Identity, metadata: Arc<dyn Metadata>) -> Self {
        Self { identity, routes: super::registry::router(metadata) }
    }
}

#[async_trait]
impl Service for RegistryApi {
    async fn call(&self, request: Request, _peer: SocketAddr) -> Response {
        identified(&self.identity, &self.routes, request).await
    }
}

/// Adds the caller's context, asks the routes, and gives an error the form that the client accepts.
async fn identified(identity: &Identity, routes: &Router, mut request: Request) -> Response {
    let form = Form::of(&request);
    let readable = percent_decode_str(request.uri().path()).decode_utf8().is_ok();
    let answer = async {
        if !readable {
            return ApiError::not_found("").into_response();
        }
        match identity.identify(request.headers()) {
            Err(unconfirmed) => ApiError::unauthorized(unconfirmed.to_string()).into_response(),
            Ok(context) => {
                request.extensions_mut().insert(context);
                match routes.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        }
    };
    let mut response = form.guard(answer).await;
    // Names and texts of users go out as what they are called, not as what a browser takes them for (security S61).
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

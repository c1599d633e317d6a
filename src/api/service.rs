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

use super::base_url::BaseUrl;
use super::error::{ApiError, render::Form};
use super::v2::{self, V2Api};
use super::versions::{self, Offer, V2, Wanted};
use crate::auth::Identity;
use crate::db::Metadata;
use crate::images::Images;
use crate::model::Api;

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
    v2: Option<V2Api>,
    offer: Offer,
}

impl ImageApi {
    /// The API with or without the routes that manage the cache. `v2` is what its settings are, or `None` where it cannot
    /// be served, because the metadata is a v1 registry's.
    pub(crate) fn new(
        identity: Identity,
        images: Images,
        cache_management: bool,
        v2: Option<v2::Settings>,
    ) -> Result<Self, v2::SchemaError> {
        let offer = Offer { v2: v2.is_some().then(|| V2 { cache: images.has_cache() }) };
        let v1 = super::v1::router(images.clone(), cache_management);
        let v2 = v2.map(|settings| V2Api::new(images, settings, cache_management)).transpose()?;
        Ok(Self { identity, v1, v2, offer })
    }
}

#[async_trait]
impl Service for ImageApi {
    async fn call(&self, mut request: Request, peer: SocketAddr) -> Response {
        let base = versions::base_url(request.headers(), "http");
        request.extensions_mut().insert(BaseUrl(base.clone()));
        request.extensions_mut().insert(ConnectInfo(peer));
        match versions::negotiate(request.uri().path(), request.headers(), self.offer) {
            Wanted::Versions { asked } => versions::document(&base, self.offer, asked),
            Wanted::V1 { path } => {
                versions::lead_to(&path, &mut request);
                identified(&self.identity, &self.v1, request).await
            }
            Wanted::V2 { path } => match &self.v2 {
                Some(v2) => v2.answer(&self.identity, path.as_deref(), request).await,
                None => versions::document(&base, self.offer, false),
            },
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

/// Adds the caller's context, asks the routes of v1 or the registry, and gives an error the form that the client accepts.
async fn identified(identity: &Identity, routes: &Router, mut request: Request) -> Response {
    let form = Form::of(&request, Api::V1);
    let readable = percent_decode_str(request.uri().path()).decode_utf8().is_ok();
    let answer = async {
        if !readable {
            return ApiError::not_found("").into_response();
        }
        match identity.identify(request.headers(), Api::V1) {
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

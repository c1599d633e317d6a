//! A pipeline as a service: the health check, other origins, version negotiation, identity, then the API's routes.

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
use tracing::Instrument;

use super::base_url::{BaseUrl, Links};
use super::body_limit::BodyLimit;
use super::caller::{self, challenge, identify};
use super::cors::{self, Cors, Visit};
use super::error::{ApiError, render::Form};
use super::healthcheck::Health;
use super::request_id;
use super::v2::{self, V2Api};
use super::versions::{self, Offer, V2, Wanted};
use crate::auth::Identity;
use crate::db::Metadata;
use crate::images::Images;
use crate::model::{Api, Context};

/// Who has sent a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// The other end of the connection: the client, or a proxy in front of it.
    pub(crate) address: SocketAddr,
    /// The connection is one of TLS.
    pub(crate) encrypted: bool,
}

/// Something that answers requests.
#[async_trait]
pub(crate) trait Service: Send + Sync + std::fmt::Debug + 'static {
    /// Answers one request of `peer`; never fails.
    async fn call(&self, request: Request, peer: Peer) -> Response;
}

/// What is configured of the way that a request takes to its API.
#[derive(Debug, Clone, Default)]
pub(crate) struct Front {
    /// v1 is served (`enable_v1_api`).
    pub(crate) v1: bool,
    /// How v2 behaves; `None`: it is not served.
    pub(crate) v2: Option<v2::Settings>,
    /// How links are made.
    pub(crate) links: Links,
    /// Who may talk to us from other origins.
    pub(crate) cors: Cors,
    /// How large requests may be; `None`: each kind has a limit of its own.
    pub(crate) body_limit: Option<BodyLimit>,
    /// The health check, if there is one.
    pub(crate) health: Option<Health>,
    /// Characters that a client's id of a request may have; `None`: any number (`max_request_id_length`).
    pub(crate) longest_request_id: Option<usize>,
}

/// The image API server.
#[derive(Debug)]
pub(crate) struct ImageApi {
    identity: Identity,
    images: Images,
    v1: Router,
    v2: Option<V2Api>,
    offer: Offer,
    links: Links,
    cors: Cors,
    body_limit: Option<BodyLimit>,
    health: Option<Health>,
    longest_request_id: Option<usize>,
}

impl ImageApi {
    /// The API with or without the routes that manage the cache.
    ///
    /// # Errors
    /// The properties of images that the operator defines cannot be had.
    pub(crate) fn new(
        identity: Identity,
        images: Images,
        cache_management: bool,
        front: Front,
    ) -> Result<Self, v2::SchemaError> {
        let Front { v1, v2, links, cors, body_limit, health, longest_request_id } = front;
        let offer = Offer {
            v1,
            v2: v2.is_some().then(|| V2 { cache: images.has_cache(), several_stores: images.stores().is_some() }),
        };
        let v1 = super::v1::router(images.clone(), cache_management);
        let v2 = v2
            .map(|settings| V2Api::new(images.clone(), settings, cache_management, longest_request_id))
            .transpose()?;
        Ok(Self { identity, images, v1, v2, offer, links, cors, body_limit, health, longest_request_id })
    }
}

#[async_trait]
impl Service for ImageApi {
    async fn call(&self, mut request: Request, peer: Peer) -> Response {
        if let Some(health) = self.health.as_ref().filter(|health| health.path == request.uri().path()) {
            let form = Form::of(&request, Api::V2);
            // The request's body cannot wait with us.
            let (method, headers) = (request.method().clone(), std::mem::take(request.headers_mut()));
            let answer = health.answer(&method, &headers, peer.address.ip()).await;
            return answer.unwrap_or_else(|| form.apply(ApiError::not_found("").into_response()));
        }
        let visit = self.cors.visit(&request);
        request.extensions_mut().insert(ConnectInfo(peer.address));
        let base = BaseUrl::of(request.headers(), peer.encrypted, &self.links);
        let response = match self.body_limit {
            None => self.routed(request, &visit, base).await,
            Some(limit) => {
                let form = Form::of(&request, Api::V2);
                // On the heap: it is large, and few pipelines have the filter.
                let routed = async |request| Box::pin(self.routed(request, &visit, base)).await;
                form.apply(limit.within(request, routed).await)
            }
        };
        visit.finish(response)
    }
}

impl ImageApi {
    /// What the API says that is asked.
    async fn routed(&self, mut request: Request, visit: &Visit<'_>, base: BaseUrl) -> Response {
        request.extensions_mut().insert(base.clone());
        match versions::negotiate(request.uri().path(), request.headers(), self.offer) {
            Wanted::Versions { asked: false } if visit.is_options() && self.v2.is_some() => cors::greeting(),
            Wanted::V1 { .. } if visit.is_preflight() => cors::greeting(),
            Wanted::V2 { .. } if visit.is_options() => cors::greeting(),
            Wanted::Versions { asked } => versions::document(&base.0, self.offer, asked),
            Wanted::V1 { path } => {
                versions::lead_to(&path, &mut request);
                let admitted = async |context| self.images.admitted(context).await;
                identified(&self.identity, &self.v1, request, self.longest_request_id, admitted).await
            }
            Wanted::V2 { path } => match &self.v2 {
                Some(v2) => {
                    // An encoded slash is a slash: what it would be part of cannot be reached (v2-images §1.3).
                    let path = path.map(|path| path.replace("%2F", "/").replace("%2f", "/"));
                    let path = path.map(|path| format!("/{}", path.trim_start_matches('/')));
                    v2.answer(&self.identity, path.as_deref(), request).await
                }
                None => versions::document(&base.0, self.offer, false),
            },
        }
    }
}

/// What a registry takes of its clients' ids, which are the API's.
const LONGEST_REQUEST_ID: usize = 64;

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
    async fn call(&self, request: Request, _peer: Peer) -> Response {
        identified(&self.identity, &self.routes, request, Some(LONGEST_REQUEST_ID), async |context| context).await
    }
}

/// Adds the caller's context, asks the routes of v1 or the registry, and gives an error the form that the client accepts.
async fn identified(
    identity: &Identity,
    routes: &Router,
    mut request: Request,
    longest_id: Option<usize>,
    admitted: impl AsyncFnOnce(Context) -> Context,
) -> Response {
    let form = Form::of(&request, Api::V1);
    // v1 takes any id of the client's that can be used, and needs none.
    let (id, _) = request_id::of(request.headers(), longest_id);
    let readable = percent_decode_str(request.uri().path()).decode_utf8().is_ok();
    let answer = async {
        if !readable {
            return ApiError::not_found("").into_response();
        }
        match identify(identity, &mut request, Api::V1).await {
            Err(refused) => refused,
            Ok(context) => {
                let context = Context { request_id: Some(id.clone()), ..admitted(context).await };
                let span = caller::span(&context);
                request.extensions_mut().insert(context);
                match routes.clone().oneshot(request).instrument(span).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        }
    };
    let mut response = form.guard(answer).await;
    challenge(identity, &mut response);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(request_id::HEADER, id);
    }
    // Names and texts of users go out as what they are called, not as what a browser takes them for (security S61).
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

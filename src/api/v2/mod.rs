//! The v2 image API: HTTP in, use case, HTTP out.

mod actions;
mod body;
mod cache;
mod changes;
mod data;
mod failure;
#[cfg(test)]
mod fuzz;
mod images;
mod info;
mod location_patch;
mod locations;
mod members;
mod patch;
mod query;
mod ranges;
mod routes;
mod schema;
mod schemas;
mod settings;
mod tags;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use tower::ServiceExt;
use tracing::Instrument;

pub(crate) use schema::SchemaError;
pub(crate) use settings::{CustomProperties, Settings};

use self::body::UNDECODABLE;
use self::schema::ImageSchema;
use super::base_url::BaseUrl;
use super::caller::{self, challenge, identify};
use super::error::{ApiError, render::Form};
use super::request_id;
use super::versions::lead_to;

use crate::auth::Identity;
use crate::images::Images;
use crate::model::Api;

/// What every handler has.
#[derive(Debug, Clone)]
struct Shared {
    images: Images,
    settings: Arc<Settings>,
    schema: Arc<ImageSchema>,
}

/// v2, ready to answer.
#[derive(Debug)]
pub(super) struct V2Api {
    images: Images,
    routes: Router,
    /// Characters that a client's id of a request may have.
    longest_request_id: Option<usize>,
}

impl V2Api {
    /// v2 over these images, with or without the old routes that manage the cache.
    ///
    /// # Errors
    /// The custom properties that are configured cannot be had.
    pub(super) fn new(
        images: Images,
        settings: Settings,
        cache_management: bool,
        longest_request_id: Option<usize>,
    ) -> Result<Self, SchemaError> {
        let schema = Arc::new(ImageSchema::new(&settings)?);
        let state = Shared { images: images.clone(), settings: Arc::new(settings), schema };
        Ok(Self { images, routes: routes::router(state, cache_management), longest_request_id })
    }

    /// Finds out who asks, asks the routes, and gives an error the form that the client accepts.
    /// Without a `path` the request is for the bare prefix, which leads to `/v2/`.
    pub(super) async fn answer(&self, identity: &Identity, path: Option<&str>, mut request: Request) -> Response {
        let form = Form::of(&request, Api::V2);
        let (id, acceptable) = request_id::of(request.headers(), self.longest_request_id);
        let readable = percent_decode_str(request.uri().path()).decode_utf8().is_ok();
        let answer = async {
            let mut context = match identify(identity, &mut request, Api::V2).await {
                Ok(context) => context,
                Err(refused) => return refused,
            };
            if let Err(refused) = acceptable {
                return refused.into_response();
            }
            if !readable {
                return ApiError::bad_request("").explained(UNDECODABLE).into_response();
            }
            let Some(path) = path else {
                let base = request.extensions().get::<BaseUrl>().map_or("", |base| &base.0);
                let plain = "text/plain; charset=utf8".to_owned();
                return (StatusCode::FOUND, [(LOCATION, format!("{base}/v2/")), (CONTENT_TYPE, plain)]).into_response();
            };
            lead_to(path, &mut request);
            context.request_id = Some(id.clone());
            let span = caller::span(&context);
            request.extensions_mut().insert(self.images.admitted(context).await);
            match self.routes.clone().oneshot(request).instrument(span).await {
                Ok(response) => response,
                Err(never) => match never {},
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
}

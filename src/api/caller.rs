//! Who sends a request, and what becomes of one whom nobody knows.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use tracing::Span;

use super::error::ApiError;
use crate::auth::{Asked, Identity, Refusal};
use crate::model::{Api, Context};

/// The caller's context, or the answer to one who is not let in.
pub(super) async fn identify(identity: &Identity, request: &mut Request, api: Api) -> Result<Context, Response> {
    // The request's body cannot wait with us.
    let (headers, method) = (std::mem::take(request.headers_mut()), request.method().clone());
    // As the routes take it apart: an encoded slash must not hide a segment from what restricts the caller.
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
    let found = identity.identify(&Asked { headers: &headers, method: &method, path: &path }, api).await;
    *request.headers_mut() = headers;
    found.map_err(|refusal| match refusal {
        Refusal::Unconfirmed if api == Api::V2 => ApiError::unauthorized("").into_response(),
        Refusal::Unconfirmed => ApiError::unauthorized(refusal.to_string()).into_response(),
        Refusal::Unavailable { retry_after } => {
            // Whole seconds, and not at once.
            let seconds = retry_after.as_secs_f64().ceil().max(1.0) as u64;
            let error = ApiError::unavailable("").explained(refusal.to_string());
            error.with_header(RETRY_AFTER, HeaderValue::from(seconds)).into_response()
        }
    })
}

/// In which a request is answered: what its lines in the log say of it.
pub(super) fn span(context: &Context) -> Span {
    // At the gravest level, so that it is there whatever is logged.
    tracing::error_span!(
        "request",
        request_id = context.request_id,
        user = context.user,
        project = context.tenant,
        domain = context.domain,
        system_scope = context.system_scope,
        user_domain = context.user_domain,
        project_domain = context.project_domain,
    )
}

/// Says with every 401 where to get a token.
pub(super) fn challenge(identity: &Identity, response: &mut Response) {
    let challenge = || HeaderValue::from_str(&identity.challenge()?).ok();
    if response.status() == StatusCode::UNAUTHORIZED
        && let Some(challenge) = challenge()
    {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
}

//! Errors as answers: the status, explanation and detail that clients read (v1-api §6, v2-images §2.3).
//!
//! A handler returns an [`ApiError`]; its body depends on the method and the `Accept` header, which only
//! [`render::Form`] around the routes knows. Until then the error travels in the extensions of an empty response.

mod accept;
pub(crate) mod render;

pub(super) use accept::preferred;
pub(super) use render::escaped;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// An answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(in crate::api) status: StatusCode,
    /// `None`: the status's own explanation.
    pub(in crate::api) explanation: Option<String>,
    pub(in crate::api) detail: String,
    /// Close the connection after the answer, because its request was not read to the end or its state is unknown.
    pub(in crate::api) close: bool,
    /// Bytes of the image, for those who asked for a part that it does not have (RFC 9110 §15.5.17).
    pub(in crate::api) size: Option<u64>,
    /// A header that goes with it.
    pub(in crate::api) header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl ApiError {
    /// An answer with this status; `detail` may be empty.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, explanation: None, detail: detail.into(), close: false, size: None, header: None }
    }

    /// 400: the request breaks a rule.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 401: nobody is known to ask.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// 403: the caller may not.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: not there, or not for the caller's eyes.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 405: the path exists, the method does not.
    pub(crate) fn method_not_allowed(method: &str) -> Self {
        let explanation = format!("The method {method} is not allowed for this resource. ");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "").explained(explanation)
    }

    /// 409: the resource is in another state.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 412: the resource changed meanwhile.
    pub(crate) fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, detail)
    }

    /// 413: the body is larger than this server takes.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 503: try again later.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// 416: nothing of what was asked for is there.
    pub(crate) fn range_not_satisfiable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, detail)
    }

    /// 500: a fault of ours, whose cause belongs in the log, not in the answer. The connection closes.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "").closing()
    }

    /// Replaces the status's own explanation.
    pub(crate) fn explained(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = Some(explanation.into());
        self
    }

    /// Tells how many bytes the image has.
    pub(crate) fn of_size(mut self, size: u64) -> Self {
        self.size = Some(size);
        self
    }

    /// Adds a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// Closes the connection after the answer.
    pub(crate) fn closing(mut self) -> Self {
        self.close = true;
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Fallback of routers: no such route, or (in v1 just the same) no such method on it.
pub(crate) async fn no_route() -> ApiError {
    ApiError::not_found("")
}

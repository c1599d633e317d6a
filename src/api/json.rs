//! JSON in and out of handlers.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde_json::Value;

use super::error::ApiError;
use crate::wire::python_json;

/// Largest JSON body that is read, in bytes: room for thousands of properties or members.
const MAX_BODY: usize = 1024 * 1024;
/// A body of that size arrives in this time or never.
const BODY_DEADLINE: Duration = Duration::from_secs(60);

/// 200 with this value, in the text form of v1-api §1.
pub(crate) fn answer(value: &Value) -> Response {
    let content_type = HeaderValue::from_static("application/json; charset=UTF-8");
    ([(header::CONTENT_TYPE, content_type)], python_json(value)).into_response()
}

/// 204, which v1 labels as HTML (v1-api §1).
pub(crate) fn no_content() -> Response {
    let content_type = HeaderValue::from_static("text/html; charset=UTF-8");
    (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, content_type)]).into_response()
}

/// Reads a JSON body, whatever its content type says; `None` for an empty one.
pub(crate) async fn read(body: Body) -> Result<Option<Value>, ApiError> {
    let bytes = bytes(body).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let value = serde_json::from_slice(&bytes);
    value.map(Some).map_err(|error| ApiError::bad_request(format!("The body is not valid JSON: {error}")))
}

/// The bytes of a body that should be JSON. One that is announced to be too large is not waited for.
///
/// # Errors
/// 413 if it is too large, 400 if it breaks off or takes too long.
pub(crate) async fn bytes(body: Body) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::too_large(format!("A JSON body may have {MAX_BODY} bytes")).closing();
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_DEADLINE, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(too_large()),
        Ok(Err(error)) => Err(ApiError::bad_request(format!("The body is broken: {error}")).closing()),
        Err(_) => Err(ApiError::bad_request("The body did not arrive in time").closing()),
    }
}

/// Whether a body was not read to its end because it is larger than the limit.
fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use serde_json::json;

    use super::{MAX_BODY, read};

    #[tokio::test]
    async fn bodies_are_json_or_absent() {
        assert_eq!(read(Body::from(r#"{"a": 1}"#)).await, Ok(Some(json!({"a": 1}))));
        assert_eq!(read(Body::empty()).await, Ok(None));
    }

    #[tokio::test]
    async fn what_is_broken_too_deep_or_too_large_is_refused() {
        let refused = |body: String| async { read(Body::from(body)).await.unwrap_err().status };
        assert_eq!(refused("{".to_owned()).await, StatusCode::BAD_REQUEST);
        assert_eq!(refused("[".repeat(100_000)).await, StatusCode::BAD_REQUEST);
        assert_eq!(refused(" ".repeat(MAX_BODY + 1)).await, StatusCode::PAYLOAD_TOO_LARGE);
    }
}

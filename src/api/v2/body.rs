//! JSON bodies of requests (v2-images §2.1).

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use serde_json::{Map, Value};

use crate::api::error::ApiError;
use crate::api::json::{MAX_BODY, is_too_large};

/// What a client hears whose path or body is not UTF-8.
pub(super) const UNDECODABLE: &str = "Error decoding your request. Either the URL or the request body contained \
                                      characters that could not be decoded by Glance";
/// A body arrives in this time or never.
const DEADLINE: Duration = Duration::from_secs(60);

/// Whether the request brings a body.
pub(super) fn is_there(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    headers.contains_key(TRANSFER_ENCODING)
        || length.and_then(|length| length.trim().parse::<u64>().ok()).is_some_and(|length| length > 0)
}

/// Refuses a body where none is expected.
pub(super) fn none(headers: &HeaderMap) -> Result<(), ApiError> {
    if is_there(headers) { Err(explained("A body is not expected with this request.")) } else { Ok(()) }
}

/// Reads a list or an object; the content type is nobody's concern.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Value, ApiError> {
    if !is_there(headers) {
        return Err(explained("Body expected in request."));
    }
    let bytes = match tokio::time::timeout(DEADLINE, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) if is_too_large(&error) => {
            return Err(ApiError::too_large(format!("A JSON body may have {MAX_BODY} bytes")).closing());
        }
        Ok(Err(error)) => return Err(ApiError::bad_request(format!("The body is broken: {error}")).closing()),
        Err(_) => return Err(ApiError::bad_request("The body did not arrive in time").closing()),
    };
    match serde_json::from_slice(&bytes) {
        Ok(value @ (Value::Array(_) | Value::Object(_))) => Ok(value),
        Ok(_) => Err(explained("Unexpected body type. Expected list/dict.")),
        Err(_) => Err(explained("Malformed JSON in request body.")),
    }
}

/// Reads an object.
pub(super) async fn object(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, ApiError> {
    match read(headers, body).await? {
        Value::Object(object) => Ok(object),
        _ => Err(explained("Unexpected body type. Expected an object.")),
    }
}

/// 400 with this explanation.
pub(super) fn explained(text: impl Into<String>) -> ApiError {
    ApiError::bad_request("").explained(text)
}

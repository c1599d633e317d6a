//! JSON bodies of requests (v2-images §2.1).

use axum::body::Body;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use serde_json::{Map, Value};

use crate::api::error::ApiError;
use crate::api::json::bytes;

/// What a client hears whose path is not UTF-8.
pub(super) const UNDECODABLE: &str = "Error decoding your request. Either the URL or the request body contained \
                                      characters that could not be decoded by Glance";

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
    let bytes = bytes(body).await?;
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

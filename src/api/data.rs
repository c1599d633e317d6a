//! Image data in requests, whichever the API.

use axum::body::Body;
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};

use super::error::ApiError;
use crate::model::ByteStream;

/// The body as it arrives.
pub(super) fn stream(body: Body) -> ByteStream {
    Box::pin(body.into_data_stream().map(|block| block.map_err(std::io::Error::other)))
}

/// Whether the body comes in chunks, of no announced length.
///
/// # Errors
/// 400 for data in another transfer coding, which would be stored as it is.
pub(super) fn is_chunked(headers: &HeaderMap) -> Result<bool, ApiError> {
    match headers.get(TRANSFER_ENCODING) {
        None => Ok(false),
        Some(coding) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(true),
        Some(_) => Err(ApiError::bad_request("Transfer-Encoding must be chunked, if it is given")),
    }
}

/// Bytes of the body, as announced.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// What the body is said to be; nothing, if that is no text.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// That, without parameters.
pub(super) fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or("").trim()
}

//! What handlers take from a request besides its path.

use axum::body::Body;
use futures_util::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};

use crate::api::error::ApiError;
use crate::model::{ByteStream, ImageId};

/// An id in a path; what cannot be one names no image.
pub(super) fn image_id(text: &str) -> Result<ImageId, ApiError> {
    ImageId::parse(text).ok_or_else(|| ApiError::not_found(format!("Image with identifier {text} not found")))
}

/// The data of a request that has some: it is chunked, or its length is not 0 (v1-api §10).
pub(super) struct Data {
    pub(super) stream: ByteStream,
    /// Bytes announced; `None` if chunked.
    pub(super) length: Option<u64>,
    /// It says that it is `application/octet-stream`.
    pub(super) is_octet_stream: bool,
}

/// Whether the request brings data.
fn has_data(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || content_length(headers).is_some_and(|length| length > 0)
}

/// The request's data, if it brings some.
///
/// # Errors
/// 400 for data in a transfer coding that would be stored as it is.
pub(super) fn data(headers: &HeaderMap, body: Body) -> Result<Option<Data>, ApiError> {
    if !has_data(headers) {
        return Ok(None);
    }
    let coding = headers.get(TRANSFER_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Err(ApiError::bad_request("Transfer-Encoding must be chunked, if it is given"));
    }
    let chunked = coding.is_some();
    let stream = body.into_data_stream().map(|block| block.map_err(std::io::Error::other));
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    Ok(Some(Data {
        stream: Box::pin(stream),
        length: if chunked { None } else { content_length(headers) },
        is_octet_stream: media_type.eq_ignore_ascii_case("application/octet-stream"),
    }))
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

//! What handlers take from a request besides its path.

use axum::body::Body;
use http::HeaderMap;

use crate::api::data;
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

/// The request's data, if it brings some.
///
/// # Errors
/// 400 for data in a transfer coding that would be stored as it is.
pub(super) fn data(headers: &HeaderMap, body: Body) -> Result<Option<Data>, ApiError> {
    let chunked = data::is_chunked(headers)?;
    let length = data::content_length(headers);
    if !chunked && length.is_none_or(|length| length == 0) {
        return Ok(None);
    }
    Ok(Some(Data {
        stream: data::stream(body),
        length: if chunked { None } else { length },
        is_octet_stream: data::media_type(data::content_type(headers)).eq_ignore_ascii_case("application/octet-stream"),
    }))
}

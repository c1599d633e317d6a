//! Images in answers (v1-api §7). Their fields are those of the registry's records, but where the data is.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::model::Image;
use crate::wire::{encode_detail, python_json};

/// The answer to POST and PUT of one image.
pub(super) fn image(status: StatusCode, image: &Image, headers: HeaderMap) -> Response {
    let body = python_json(&json!({ "image": encode_detail(image) }));
    (status, [(CONTENT_TYPE, "application/json")], headers, body).into_response()
}

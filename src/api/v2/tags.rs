//! Tags, one by one (v2-images §6.7).

use axum::Extension;
use axum::extract::{Path, State};
use http::HeaderMap;
use serde_json::json;

use super::Shared;
use super::body::{self, explained};
use super::failure::{missing, not_found};
use super::images::{Answer, known_id, no_content};
use crate::model::Context;

/// `PUT /images/{id}/tags/{tag}`
pub(super) async fn add(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path((id, tag)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    v2.schema.check("tags", &json!([tag])).map_err(explained)?;
    let id = known_id(&id, not_found)?;
    v2.images.tag_add(&ctx, &id, &tag).await.map_err(|error| missing(error, not_found))?;
    Ok(no_content())
}

/// `DELETE /images/{id}/tags/{tag}`
pub(super) async fn remove(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path((id, tag)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let id = known_id(&id, not_found)?;
    v2.images.tag_remove(&ctx, &id, &tag).await.map_err(|error| missing(error, not_found))?;
    Ok(no_content())
}

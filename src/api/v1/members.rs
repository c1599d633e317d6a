//! Sharing images (v1-api §14). Bodies are JSON whatever their content type says.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::request::image_id;
use crate::api::error::ApiError;
use crate::api::json::{answer, no_content};
use crate::api::memberships::{membership, memberships};
use crate::images::Images;
use crate::model::Context;
use crate::wire;

type Answer = Result<Response, ApiError>;

/// `GET /images/{id}/members`
pub(super) async fn index(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    let members = images.members(&ctx, &image_id(&id)?).await?;
    let list: Vec<Value> = members.iter().map(wire::encode_image_member).collect();
    Ok(answer(&json!({ "members": list })))
}

/// `PUT /images/{id}/members`
pub(super) async fn replace(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    body: Body,
) -> Answer {
    let members = memberships(body).await?;
    images.members_replace(&ctx, &image_id(&id)?, &members).await?;
    Ok(no_content())
}

/// `GET /images/{id}/members/{member}`: there is no such view.
pub(super) async fn not_shown() -> ApiError {
    ApiError::method_not_allowed("GET")
}

/// `PUT /images/{id}/members/{member}`
pub(super) async fn put(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path((id, member)): Path<(String, String)>,
    body: Body,
) -> Answer {
    let membership = membership(member, body).await?;
    images.member_put(&ctx, &image_id(&id)?, &membership).await?;
    Ok(no_content())
}

/// `DELETE /images/{id}/members/{member}`
pub(super) async fn remove(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path((id, member)): Path<(String, String)>,
) -> Answer {
    images.member_delete(&ctx, &image_id(&id)?, &member).await?;
    Ok(no_content())
}

/// `GET /shared-images/{member}`
pub(super) async fn shared(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(member): Path<String>,
) -> Answer {
    let shared = images.shared_images(&ctx, &member).await?;
    let list: Vec<Value> = shared.iter().map(wire::encode_shared_image).collect();
    Ok(answer(&json!({ "shared_images": list })))
}

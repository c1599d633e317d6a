//! Membership routes of the registry.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::json;

use super::failure::{Writer, image_id, refused};
use crate::api::error::ApiError;
use crate::api::json::{answer, no_content};
use crate::api::memberships::{membership, memberships};
use crate::db::Metadata;
use crate::model::Context;
use crate::wire::{encode_image_member, encode_shared_image};

type Db = State<Arc<dyn Metadata>>;

pub(super) async fn list(
    State(db): Db,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let members = db.members(&ctx, &image_id(&id)?).await.map_err(refused)?;
    Ok(answer(&json!({"members": members.iter().map(encode_image_member).collect::<Vec<_>>()})))
}

pub(super) async fn replace(
    State(db): Db,
    Writer(ctx): Writer,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    check_owner(&ctx)?;
    let id = image_id(&id)?;
    let wanted = memberships(body).await?;
    db.members_replace(&ctx, &id, &wanted).await.map_err(refused)?;
    Ok(no_content())
}

pub(super) async fn put(
    State(db): Db,
    Writer(ctx): Writer,
    Path((id, member)): Path<(String, String)>,
    body: Body,
) -> Result<Response, ApiError> {
    check_owner(&ctx)?;
    let id = image_id(&id)?;
    let membership = membership(member, body).await?;
    db.member_put(&ctx, &id, &membership).await.map_err(refused)?;
    Ok(no_content())
}

pub(super) async fn delete(
    State(db): Db,
    Writer(ctx): Writer,
    Path((id, member)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    check_owner(&ctx)?;
    db.member_delete(&ctx, &image_id(&id)?, &member).await.map_err(refused)?;
    Ok(no_content())
}

pub(super) async fn shared_images(
    State(db): Db,
    Extension(ctx): Extension<Context>,
    Path(member): Path<String>,
) -> Result<Response, ApiError> {
    let shared = db.shared_images(&ctx, &member).await.map_err(refused)?;
    Ok(answer(&json!({"shared_images": shared.iter().map(encode_shared_image).collect::<Vec<_>>()})))
}

/// Sharing is for somebody: a caller without an owner identity gets 401 (v1-api §14).
fn check_owner(ctx: &Context) -> Result<(), ApiError> {
    if ctx.owner().is_none() { Err(ApiError::unauthorized("No authenticated user")) } else { Ok(()) }
}

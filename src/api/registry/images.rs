//! Image routes of the registry.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::failure::{Writer, image_id, refused};
use crate::api::error::ApiError;
use crate::api::json::{answer, read};
use crate::db::{Error, Metadata, UpdateMode};
use crate::model::{Context, Image, ImageFields, ImageId, ImageStatus};
use crate::wire::{FROM_STATE_KEY, PURGE_PROPS_HEADER, Side, decode_fields, encode_brief, encode_full, parse_query};

type Db = State<Arc<dyn Metadata>>;

pub(super) async fn list(
    State(db): Db,
    Extension(ctx): Extension<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    page(&*db, &ctx, query, encode_brief).await
}

pub(super) async fn list_detail(
    State(db): Db,
    Extension(ctx): Extension<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    page(&*db, &ctx, query, encode_full).await
}

async fn page(
    db: &dyn Metadata,
    ctx: &Context,
    query: Option<String>,
    encode: fn(&Image) -> Value,
) -> Result<Response, ApiError> {
    let mut query = parse_query(&query.unwrap_or_default(), Side::Registry).map_err(ApiError::bad_request)?;
    if !ctx.is_admin {
        query.filters.deleted = None;
    }
    let images = db.image_find(ctx, &query).await.map_err(refused)?;
    Ok(answer(&json!({"images": images.iter().map(encode).collect::<Vec<_>>()})))
}

pub(super) async fn show(
    State(db): Db,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let image = db.image_get(&ctx, &image_id(&id)?).await.map_err(refused)?;
    Ok(record(&image))
}

pub(super) async fn create(State(db): Db, Writer(ctx): Writer, body: Body) -> Result<Response, ApiError> {
    const ACTION: &str = "Failed to add image metadata";
    let (mut fields, _) = read_image(body, ACTION).await?;
    fields.status.get_or_insert(ImageStatus::Active);
    let id = fields.id.get_or_insert_with(ImageId::random).clone();
    match db.image_insert(&ctx, fields).await {
        Ok(image) => Ok(record(&image)),
        Err(Error::Duplicate(_)) => Err(ApiError::conflict(format!("Image with identifier {id} already exists!"))),
        Err(error) => Err(invalid(ACTION, error)),
    }
}

pub(super) async fn update(
    State(db): Db,
    Writer(ctx): Writer,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    const ACTION: &str = "Failed to update image metadata";
    let Some(id) = ImageId::parse(&id) else { return Ok(image_not_found()) };
    let (fields, from_status) = read_image(body, ACTION).await?;
    let purge_props = headers.get(PURGE_PROPS_HEADER).is_some_and(|value| value == "true");
    match db.image_update(&ctx, &id, fields, UpdateMode { purge_props, from_status }).await {
        Ok(image) => Ok(record(&image)),
        // v1 does not tell an image that is not the caller's from one that is not there (v1-api D5).
        Err(Error::NotFound(_) | Error::Forbidden(_)) => Ok(image_not_found()),
        Err(error) => Err(invalid(ACTION, error)),
    }
}

pub(super) async fn delete(State(db): Db, Writer(ctx): Writer, Path(id): Path<String>) -> Result<Response, ApiError> {
    db.image_delete(&ctx, &image_id(&id)?, None).await.map_err(refused)?;
    Ok(answer(&Value::Null))
}

fn record(image: &Image) -> Response {
    answer(&json!({"image": encode_full(image)}))
}

/// The API quotes this body in its own answer, so it is just this (v1-api §11).
fn image_not_found() -> Response {
    (StatusCode::NOT_FOUND, "Image not found").into_response()
}

/// Reads the body of create and update: the fields, and the status that the change starts from.
async fn read_image(body: Body, action: &str) -> Result<(ImageFields, Option<ImageStatus>), ApiError> {
    let body = read(body).await?.unwrap_or_default();
    let image = body["image"]
        .as_object()
        .ok_or_else(|| ApiError::bad_request("The body must be an object with key 'image'"))?;
    let fields = decode_fields(image).map_err(|error| invalid(action, error.into()))?;
    let from_status = match &body[FROM_STATE_KEY] {
        Value::Null => None,
        Value::String(word) => Some(word.parse().map_err(|()| bad_from_state())?),
        _ => return Err(bad_from_state()),
    };
    Ok((fields, from_status))
}

fn bad_from_state() -> ApiError {
    ApiError::bad_request(format!("Invalid value for {FROM_STATE_KEY}: must be an image status"))
}

/// Clients look for this chain of words around a broken rule (v1-api §6).
fn invalid(action: &str, error: Error) -> ApiError {
    match error {
        Error::Invalid(_) => ApiError::bad_request(format!("{action}. Got error: {error}")),
        error => refused(error),
    }
}

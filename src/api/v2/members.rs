//! Sharing images with other projects (v2-images §9).

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::body::{self, explained};
use super::failure::{missing, not_found};
use super::images::{Answer, known_id};
use super::{Shared, views};
use crate::api::error::ApiError;
use crate::model::{Context, Sharing, zulu};

/// `GET /images/{id}/members`
pub(super) async fn index(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let id = known_id(&id, not_found)?;
    let members = v2.images.sharings(&ctx, &id).await.map_err(|error| missing(error, not_found))?;
    let members: Vec<Value> = members.iter().map(view).collect();
    Ok(views::ok(&json!({"members": members, "schema": "/v2/schemas/members"})))
}

/// `POST /images/{id}/members`
pub(super) async fn add(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    const FORM: &str = r#"Expected a member in the form: {"member": "image_id"}"#;
    let document = object(&headers, body, FORM).await?;
    let member = match document.get("member") {
        None => return Err(explained("Member to be added not specified").into()),
        Some(Value::String(member)) if !member.is_empty() => member,
        Some(nothing) if is_empty(nothing) => return Err(explained("Member can't be empty").into()),
        Some(_) => return Err(explained(FORM).into()),
    };
    let id = known_id(&id, not_found)?;
    let added = v2.images.sharing_add(&ctx, &id, member).await.map_err(|error| missing(error, not_found))?;
    Ok(views::ok(&view(&added)))
}

/// `GET /images/{id}/members/{member}`
pub(super) async fn show(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path((id, member)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let id = known_id(&id, not_found)?;
    let found = v2.images.sharing(&ctx, &id, &member).await.map_err(|error| missing(error, not_found))?;
    Ok(views::ok(&view(&found)))
}

/// `PUT /images/{id}/members/{member}`
pub(super) async fn answer(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path((id, member)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let document = object(&headers, body, r#"Expected a status in the form: {"status": "status"}"#).await?;
    let status = document.get("status").ok_or_else(|| explained("Status not specified"))?;
    let status = status.as_str().and_then(|word| word.parse().ok());
    let id = known_id(&id, not_found)?;
    let answered = v2.images.sharing_answer(&ctx, &id, &member, status).await;
    Ok(views::ok(&view(&answered.map_err(|error| missing(error, not_found))?)))
}

/// `DELETE /images/{id}/members/{member}`
pub(super) async fn remove(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path((id, member)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let id = known_id(&id, not_found)?;
    v2.images.sharing_end(&ctx, &id, &member).await.map_err(|error| missing(error, not_found))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Reads an object; who sends a list hears of the `form`.
async fn object(headers: &HeaderMap, body: Body, form: &'static str) -> Result<Map<String, Value>, ApiError> {
    match body::read(headers, body).await? {
        Value::Object(object) => Ok(object),
        _ => Err(explained(form)),
    }
}

/// What Python takes for nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) => false,
    }
}

/// A membership as everybody reads it.
fn view(sharing: &Sharing) -> Value {
    json!({
        "member_id": sharing.member,
        "image_id": sharing.image_id.as_str(),
        "status": sharing.status.as_str(),
        "created_at": zulu(sharing.created_at),
        "updated_at": zulu(sharing.updated_at),
        "schema": "/v2/schemas/member",
    })
}

//! Images: list, show, create, update, delete (v1-api §9–§13).

use std::net::SocketAddr;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde_json::{Value, json};

use super::headers::{self, Meta};
use super::request::{Data, data, image_id};
use super::views;
use crate::api::base_url::BaseUrl;
use crate::api::error::ApiError;
use crate::api::json::answer;
use crate::api::range;
use crate::images::{Brings, Copy, Images, Requester, Upload};
use crate::model::{Context, Image, ImageStatus, truthy};
use crate::wire;

type Answer = Result<Response, ApiError>;

/// `GET /images`
pub(super) async fn index(state: State<Images>, ctx: Extension<Context>, uri: Uri) -> Answer {
    list(&state, &ctx, &uri, wire::encode_brief).await
}

/// `GET /images/detail`
pub(super) async fn detail(state: State<Images>, ctx: Extension<Context>, uri: Uri) -> Answer {
    list(&state, &ctx, &uri, wire::encode_detail).await
}

async fn list(images: &Images, ctx: &Context, uri: &Uri, view: fn(&Image) -> Value) -> Answer {
    let query = wire::parse_query(uri.query().unwrap_or(""), wire::Side::Api).map_err(ApiError::bad_request)?;
    let page = images.index(ctx, &query).await?;
    let list: Vec<Value> = page.iter().map(|image| view(&images.as_seen(ctx, image))).collect();
    Ok(answer(&json!({ "images": list })))
}

/// `HEAD /images/{id}`
pub(super) async fn meta(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Extension(base): Extension<BaseUrl>,
    Path(id): Path<String>,
) -> Answer {
    let image = images.show(&ctx, &image_id(&id)?).await?;
    let mut headers = headers::write(&images.as_seen(&ctx, &image), image.size, &base.v1_image(&image.id));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    Ok((StatusCode::OK, headers).into_response())
}

/// `GET /images/{id}`: the data, or the part of it that a `Range` names.
pub(super) async fn show(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Extension(base): Extension<BaseUrl>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Path(id): Path<String>,
    request: HeaderMap,
) -> Answer {
    let requester = Requester { address: peer.map(|Extension(ConnectInfo(peer))| peer.ip().to_string()) };
    let download = images.download(&ctx, &image_id(&id)?, range::wanted(&request)?, &requester).await?;
    let image = images.as_seen(&ctx, &download.image);
    let mut headers = headers::write(&image, download.size, &base.v1_image(&image.id));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let (status, length) = match (download.size, download.part) {
        (Some(size), Some(part)) => {
            headers.insert(CONTENT_RANGE, range::content_range(&part, size));
            (StatusCode::PARTIAL_CONTENT, Some(part.end - part.start))
        }
        (size, _) => (StatusCode::OK, size),
    };
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok((status, headers, Body::from_stream(download.data)).into_response())
}

/// `POST /images`
pub(super) async fn create(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Extension(base): Extension<BaseUrl>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let meta = headers::read(&headers)?;
    let data = data(&headers, body)?;
    // Data that comes along wins over a location; its place becomes the location.
    let location = meta.location.clone().filter(|_| data.is_none() && meta.copy_from.is_none());
    if let Some(uri) = &meta.copy_from {
        images.check_copy_source(uri)?;
    }
    images.check_size_cap(data.as_ref().and_then(|data| data.length))?;
    let image = images.create(&ctx, meta.fields.clone(), location.as_deref()).await?;
    let image = receive(&images, &ctx, image, &meta, data).await?;
    let image = images.as_seen(&ctx, &image);
    Ok(views::image(StatusCode::CREATED, &image, headers::identity(&image, &base.v1_image(&image.id))))
}

/// `PUT /images/{id}`
pub(super) async fn update(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Extension(base): Extension<BaseUrl>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let id = image_id(&id)?;
    let meta = headers::read(&headers)?;
    let data = data(&headers, body)?;
    let brings = match (data.is_some(), meta.location.is_some() || meta.copy_from.is_some()) {
        (true, _) => Brings::Data,
        (false, true) => Brings::Location,
        (false, false) => Brings::Nothing,
    };
    let image = images.open_for_update(&ctx, &id, brings).await?;
    if let Some(uri) = &meta.copy_from {
        images.check_copy_source(uri)?;
    }
    let location = meta.location.as_deref().filter(|_| brings == Brings::Location && meta.copy_from.is_none());
    let purge = brings != Brings::Data && purge_props(&headers);
    let image = images.update(&ctx, &image, meta.fields.clone(), location, purge).await?;
    let image = receive(&images, &ctx, image, &meta, data).await?;
    let image = images.as_seen(&ctx, &image);
    Ok(views::image(StatusCode::OK, &image, headers::identity(&image, &base.v1_image(&image.id))))
}

/// `DELETE /images/{id}`
pub(super) async fn remove(
    State(images): State<Images>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
) -> Answer {
    images.delete(&ctx, &image_id(&id)?).await?;
    // Clients parse what is labelled as JSON, so there is a body.
    Ok(answer(&Value::Null))
}

/// Takes what the request brings for a queued image: data, or a place to copy it from.
async fn receive(
    images: &Images,
    ctx: &Context,
    image: Image,
    meta: &Meta,
    data: Option<Data>,
) -> Result<Image, ApiError> {
    let size = meta.fields.size.flatten().filter(|size| *size > 0);
    let (checksum, store) = (meta.checksum.clone(), meta.store.clone());
    match (data, meta.copy_from.clone()) {
        (Some(data), _) if !data.is_octet_stream => {
            images.kill(ctx, &image, ImageStatus::Queued).await;
            Err(ApiError::bad_request("").explained("Content-Type must be application/octet-stream"))
        }
        (Some(data), _) => {
            let upload = Upload { data: data.stream, length: data.length, size, checksum, store };
            Ok(images.upload(ctx, &image, upload).await?)
        }
        (None, Some(uri)) => Ok(images.copy_from(ctx, &image, Copy { uri, store, size, checksum }).await?),
        (None, None) => Ok(image),
    }
}

/// Properties that an update without data does not name are removed, unless the header says otherwise.
fn purge_props(headers: &HeaderMap) -> bool {
    let header = headers.get(wire::PURGE_PROPS_HEADER).and_then(|value| value.to_str().ok());
    header.is_none_or(truthy)
}

//! Images: create, list, show, change, delete (v2-images §6).

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use serde::Serialize;

use super::failure::{Failure, missing};
use super::{Shared, body, changes, location_patch, patch, query, views};
use crate::api::base_url::BaseUrl;
use crate::api::error::ApiError;
use crate::model::{Context, ImageId};
use crate::store::Store as _;

/// What handlers yield.
pub(super) type Answer = Result<Response, Failure>;

/// Tells `openstacksdk` which ways of import there are.
const IMPORT_METHODS: HeaderName = HeaderName::from_static("openstack-image-import-methods");

/// The stores that data may be sent to, where there are several.
const STORE_IDS: HeaderName = HeaderName::from_static("openstack-image-store-ids");

/// `POST /images`
pub(super) async fn create(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Extension(base): Extension<BaseUrl>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let document = body::object(&headers, body).await?;
    let permitted = v2.images.permit_new(&ctx, changes::new_image(&document, &v2.schema)?).await?;
    changes::check_names(&document)?;
    let image = v2.images.register(&ctx, permitted).await?;
    let mut headers = HeaderMap::new();
    if let Ok(place) = HeaderValue::from_str(&base.v2_image(&image.id)) {
        headers.insert(LOCATION, place);
    }
    let methods = HeaderValue::from_str(&v2.settings.import_methods.join(","));
    if let Ok(methods) = methods
        && !methods.is_empty()
    {
        headers.insert(IMPORT_METHODS, methods);
    }
    let ids =
        v2.images.stores().unwrap_or_default().iter().filter_map(|store| store.id()).collect::<Vec<_>>().join(",");
    if let Ok(ids) = HeaderValue::from_str(&ids)
        && !ids.is_empty()
    {
        headers.insert(STORE_IDS, ids);
    }
    Ok(views::answer(StatusCode::CREATED, headers, &v2.image(&ctx, &image)))
}

/// A page of a list, in the order that Glance has these fields in.
#[derive(Serialize)]
struct Page<'a> {
    images: Vec<views::ImageView<'a>>,
    first: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    schema: &'static str,
}

/// `GET /images`
pub(super) async fn index(State(v2): State<Shared>, Extension(ctx): Extension<Context>, uri: Uri) -> Answer {
    let given = query::Parameters::decode(uri.query().unwrap_or("")).map_err(body::explained)?;
    let listing = query::parse_listing(&given, v2.settings.page).map_err(body::explained)?;
    let page = v2.images.list(&ctx, &listing).await?;
    Ok(views::ok(&Page {
        images: page.images.iter().map(|image| v2.image(&ctx, image)).collect(),
        first: query::first_link(&given),
        next: page.goes_on_after.map(|last| query::next_link(&given, &last)),
        schema: "/v2/schemas/images",
    }))
}

/// `GET /images/{id}`
pub(super) async fn show(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let image = v2.images.seen(&ctx, &image_id(&id)?).await?;
    Ok(views::ok(&v2.image(&ctx, &image)))
}

/// `PATCH /images/{id}`
pub(super) async fn update(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let spelling = patch::spelling(&headers)?;
    let operations = patch::parse(&body::read(&headers, body).await?, spelling)?;
    let said = location_patch::said(&operations);
    let changes = changes::of_patch(operations, spelling, &v2.schema)?;
    let image = v2.images.change(&ctx, &image_id(&id)?, changes).await?;
    let mut view = views::as_value(&v2.image(&ctx, &image))?;
    location_patch::echo(&mut view, &said);
    Ok(views::ok(&view))
}

/// `DELETE /images/{id}`
pub(super) async fn remove(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let text = |id: &str| format!("Failed to find image {id} to delete");
    let id = ImageId::parse(&id).ok_or_else(|| ApiError::not_found("").explained(text(&id)))?;
    v2.images.delete(&ctx, &id).await.map_err(|error| missing(error, text))?;
    Ok(no_content())
}

/// An id in a path; what cannot be one names no image.
pub(super) fn image_id(text: &str) -> Result<ImageId, ApiError> {
    known_id(text, |id| format!("No image found with ID {id}"))
}

/// The same, where a call says otherwise that there is no such image.
pub(super) fn known_id(text: &str, missing: impl FnOnce(&str) -> String) -> Result<ImageId, ApiError> {
    ImageId::parse(text).ok_or_else(|| ApiError::not_found("").explained(missing(text)))
}

/// 204.
pub(super) fn no_content() -> Response {
    empty(StatusCode::NO_CONTENT)
}

/// An answer without a body, labelled as Glance labels it.
pub(super) fn empty(status: StatusCode) -> Response {
    let html = HeaderValue::from_static("text/html; charset=UTF-8");
    (status, [(CONTENT_TYPE, html), (CONTENT_LENGTH, HeaderValue::from(0))]).into_response()
}

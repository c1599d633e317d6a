//! Where an image's data is, for services, and where services and users say that it is (v2-import-and-tasks §7).

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::body::{self, explained};
use super::failure::Failure;
use super::images::{Answer, empty, image_id};
use super::schema::check_location;
use super::{Shared, views};
use crate::images::{Error, PlaceRefusal};
use crate::model::{Context, OsHash};

/// `GET /images/{id}/locations`
pub(super) async fn index(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let locations = v2.images.locations(&ctx, &image_id(&id)?).await?;
    let entries: Value = locations.iter().map(|(url, metadata)| json!({"url": url, "metadata": metadata})).collect();
    Ok(views::ok(&entries))
}

/// `POST /images/{id}/locations`
pub(super) async fn add(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let location = body::read(&headers, body).await?;
    check_location(&location).map_err(explained)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let said = &location["validation_data"];
    let said = text(&said["os_hash_algo"]).zip(text(&said["os_hash_value"]));
    let said = said.map(|(algo, value)| OsHash { algo, value });
    let uri = text(&location["url"]).unwrap_or_default();
    v2.images.locate(&ctx, &image_id(&id)?, uri, said).await.map_err(refused)?;
    Ok(empty(StatusCode::ACCEPTED))
}

/// What cannot be a digest is refused in other words than those that patches hear.
fn refused(error: Error) -> Failure {
    match error {
        Error::Place(refusal @ PlaceRefusal::NotHex { .. }) => explained(refusal.to_string()).into(),
        Error::Place(PlaceRefusal::DigestSize { name, value, algorithm, bytes }) => {
            let text =
                format!("{name}: ({value}) is not the correct size for ({algorithm}) (should be ({bytes}) bytes)");
            explained(text).into()
        }
        error => error.into(),
    }
}

//! Where an image's data is, for services (v2-import-and-tasks §7).

use axum::Extension;
use axum::extract::{Path, State};
use http::HeaderMap;
use serde_json::{Value, json};

use super::images::{Answer, image_id};
use super::{Shared, body, views};
use crate::model::Context;

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

//! Putting images to rest and back to work (v2-images §6.6).

use axum::Extension;
use axum::extract::{Path, State};
use http::HeaderMap;

use super::images::{Answer, image_id, no_content};
use super::{Shared, body};
use crate::model::Context;

/// `POST /images/{id}/actions/deactivate`
pub(super) async fn deactivate(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    v2.images.deactivate(&ctx, &image_id(&id)?).await?;
    Ok(no_content())
}

/// `POST /images/{id}/actions/reactivate`
pub(super) async fn reactivate(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    v2.images.reactivate(&ctx, &image_id(&id)?).await?;
    Ok(no_content())
}

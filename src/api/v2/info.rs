//! What this service offers, and the stores behind it (v2-images §10). This one has a single store.

use axum::Extension;
use axum::extract::State;
use http::HeaderMap;
use serde_json::{Map, json};

use super::images::Answer;
use super::{Shared, body, views};
use crate::api::error::ApiError;
use crate::model::Context;

/// `GET /info/import`
pub(super) async fn import(State(v2): State<Shared>, headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    Ok(views::ok(&json!({"import-methods": {
        "description": "Import methods available.",
        "type": "array",
        "value": v2.settings.import_methods,
    }})))
}

/// `GET /info/stores` and `GET /info/stores/detail`: with a single store there is nothing to choose from, whoever asks.
pub(super) async fn stores(headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    Err(ApiError::not_found("").explained("Multi backend is not supported at this site.").into())
}

/// `GET /info/usage`: what the caller's project takes and may take; without limits kept by Keystone nothing is counted
/// (policy-and-auth §8.2).
pub(super) async fn usage(State(v2): State<Shared>, Extension(ctx): Extension<Context>) -> Answer {
    let usages = v2.images.usages(&ctx).await?;
    let entries = usages.into_iter().map(|(resource, usage, limit)| {
        let limit = limit.map_or(json!(-1), |limit| json!(limit));
        (resource.name().to_owned(), json!({"usage": usage, "limit": limit}))
    });
    Ok(views::ok(&json!({"usage": entries.collect::<Map<_, _>>()})))
}

/// `DELETE /stores/{store}/{id}`: the only store keeps what it has.
pub(super) async fn delete_from_store(headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    Err(ApiError::not_found("").into())
}

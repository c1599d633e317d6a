//! What this service offers, and the stores behind it (v2-images §10).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::failure::missing;
use super::images::{Answer, no_content};
use super::{Shared, body, views};
use crate::api::error::ApiError;
use crate::model::{Context, ImageId};
use crate::store::{ServiceStore, Store as _};

/// `GET /info/import`
pub(super) async fn import(State(v2): State<Shared>, headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    Ok(views::ok(&json!({"import-methods": {
        "description": "Import methods available.",
        "type": "array",
        "value": v2.settings.import_methods,
    }})))
}

/// `GET /info/stores`: with a single store there is nothing to choose from.
pub(super) async fn stores(State(v2): State<Shared>, headers: HeaderMap) -> Answer {
    body::none(&headers)?;
    told(v2.images.stores(), |_| Map::new())
}

/// `GET /info/stores/detail`: that there is nothing to choose from comes before who may know.
pub(super) async fn stores_in_detail(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    let detail = |store: &ServiceStore| {
        let all =
            [("type", json!(store.kind)), ("properties", json!(store.properties())), ("weight", json!(store.weight))];
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    told(v2.images.stores_in_detail(&ctx).await?, detail)
}

/// Each of several stores, and more of it.
fn told(stores: Option<&[Arc<ServiceStore>]>, more: impl Fn(&ServiceStore) -> Map<String, Value>) -> Answer {
    let Some(stores) = stores else {
        return Err(ApiError::not_found("").explained("Multi backend is not supported at this site.").into());
    };
    let entry = |store: &Arc<ServiceStore>| {
        let mut entry = Map::new();
        let flag = |set: bool| set.then(|| json!("true"));
        for (name, value) in [
            ("id", store.id().map(|id| json!(id))),
            ("description", store.description.as_ref().map(|text| json!(text))),
            ("default", flag(store.is_default)),
            ("read-only", flag(store.is_read_only())),
        ] {
            entry.extend(value.map(|value| (name.to_owned(), value)));
        }
        entry.extend(more(store));
        Value::Object(entry)
    };
    Ok(views::ok(&json!({"stores": stores.iter().map(entry).collect::<Vec<_>>()})))
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
pub(super) async fn delete_from_store(
    State(v2): State<Shared>,
    Extension(ctx): Extension<Context>,
    Path((store, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    body::none(&headers)?;
    if v2.images.stores().is_none() {
        return Err(ApiError::not_found("").into());
    }
    let text = |id: &str| format!("Failed to find image {id}");
    // A store that is not here is told of first, and an id that can be none names no image.
    let image = ImageId::parse(&id).unwrap_or_else(ImageId::random);
    v2.images.withdraw(&ctx, &store, &image).await.map_err(|error| missing(error, |_| text(&id)))?;
    Ok(no_content())
}

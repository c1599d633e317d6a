//! Images in answers (v2-images §4).

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::Shared;
use crate::api::error::ApiError;
use crate::model::{Context, Image, ImageStatus, zulu};
use crate::store::STORE_NOTE;

/// An answer with this JSON.
pub(super) fn answer(status: StatusCode, headers: HeaderMap, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(json) => (status, [(CONTENT_TYPE, "application/json")], headers, json).into_response(),
        Err(error) => unwritable(&error).into_response(),
    }
}

/// The JSON as a value, for who has to add something.
pub(super) fn as_value(value: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(|error| unwritable(&error))
}

fn unwritable(error: &serde_json::Error) -> ApiError {
    tracing::error!(%error, "an answer cannot be written as JSON");
    ApiError::internal()
}

/// 200 with this JSON.
pub(super) fn ok(value: &impl Serialize) -> Response {
    answer(StatusCode::OK, HeaderMap::new(), value)
}

/// An image as its reader gets it.
pub(super) struct ImageView<'a> {
    v2: &'a Shared,
    image: Cow<'a, Image>,
    /// As far as this reader may know them.
    locations: Vec<Place>,
}

/// A location in plain text, and what is noted of it.
type Place = (String, Map<String, Value>);

impl Shared {
    /// What this caller sees of an image.
    pub(super) fn image<'a>(&'a self, ctx: &Context, image: &'a Image) -> ImageView<'a> {
        let image = self.images.as_seen(ctx, image);
        let locations = self.locations(ctx, &image);
        ImageView { v2: self, image, locations }
    }

    /// Where the data is, as far as the operator shows it; of a deactivated image only to admins.
    fn locations(&self, ctx: &Context, image: &Image) -> Vec<Place> {
        let shown = self.settings.show_multiple_locations || self.settings.show_image_direct_url;
        // The ids of their stores are shown without them.
        let shown = shown || self.images.stores().is_some();
        let secret = image.status == ImageStatus::Deactivated && !ctx.is_admin;
        if shown && !secret { self.images.shown_locations(image) } else { Vec::new() }
    }
}

impl Serialize for ImageView<'_> {
    /// The fields, in the order that Glance has them in.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { v2, image, locations } = self;
        let mut view = serializer.serialize_map(None)?;
        for (name, value) in image.shown_properties() {
            // v1 and other releases know fewer names: a property must not pass for an attribute (security S38).
            if v2.schema.is_base(name) {
                continue;
            }
            match value {
                None if !v2.schema.is_defined(name) => view.serialize_entry(name, "")?,
                value => view.serialize_entry(name, value)?,
            }
        }
        view.serialize_entry("name", &image.name)?;
        view.serialize_entry("disk_format", &image.disk_format)?;
        view.serialize_entry("container_format", &image.container_format)?;
        view.serialize_entry("visibility", image.visibility.as_str())?;
        view.serialize_entry("size", &image.size)?;
        view.serialize_entry("virtual_size", &image.virtual_size)?;
        view.serialize_entry("status", image.status.as_str())?;
        view.serialize_entry("checksum", &image.checksum)?;
        view.serialize_entry("protected", &image.protected)?;
        view.serialize_entry("min_ram", &image.min_ram)?;
        view.serialize_entry("min_disk", &image.min_disk)?;
        view.serialize_entry("owner", &image.owner)?;
        view.serialize_entry("os_hidden", &image.os_hidden)?;
        view.serialize_entry("os_hash_algo", &image.os_hash_algo)?;
        view.serialize_entry("os_hash_value", &image.os_hash_value)?;
        view.serialize_entry("id", image.id.as_str())?;
        view.serialize_entry("created_at", &zulu(image.created_at))?;
        view.serialize_entry("updated_at", &zulu(image.updated_at))?;
        if v2.settings.show_multiple_locations {
            let entries: Vec<_> = locations.iter().map(|(url, metadata)| LocationView { url, metadata }).collect();
            view.serialize_entry("locations", &entries)?;
        }
        if v2.settings.show_image_direct_url
            && let Some((url, _)) = locations.first()
        {
            view.serialize_entry("direct_url", url)?;
        }
        view.serialize_entry("tags", &image.tags)?;
        view.serialize_entry("self", &format_args!("/v2/images/{}", image.id))?;
        view.serialize_entry("file", &format_args!("/v2/images/{}/file", image.id))?;
        view.serialize_entry("schema", "/v2/schemas/image")?;
        let stores = self.stores();
        if !stores.is_empty() {
            view.serialize_entry("stores", &stores.join(","))?;
        }
        view.end()
    }
}

impl ImageView<'_> {
    /// The ids of the stores that have the data, where there are several to be told of.
    fn stores(&self) -> Vec<&str> {
        let told = self.locations.iter().filter(|_| self.v2.images.stores().is_some());
        told.filter_map(|(_, metadata)| metadata.get(STORE_NOTE)?.as_str()).collect()
    }
}

#[derive(serde::Serialize)]
struct LocationView<'a> {
    url: &'a str,
    metadata: &'a Map<String, Value>,
}

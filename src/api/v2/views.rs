//! Images in answers (v2-images §4).

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::Shared;
use crate::model::{Context, Image, ImageStatus, zulu};
use crate::store::STORE_NOTE;

/// An answer with this JSON.
pub(super) fn answer(status: StatusCode, headers: HeaderMap, value: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], headers, value.to_string()).into_response()
}

/// 200 with this JSON.
pub(super) fn ok(value: &Value) -> Response {
    answer(StatusCode::OK, HeaderMap::new(), value)
}

impl Shared {
    /// An image as its readers get it, in this order of fields.
    pub(super) fn image(&self, ctx: &Context, image: &Image) -> Value {
        let image = &*self.images.as_seen(ctx, image);
        let mut view = Map::new();
        for (name, value) in image.shown_properties() {
            // v1 and other releases know fewer names: a property must not pass for an attribute (security S38).
            if !self.schema.is_base(name) {
                view.insert(
                    name.clone(),
                    match value {
                        None if !self.schema.is_defined(name) => json!(""),
                        value => json!(value),
                    },
                );
            }
        }
        for (field, value) in [
            ("name", json!(image.name)),
            ("disk_format", json!(image.disk_format)),
            ("container_format", json!(image.container_format)),
            ("visibility", json!(image.visibility.as_str())),
            ("size", json!(image.size)),
            ("virtual_size", json!(image.virtual_size)),
            ("status", json!(image.status.as_str())),
            ("checksum", json!(image.checksum)),
            ("protected", json!(image.protected)),
            ("min_ram", json!(image.min_ram)),
            ("min_disk", json!(image.min_disk)),
            ("owner", json!(image.owner)),
            ("os_hidden", json!(image.os_hidden)),
            ("os_hash_algo", json!(image.os_hash_algo)),
            ("os_hash_value", json!(image.os_hash_value)),
            ("id", json!(image.id.as_str())),
            ("created_at", json!(zulu(image.created_at))),
            ("updated_at", json!(zulu(image.updated_at))),
        ] {
            view.insert(field.to_owned(), value);
        }
        let stores = self.insert_locations(ctx, image, &mut view);
        view.insert("tags".to_owned(), json!(image.tags));
        view.insert("self".to_owned(), json!(format!("/v2/images/{}", image.id)));
        view.insert("file".to_owned(), json!(format!("/v2/images/{}/file", image.id)));
        view.insert("schema".to_owned(), json!("/v2/schemas/image"));
        if !stores.is_empty() {
            view.insert("stores".to_owned(), json!(stores.join(",")));
        }
        Value::Object(view)
    }

    /// Where the data is, as far as the operator shows it; of a deactivated image only to admins. Yields the ids of the stores,
    /// where there are several to be told of.
    fn insert_locations(&self, ctx: &Context, image: &Image, view: &mut Map<String, Value>) -> Vec<String> {
        let secret = image.status == ImageStatus::Deactivated && !ctx.is_admin;
        let locations = if secret { Vec::new() } else { self.images.shown_locations(image) };
        if self.settings.show_multiple_locations {
            let entry = |(url, metadata): &(String, Map<String, Value>)| json!({"url": url, "metadata": metadata});
            view.insert("locations".to_owned(), locations.iter().map(entry).collect());
        }
        if self.settings.show_image_direct_url
            && let Some((url, _)) = locations.first()
        {
            view.insert("direct_url".to_owned(), json!(url));
        }
        let told = locations.iter().filter(|_| self.images.stores().is_some());
        told.filter_map(|(_, metadata)| metadata.get(STORE_NOTE)?.as_str().map(str::to_owned)).collect()
    }
}

//! Fuzz targets of what v2 reads: see the crate `fuzzing` for how they are run and run for longer.

mod create;
mod patch;
mod ranges;

use serde_json::{Value, json};

use super::schema::ImageSchema;
use super::{CustomProperties, Settings};
use crate::api::error::ApiError;
use crate::db::sql::PageLimits;

/// A schema with properties of the operator's beside those of every image.
fn schema() -> ImageSchema {
    let properties = json!({
        "defined": {"type": "integer"},
        "choice": {"type": ["null", "string"], "enum": [null, "a"]},
        "shape": {"type": "string", "pattern": "^[a-c]+$", "minLength": 2},
    });
    let settings = Settings {
        disk_formats: ["raw", "qcow2"].map(str::to_owned).into(),
        container_formats: ["bare", "ovf"].map(str::to_owned).into(),
        show_multiple_locations: true,
        show_image_direct_url: true,
        page: PageLimits { default: 25, max: 1000 },
        staging: true,
        import_methods: Vec::new(),
        custom: CustomProperties { properties: properties.as_object().unwrap().clone(), required: Vec::new() },
    };
    ImageSchema::new(&settings).unwrap()
}

/// The refusal, which must be one that clients can read: 400, or 403 for what is not theirs.
fn told(refusal: ApiError) -> String {
    assert!([400, 403].contains(&refusal.status.as_u16()), "{refusal:?}");
    let text = refusal.explanation.unwrap_or(refusal.detail);
    assert!(!text.is_empty());
    text
}

/// What kind of thing a text tells of, by its first letters.
pub(super) fn kind(text: &str) -> String {
    text.chars().take(40).filter(|c| c.is_alphabetic()).collect()
}

/// All texts in a document, names of members as well.
fn texts(document: &Value) -> Vec<&str> {
    match document {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| [vec![name.as_str()], texts(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

/// Words of documents.
const WORDS: [&str; 36] = [
    "\"name\"",
    "\"id\"",
    "\"status\"",
    "\"visibility\"",
    "\"protected\"",
    "\"os_hidden\"",
    "\"owner\"",
    "\"disk_format\"",
    "\"container_format\"",
    "\"min_ram\"",
    "\"min_disk\"",
    "\"tags\"",
    "\"locations\"",
    "\"location\"",
    "\"deleted\"",
    "\"os_glance_x\"",
    "\"os_hash_value\"",
    "\"validation_data\"",
    "\"metadata\"",
    "\"url\"",
    "\"defined\"",
    "\"choice\"",
    "\"shape\"",
    "\"stores\"",
    "\"self\"",
    "\"value\"",
    "\"qcow2\"",
    "\"public\"",
    "true",
    "null",
    "12",
    "{}",
    "[]",
    "[[[[",
    ": ",
    "\\u0000",
];

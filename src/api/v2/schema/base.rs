//! The properties that every image has, as their schema (v2-images §13).

use serde_json::{Map, Value, json};

use crate::api::v2::Settings;

/// UUIDs as the schema has them.
pub(super) const UUID: &str = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$";
const STATUSES: [&str; 9] =
    ["queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete", "deactivated"];

/// The base properties in the order of the document, with the formats that are configured.
pub(super) fn properties(settings: &Settings) -> Map<String, Value> {
    let text =
        |longest: u64, about: &str| json!({"type": ["null", "string"], "description": about, "maxLength": longest});
    let hash = |longest: u64, about: &str| json!({"type": ["null", "string"], "readOnly": true, "description": about, "maxLength": longest});
    let bytes = |about: &str| json!({"type": ["null", "integer"], "readOnly": true, "description": about});
    let fixed = |about: &str| json!({"type": "string", "readOnly": true, "description": about});
    let flag = |about: &str| json!({"type": "boolean", "description": about});
    let number = |about: &str| json!({"type": "integer", "description": about});
    let formats = |known: &[String], about: &str| {
        let words = std::iter::once(Value::Null).chain(known.iter().map(|word| json!(word)));
        json!({"type": ["null", "string"], "description": about, "enum": words.collect::<Vec<_>>()})
    };
    let short = json!({"type": "string", "maxLength": 255});
    let properties = [
        ("id", json!({"type": "string", "description": "UUID of the image", "pattern": UUID})),
        ("name", text(255, "Name for people; not unique")),
        (
            "status",
            json!({"type": "string", "readOnly": true, "description": "Where the image is in its life", "enum": STATUSES}),
        ),
        (
            "visibility",
            json!({
                "type": "string", "description": "Who may find and use the image",
                "enum": ["community", "public", "private", "shared"],
            }),
        ),
        ("protected", flag("The image cannot be deleted")),
        ("os_hidden", flag("The image is left out of lists that do not ask for it")),
        ("checksum", hash(32, "MD5 of the data, hexadecimal")),
        ("os_hash_algo", hash(64, "Algorithm of os_hash_value")),
        ("os_hash_value", hash(128, "Digest of the data, hexadecimal")),
        ("owner", text(255, "Project that owns the image")),
        ("size", bytes("Bytes of the data")),
        ("virtual_size", bytes("Bytes of the disk that the data describes")),
        ("container_format", formats(&settings.container_formats, "What is wrapped around the disk image")),
        ("disk_format", formats(&settings.disk_formats, "Format of the disk image")),
        ("created_at", fixed("When the image was registered")),
        ("updated_at", fixed("When the image was last changed")),
        ("tags", json!({"type": "array", "description": "Words to find the image by", "items": short})),
        ("direct_url", fixed("Where the data is")),
        ("min_ram", number("Memory in MiB that a server needs")),
        ("min_disk", number("Disk in GiB that a server needs")),
        ("self", fixed("Where this record is")),
        ("file", fixed("Where the data is downloaded")),
        ("stores", fixed("Stores that hold the data, separated by commas")),
        ("schema", fixed("Where this record's schema is")),
        ("locations", locations()),
    ];
    properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// The list of places of the data.
fn locations() -> Value {
    json!({
        "type": "array", "description": "Places of the data and what is known of each",
        "items": {
            "type": "object", "required": ["url", "metadata"],
            "properties": {
                "url": {"type": "string", "maxLength": 255},
                "metadata": {"type": "object"},
                "validation_data": {
                    "type": "object", "description": "What the data must be", "writeOnly": true,
                    "additionalProperties": false, "required": ["os_hash_algo", "os_hash_value"],
                    "properties": {
                        "checksum": {"type": "string", "minLength": 32, "maxLength": 32},
                        "os_hash_algo": {"type": "string", "maxLength": 64},
                        "os_hash_value": {"type": "string", "maxLength": 128},
                    },
                },
            },
        },
    })
}

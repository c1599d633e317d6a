//! The schema of an image: what clients download, and what their values are judged by (v2-images §4, §13).
//!
//! A validator of our own, for the dozen words this one schema uses: the libraries' cost minutes of build time, and their
//! texts are not those that clients of Python's know.

use serde_json::{Map, Value, json};

use super::Settings;

/// UUIDs as the schema has them.
const UUID: &str = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$";
const STATUSES: [&str; 9] =
    ["queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete", "deactivated"];

/// The schema of an image of this deployment.
#[derive(Debug)]
pub(super) struct ImageSchema {
    properties: Map<String, Value>,
}

impl ImageSchema {
    /// With the formats that are configured.
    pub(super) fn new(settings: &Settings) -> Self {
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
        Self { properties: properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect() }
    }

    /// Whether it is not a custom property.
    pub(super) fn is_base(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    /// Whether `value` may be that of `name`; custom properties are text. The refusal is what a client reads.
    pub(super) fn check(&self, name: &str, value: &Value) -> Result<(), String> {
        let custom = json!({"type": "string"});
        let schema = self.properties.get(name).unwrap_or(&custom);
        check(schema, value, &format!("['{name}']"))
            .map_err(|violation| format!("Provided object does not match schema 'image': {violation}"))
    }
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

/// Judges `value` by the words of `schema`; the violation tells which word, of what.
fn check(schema: &Value, value: &Value, path: &str) -> Result<(), String> {
    let violation = |word: &str, text: String| {
        Err(format!(
            "{text}\n\nFailed validating '{word}' in schema['properties']{path}\n\nOn instance{path}:\n    {value}"
        ))
    };
    if !allowed_types(schema).is_none_or(|mut types| types.any(|name| is_of_type(value, name))) {
        let names: Vec<String> = allowed_types(schema).into_iter().flatten().map(|name| format!("'{name}'")).collect();
        return violation("type", format!("{} is not of type {}", python(value), names.join(", ")));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        let words: Vec<String> = words.iter().map(python).collect();
        return violation("enum", format!("{} is not one of [{}]", python(value), words.join(", ")));
    }
    if let Value::String(text) = value {
        let length = text.chars().count() as u64;
        if schema["maxLength"].as_u64().is_some_and(|longest| length > longest) {
            return violation("maxLength", format!("{} is too long", python(value)));
        }
        if schema["minLength"].as_u64().is_some_and(|shortest| length < shortest) {
            return violation("minLength", format!("{} is too short", python(value)));
        }
        if schema["pattern"] == UUID && !is_uuid(text) {
            return violation("pattern", format!("{} does not match '{UUID}'", python(value)));
        }
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        check(&schema["items"], item, &format!("{path}[{place}]"))?;
    }
    let Value::Object(members) = value else { return Ok(()) };
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.into_iter().find(|name| !members.contains_key(*name)) {
        return violation("required", format!("'{missing}' is a required property"));
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(schema) => check(schema, member, &format!("{path}['{name}']"))?,
            None if schema["additionalProperties"] == false => {
                let text = format!("Additional properties are not allowed ('{name}' was unexpected)");
                return violation("additionalProperties", text);
            }
            None => {}
        }
    }
    Ok(())
}

/// The types that a schema allows; `None`: any.
fn allowed_types(schema: &Value) -> Option<impl Iterator<Item = &str>> {
    let types = match schema.get("type")? {
        Value::Array(types) => types.as_slice(),
        one => std::slice::from_ref(one),
    };
    Some(types.iter().filter_map(Value::as_str))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        // 1.0 is an integer in Python's eyes.
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let hexadecimal = |group: &&str| group.bytes().all(|b| b.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(hexadecimal)
}

/// The value as Python prints it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let pairs: Vec<_> = members.iter().map(|(name, value)| format!("'{name}': {}", python(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        number => number.to_string(),
    }
}

//! From a document or a patch to what is to become of an image, by the schema and the names that are not the client's
//! (v2-images §6.1, §6.4).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::body::explained;
use super::location_patch;
use super::patch::{Op, Operation, Spelling};
use super::schema::ImageSchema;
use crate::api::error::ApiError;
use crate::images::{Attribute, Change};
use crate::model::{ImageFields, ImageId, Visibility, is_own_property};

/// Attributes that a new image may not name.
const READ_ONLY: [&str; 13] = [
    "created_at",
    "updated_at",
    "status",
    "checksum",
    "size",
    "virtual_size",
    "direct_url",
    "self",
    "file",
    "schema",
    "os_hash_algo",
    "os_hash_value",
    "stores",
];
/// Those of them that are looked for before all else.
const LINKS: [&str; 5] = ["direct_url", "self", "file", "schema", "stores"];
/// Names that clients of v1 would take for something else.
const RESERVED: [&str; 3] = ["location", "deleted", "deleted_at"];
/// Longest name of a property.
const MAX_NAME: usize = 255;

/// The fields of a new image.
pub(super) fn new_image(body: &Map<String, Value>, schema: &ImageSchema) -> Result<ImageFields, ApiError> {
    let named = |names: &[&'static str]| names.iter().copied().find(|name| body.contains_key(*name));
    if let Some(name) = named(&LINKS) {
        return Err(read_only(name));
    }
    for (name, value) in body {
        schema.check(name, value).map_err(explained)?;
    }
    schema.check_required(body).map_err(explained)?;
    let custom = || body.iter().filter(|(name, _)| !schema.is_base(name));
    if custom().any(|(name, _)| name.chars().count() > MAX_NAME) {
        return Err(explained("Custom property should not be greater than 255 characters."));
    }
    if let Some((name, _)) = custom().find(|(name, _)| is_reserved(name)) {
        return Err(ApiError::forbidden(format!("Attribute '{name}' is reserved.")));
    }
    let mut fields = ImageFields::default();
    let mut properties = std::collections::BTreeMap::new();
    for (name, value) in body {
        match name.as_str() {
            "id" => fields.id = value.as_str().and_then(ImageId::parse),
            _ => match attribute(name, value) {
                Some(attribute) => attribute.set(&mut fields),
                None => drop(properties.insert(name.clone(), custom_value(value))),
            },
        }
    }
    fields.properties = Some(properties);
    Ok(fields)
}

/// Refuses what a new image may not name; Glance looks at that only after it has asked its policy.
pub(super) fn check_names(body: &Map<String, Value>) -> Result<(), ApiError> {
    if let Some(name) = READ_ONLY.iter().find(|name| body.contains_key(**name)) {
        return Err(read_only(name));
    }
    if body.contains_key("locations") {
        return Err(explained_forbidden("Attribute 'locations' is reserved.".to_owned()));
    }
    Ok(())
}

/// The changes that a patch asks for; every operation is judged before any of them is made.
pub(super) fn of_patch(
    operations: Vec<Operation>,
    spelling: Spelling,
    schema: &ImageSchema,
) -> Result<Vec<Change>, ApiError> {
    operations.into_iter().map(|operation| change(operation, spelling, schema)).collect()
}

fn change(operation: Operation, spelling: Spelling, schema: &ImageSchema) -> Result<Change, ApiError> {
    if operation.path.first().is_some_and(|root| root == "locations") {
        return location_patch::change(operation, schema).map(Change::Places);
    }
    let Operation { op, path, value } = operation;
    let name = path.into_iter().next().unwrap_or_default();
    if name == "id" || READ_ONLY.contains(&name.as_str()) {
        return Err(read_only(&name));
    }
    if is_reserved(&name) {
        return Err(explained_forbidden(format!("Attribute '{name}' is reserved.")));
    }
    if op == Op::Remove {
        let base = schema.is_base(&name);
        return Ok(if base { Change::RemoveAttribute(name) } else { Change::RemoveProperty(name) });
    }
    schema.check(&name, &value).map_err(explained)?;
    if name.chars().count() > MAX_NAME {
        return Err(explained("Custom property should not be greater than 255 characters."));
    }
    let only_new = op == Op::Add && spelling == Spelling::V2_0;
    Ok(match attribute(&name, &value) {
        Some(_) if only_new => Change::AddAttribute(name),
        Some(attribute) => Change::SetAttribute(attribute),
        None => {
            let value = custom_value(&value);
            match op {
                Op::Replace => Change::ReplaceProperty { name, value },
                _ => Change::AddProperty { name, value, only_new },
            }
        }
    })
}

/// The attribute of this name with this value, which the schema has let pass; `None` for a custom property.
fn attribute(name: &str, value: &Value) -> Option<Attribute> {
    let text = || value.as_str().map(str::to_owned);
    Some(match name {
        "name" => Attribute::Name(text()),
        "visibility" => {
            Attribute::Visibility(value.as_str().and_then(|word| word.parse().ok()).unwrap_or(Visibility::Shared))
        }
        "protected" => Attribute::Protected(value == true),
        "os_hidden" => Attribute::Hidden(value == true),
        "owner" => Attribute::Owner(text()),
        "disk_format" => Attribute::DiskFormat(text()),
        "container_format" => Attribute::ContainerFormat(text()),
        "min_ram" => Attribute::MinRam(size(value)),
        "min_disk" => Attribute::MinDisk(size(value)),
        "tags" => {
            let tags = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
            Attribute::Tags(tags.collect::<BTreeSet<_>>())
        }
        _ => return None,
    })
}

/// A custom property's value: text, or nothing where the operator's schema lets it be; so are other things kept as text.
fn custom_value(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A size that servers need. The schema lets whole numbers pass however they are written.
fn size(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64)).unwrap_or(i64::MAX)
}

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || is_own_property(name)
}

fn read_only(name: &str) -> ApiError {
    explained_forbidden(format!("Attribute '{name}' is read-only."))
}

fn explained_forbidden(text: String) -> ApiError {
    ApiError::forbidden("").explained(text)
}

//! Patches of an image's locations (v2-images §7).

use serde_json::{Value, json};

use super::body::explained;
use super::patch::{Op, Operation};
use super::schema::ImageSchema;
use crate::api::error::ApiError;
use crate::images::{Place, PlaceChange, Position, Validation};
use crate::model::OsHash;

/// The change that an operation on `/locations` asks for.
pub(super) fn change(operation: Operation, schema: &ImageSchema) -> Result<PlaceChange, ApiError> {
    let Operation { op, path, value } = operation;
    let position = path.get(1).and_then(|part| position(part));
    let entries = match op {
        Op::Remove => return Ok(PlaceChange::Remove(position)),
        Op::Add => json!([value]),
        Op::Replace => value,
    };
    schema.check("locations", &entries).map_err(explained)?;
    let mut places: Vec<Place> = entries.as_array().into_iter().flatten().map(place).collect();
    Ok(match (op, places.pop()) {
        (Op::Add, Some(place)) => PlaceChange::Add(position, place),
        (_, last) => PlaceChange::Replace(places.into_iter().chain(last).collect()),
    })
}

/// What the client says of data at each URL (`validation_data`).
pub(super) fn said(operations: &[Operation]) -> Vec<(Value, Value)> {
    let places = operations.iter().filter(|operation| operation.path.first().is_some_and(|root| root == "locations"));
    let entries = places.flat_map(|operation| match &operation.value {
        Value::Array(entries) => entries.as_slice(),
        entry => std::slice::from_ref(entry),
    });
    entries
        .map(|entry| (entry["url"].clone(), entry["validation_data"].clone()))
        .filter(|(_, said)| !said.is_null())
        .collect()
}

/// Repeats that in the answer, and only there.
pub(super) fn echo(image: &mut Value, said: &[(Value, Value)]) {
    let Some(locations) = image.get_mut("locations").and_then(Value::as_array_mut) else { return };
    for (url, said) in said {
        for location in locations.iter_mut().filter(|location| location["url"] == *url) {
            location["validation_data"] = said.clone();
        }
    }
}

/// Digits, or `-` for the end.
fn position(part: &str) -> Option<Position> {
    match part {
        "-" => Some(Position::End),
        // More digits than a number has are beyond any end.
        digits if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(Position::At(digits.parse().unwrap_or(usize::MAX)))
        }
        _ => None,
    }
}

/// An entry that the schema has let pass.
fn place(entry: &Value) -> Place {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said = &entry["validation_data"];
    Place {
        uri: text(&entry["url"]),
        metadata: entry["metadata"].as_object().cloned().unwrap_or_default(),
        validation: said.is_object().then(|| Validation {
            checksum: said["checksum"].as_str().map(str::to_owned),
            os_hash: OsHash { algo: text(&said["os_hash_algo"]), value: text(&said["os_hash_value"]) },
        }),
    }
}

//! The schemas: what clients download, and what the values of an image are judged by (v2-images §4, §13).

mod base;
mod check;
pub(super) mod documents;

use serde_json::{Map, Value, json};

use super::Settings;
use check::{Patterns, check};

/// Why there is no schema; the text is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    /// The file defines what every image has.
    #[error("'{0}' is a property that every image has; it cannot be defined again")]
    Clash(String),
    /// A definition is not an object.
    #[error("the definition of '{0}' is not an object")]
    NoDefinition(String),
    /// A pattern is not understood.
    #[error("the pattern of '{name}' is not understood: {source}")]
    Pattern { name: String, source: Box<regex::Error> },
}

/// The schema of an image of this deployment.
#[derive(Debug)]
pub(super) struct ImageSchema {
    properties: Map<String, Value>,
    /// Custom properties that a new image must have.
    required: Vec<String>,
    patterns: Patterns,
}

impl ImageSchema {
    /// With the formats and the custom properties that are configured.
    ///
    /// # Errors
    /// The custom properties do not go with the others.
    pub(super) fn new(settings: &Settings) -> Result<Self, SchemaError> {
        let mut properties = base::properties(settings);
        for (name, schema) in &settings.custom.properties {
            let Value::Object(mut schema) = schema.clone() else {
                return Err(SchemaError::NoDefinition(name.clone()));
            };
            schema.insert("is_base".to_owned(), json!(false));
            if properties.insert(name.clone(), Value::Object(schema)).is_some() {
                return Err(SchemaError::Clash(name.clone()));
            }
        }
        let mut patterns = Patterns::default();
        for (name, schema) in &properties {
            let prepared = patterns.prepare(schema);
            prepared.map_err(|source| SchemaError::Pattern { name: name.clone(), source: Box::new(source) })?;
        }
        Ok(Self { properties, required: settings.custom.required.clone(), patterns })
    }

    /// Whether every image has this property.
    pub(super) fn is_base(&self, name: &str) -> bool {
        self.properties.get(name).is_some_and(|schema| schema["is_base"] != false)
    }

    /// Whether it is a custom property that the operator has defined.
    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.properties.get(name).is_some_and(|schema| schema["is_base"] == false)
    }

    /// Whether `value` may be that of `name`; custom properties are text, unless they are defined otherwise. The refusal is
    /// what a client reads.
    pub(super) fn check(&self, name: &str, value: &Value) -> Result<(), String> {
        let custom = json!({"type": "string"});
        let schema = self.properties.get(name).unwrap_or(&custom);
        check(schema, value, &format!("['{name}']"), &self.patterns).map_err(|violation| refusal(&violation))
    }

    /// Whether a new image has all that the operator wants it to have.
    pub(super) fn check_required(&self, image: &Map<String, Value>) -> Result<(), String> {
        match self.required.iter().find(|name| !image.contains_key(*name)) {
            None => Ok(()),
            Some(name) => Err(refusal(&format!("'{name}' is a required property"))),
        }
    }
}

/// Whether `location` is what a client may say of data elsewhere (v2-import-and-tasks §7.1). Of other members nothing is
/// asked. The refusal is what a client reads.
pub(super) fn check_location(location: &Value) -> Result<(), String> {
    let schema = json!({
        "type": "object", "required": ["url"],
        "properties": {
            "url": {"type": "string"},
            "validation_data": {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "os_hash_algo": {"type": "string", "enum": ["sha1", "sha256", "sha512", "md5"]},
                    "os_hash_value": {"type": "string", "maxLength": 128},
                },
            },
        },
    });
    let refused = |violation: String| format!("Provided object does not match schema 'location': {violation}");
    check(&schema, location, "", &Patterns::default()).map_err(refused)?;
    let said = &location["validation_data"];
    for (one, other) in [("os_hash_algo", "os_hash_value"), ("os_hash_value", "os_hash_algo")] {
        if said.get(one).is_some() && said.get(other).is_none() {
            return Err(refused(format!("'{other}' is a dependency of '{one}'")));
        }
    }
    Ok(())
}

fn refusal(violation: &str) -> String {
    format!("Provided object does not match schema 'image': {violation}")
}

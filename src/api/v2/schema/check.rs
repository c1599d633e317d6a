//! Judging a value by a schema.
//!
//! A validator of our own, for the dozen words that these schemas use: the libraries' cost minutes of build time, and their
//! texts are not those that clients of Python's know.

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

/// The patterns of a schema, ready to be looked for in texts.
#[derive(Debug, Default)]
pub(super) struct Patterns(HashMap<String, Regex>);

impl Patterns {
    /// Prepares the patterns of `schema` and of the schemas in it.
    ///
    /// # Errors
    /// One that cannot be understood.
    pub(super) fn prepare(&mut self, schema: &Value) -> Result<(), regex::Error> {
        if let Some(pattern) = schema["pattern"].as_str() {
            self.0.insert(pattern.to_owned(), Regex::new(pattern)?);
        }
        let members = schema["properties"].as_object().into_iter().flat_map(|members| members.values());
        members.chain(schema.get("items")).try_for_each(|inner| self.prepare(inner))
    }

    fn fits(&self, pattern: &str, text: &str) -> bool {
        self.0.get(pattern).is_some_and(|regex| regex.is_match(text))
    }
}

/// Judges `value` by the words of `schema`; the violation tells which word, of what.
pub(super) fn check(schema: &Value, value: &Value, path: &str, patterns: &Patterns) -> Result<(), String> {
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
        if let Some(pattern) = schema["pattern"].as_str()
            && !patterns.fits(pattern, text)
        {
            return violation("pattern", format!("{} does not match '{pattern}'", python(value)));
        }
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        check(&schema["items"], item, &format!("{path}[{place}]"), patterns)?;
    }
    let Value::Object(members) = value else { return Ok(()) };
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.into_iter().find(|name| !members.contains_key(*name)) {
        return violation("required", format!("'{missing}' is a required property"));
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(schema) => check(schema, member, &format!("{path}['{name}']"), patterns)?,
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

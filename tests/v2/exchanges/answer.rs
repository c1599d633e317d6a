//! An answer as the files keep it; `play.py` does the same for the answers of Glance.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::harness::{Response, md5};

/// Headers that are kept.
const KEPT: [&str; 9] = [
    "Content-Type",
    "Location",
    "Content-MD5",
    "Content-Range",
    "Allow",
    "Accept-Patch",
    "WWW-Authenticate",
    "OpenStack-image-import-methods",
    "OpenStack-image-store-ids",
];

/// Keys whose values are times in seconds.
const CLOCKS: [&str; 2] = ["last_accessed", "last_modified"];

/// A shorter value of a variable may stand in an answer by accident.
const SHORTEST: usize = 9;

static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{(\w+)\}").unwrap());
static UUID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b").unwrap());
static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b20[2-8]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)?").unwrap());
static FORMATS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(Multiple formats detected: )[\w,]+").unwrap());
static STORE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"file://[^\s"]*/images/"#).unwrap());
static SCHEMA: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)(does not match schema (?:'|&#x27;)\w+(?:'|&#x27;): ).*?(<br /><br />|\z)").unwrap()
});

/// What differs from run to run, and its names in the files.
#[derive(Debug)]
pub(super) struct Normal {
    variables: Vec<(String, String)>,
}

impl Normal {
    pub(super) fn new(variables: &Map<String, Value>) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { variables: variables.iter().map(|(name, value)| (name.clone(), text(value))).collect() }
    }

    /// Gives a variable a value.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => value.clone_into(known),
            None => self.variables.push((name.to_owned(), value.to_owned())),
        }
    }

    /// The text with the values of the variables.
    pub(super) fn filled(&self, text: &str) -> String {
        let value = |found: &Captures<'_>| {
            let known = self.variables.iter().find(|(name, _)| *name == found[1]);
            known.unwrap_or_else(|| panic!("nobody has set {}", &found[0])).1.clone()
        };
        VARIABLE.replace_all(text, value).into_owned()
    }

    /// The text with names for what differs.
    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in self.variables.iter().filter(|(_, value)| value.chars().count() >= SHORTEST) {
            text = text.replace(value, &format!("${{{name}}}"));
        }
        let text = STORE.replace_all(&text, "file://<store>/");
        let text = UUID.replace_all(&text, "<uuid>");
        let text = TIME.replace_all(&text, |found: &Captures<'_>| {
            let zone = found.get(2).map_or("", |zone| zone.as_str());
            format!("<time{}{zone}>", if found.get(1).is_some() { ".micro" } else { "" })
        });
        let text = FORMATS.replace_all(&text, "${1}<formats>");
        SCHEMA.replace_all(&text, "${1}<explanation>${2}").into_owned()
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, item)| (self.text(key), self.member(key, item))).collect()
            }
            other => other.clone(),
        }
    }

    fn member(&self, key: &str, value: &Value) -> Value {
        if CLOCKS.contains(&key) {
            return Value::from("<clock>");
        }
        let mut value = self.value(value);
        if let Some(tags) = value.as_array_mut().filter(|_| key == "tags") {
            tags.sort_by_key(|tag| tag.as_str().map_or_else(|| tag.to_string(), str::to_owned));
        }
        value
    }
}

/// The JSON of the body, if it says that it is.
pub(super) fn json(response: &Response) -> Option<Value> {
    let kind = response.header("content-type").unwrap_or("");
    (kind.starts_with("application/json") && !response.body.is_empty()).then(|| response.json())
}

/// The answer as it is kept.
pub(super) fn kept(response: &Response, json: Option<Value>, names: &Normal) -> Value {
    let mut headers = Map::new();
    for name in KEPT {
        if let Some(value) = response.header(name) {
            headers.insert(name.to_owned(), Value::from(names.text(value)));
        }
    }
    let data = response.header("content-type") == Some("application/octet-stream");
    if let Some(length) = response.header("content-length").filter(|_| data) {
        headers.insert("Content-Length".to_owned(), Value::from(length));
    }
    let mut answer = json!({"status": response.status, "headers": headers});
    if response.header("x-openstack-request-id").is_none() {
        answer["request_id"] = Value::Bool(false);
    }
    match json {
        Some(json) => answer["json"] = names.value(&without_prose(json)),
        None if data => answer["data"] = json!({"size": response.body.len(), "md5": md5(&response.body)}),
        None => answer["text"] = Value::from(names.text(&response.text()).trim_end()),
    }
    answer
}

/// Lets the identifiers stand for the images of a list.
pub(super) fn shorten(answer: &mut Value) {
    if let Some(images) = answer.pointer_mut("/json/images").and_then(Value::as_array_mut) {
        images.iter_mut().for_each(|image| *image = image["id"].take());
    }
}

/// The descriptions of a schema are free text.
fn without_prose(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_prose).collect(),
        Value::Object(members) => {
            let members = members.into_iter().filter(|(key, item)| !(key == "description" && item.is_string()));
            members.map(|(key, item)| (key, without_prose(item))).collect()
        }
        other => other,
    }
}

//! The documents that clients download (v2-images §13).

use serde_json::{Map, Value, json};

use super::ImageSchema;
use super::base::UUID;

impl ImageSchema {
    /// `image`
    pub(in crate::api::v2) fn image(&self) -> Value {
        let mut document = json!({
            "name": "image",
            "properties": self.properties,
            "additionalProperties": {"type": "string"},
            "links": [link("self", "self"), link("enclosure", "file"), link("describedby", "schema")],
        });
        if !self.required.is_empty() {
            document["required"] = json!(self.required);
        }
        document
    }

    /// `images`
    pub(in crate::api::v2) fn images(&self) -> Value {
        let text = json!({"type": "string"});
        json!({
            "name": "images",
            "properties": {
                "images": {"type": "array", "items": self.image()},
                "first": text,
                "next": text,
                "schema": text,
            },
            "links": [link("first", "first"), link("next", "next"), link("describedby", "schema")],
        })
    }
}

/// `member`
pub(in crate::api::v2) fn member() -> Value {
    json!({"name": "member", "properties": {
        "member_id": {"type": "string", "description": "Project that the image is shared with"},
        "image_id": {"type": "string", "description": "UUID of the image", "pattern": UUID},
        "created_at": {"type": "string", "description": "When the image was shared"},
        "updated_at": {"type": "string", "description": "When the membership was last changed"},
        "status": {
            "type": "string", "description": "What the project thinks of it",
            "enum": ["pending", "accepted", "rejected"],
        },
        "schema": {"type": "string", "readOnly": true, "description": "Where this record's schema is"},
    }})
}

/// `members`
pub(in crate::api::v2) fn members() -> Value {
    list("members", member())
}

/// `task`
pub(in crate::api::v2) fn task() -> Value {
    task_with(&[
        ("input", json!({"type": ["null", "object"], "description": "What it was told to do"})),
        ("result", json!({"type": ["null", "object"], "description": "What came of it"})),
        ("owner", text("Project that it works for")),
        ("message", text("What there is to say about it, a failure above all")),
    ])
}

/// `tasks`: its items are shorter.
pub(in crate::api::v2) fn tasks() -> Value {
    list("tasks", task_with(&[("owner", text("Project that it works for"))]))
}

fn task_with(own: &[(&str, Value)]) -> Value {
    let first = [
        ("id", json!({"type": "string", "description": "UUID of the task", "pattern": UUID})),
        (
            "type",
            json!({
                "type": "string", "description": "Kind of work",
                "enum": ["import", "api_image_import", "location_import"],
            }),
        ),
        (
            "status",
            json!({
                "type": "string", "description": "How far it is",
                "enum": ["pending", "processing", "success", "failure"],
            }),
        ),
    ];
    let last = [
        ("image_id", text("Image that it works on")),
        ("request_id", text("Request that began it")),
        ("user_id", text("User that began it")),
        ("expires_at", json!({"type": ["null", "string"], "description": "When this record may go"})),
        ("created_at", text("When it was registered")),
        ("updated_at", text("When it was last changed")),
        ("self", json!({"type": "string", "readOnly": true, "description": "Where this record is"})),
        ("schema", json!({"type": "string", "readOnly": true, "description": "Where this record's schema is"})),
    ];
    let properties: Map<String, Value> =
        first.iter().chain(own).chain(&last).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"name": "task", "properties": properties})
}

fn text(about: &str) -> Value {
    json!({"type": "string", "description": about})
}

/// A list of these.
fn list(name: &str, item: Value) -> Value {
    let properties: Map<String, Value> =
        [(name.to_owned(), json!({"type": "array", "items": item})), ("schema".to_owned(), json!({"type": "string"}))]
            .into_iter()
            .collect();
    json!({"name": name, "properties": properties, "links": [link("describedby", "schema")]})
}

/// Where a property of the record leads.
fn link(relation: &str, property: &str) -> Value {
    json!({"rel": relation, "href": format!("{{{property}}}")})
}

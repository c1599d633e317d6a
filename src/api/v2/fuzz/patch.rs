//! From the bytes of a patch to the changes of an image.

use fuzzing::Target;
use serde_json::{Value, json};

use super::{WORDS, kind, schema, texts, told};
use crate::api::v2::changes;
use crate::api::v2::patch::{Op, Operation, Spelling, parse};
use crate::api::v2::schema::ImageSchema;
use crate::images::{Attribute, Change, PlaceChange};

const POINTERS: [&str; 12] = [
    "\"/name\"",
    "\"/tags\"",
    "\"/disk_format\"",
    "\"/visibility\"",
    "\"/locations/-\"",
    "\"/locations/0\"",
    "\"/locations\"",
    "\"/defined\"",
    "\"/shape\"",
    "\"/min_disk\"",
    "\"op\": \"add\"",
    "\"op\": \"replace\"",
];

#[test]
fn patches_come_to_changes_of_the_right_kind_or_are_refused() {
    let schema = schema();
    let target = Target::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/patch"));
    target.words(WORDS).words(POINTERS).run(|input| {
        let Ok(document) = serde_json::from_slice::<Value>(input) else { return vec!["no JSON".to_owned()] };
        let mut outcome = Vec::new();
        for (spelling, other) in [(Spelling::V2_0, Spelling::V2_1), (Spelling::V2_1, Spelling::V2_0)] {
            let operations = match parse(&document, spelling) {
                Ok(operations) => operations,
                Err(refusal) => {
                    outcome.push(kind(&told(refusal)));
                    continue;
                }
            };
            operations.iter().for_each(|operation| assert!(!operation.path.is_empty()));
            if operations.iter().all(can_be_written) {
                assert_eq!(parse(&written(&operations, other), other), Ok(operations.clone()));
            }
            let number = operations.len();
            match changes::of_patch(operations, spelling, &schema) {
                Ok(changes) => {
                    assert_eq!(changes.len(), number);
                    changes.iter().for_each(|change| check(change, &document, &schema));
                    outcome.extend(changes.iter().take(2).map(|change| kind(&format!("{change:?}"))));
                }
                Err(refusal) => outcome.push(kind(&told(refusal))),
            }
        }
        outcome
    });
}

/// Blanks that stood for a part are gone, and nothing cannot stand for one.
fn can_be_written(operation: &Operation) -> bool {
    operation.path[1..].iter().all(|part| !part.is_empty())
}

/// The operations in a spelling.
fn written(operations: &[Operation], spelling: Spelling) -> Value {
    let operations = operations.iter().map(|Operation { op, path, value }| {
        let word = match op {
            Op::Add => "add",
            Op::Remove => "remove",
            Op::Replace => "replace",
        };
        let parts = path.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")));
        let pointer: String = parts.collect();
        match spelling {
            Spelling::V2_0 => json!({word: pointer, "value": value}),
            Spelling::V2_1 => json!({"op": word, "path": pointer, "value": value}),
        }
    });
    operations.collect()
}

/// A change says what the client said, of something that is the client's to change.
fn check(change: &Change, document: &Value, schema: &ImageSchema) {
    let said = |text: &str| assert!(texts(document).contains(&text), "{text:?} was not said");
    let short = |text: &Option<String>| assert!(text.as_ref().is_none_or(|text| text.chars().count() <= 255));
    match change {
        Change::SetAttribute(attribute) => match attribute {
            Attribute::Name(text) | Attribute::Owner(text) => {
                text.iter().for_each(|text| said(text));
                short(text);
            }
            Attribute::DiskFormat(word) => assert!(matches!(word.as_deref(), None | Some("raw" | "qcow2"))),
            Attribute::ContainerFormat(word) => assert!(matches!(word.as_deref(), None | Some("bare" | "ovf"))),
            Attribute::Tags(tags) => tags.iter().for_each(|tag| {
                said(tag);
                short(&Some(tag.clone()));
            }),
            Attribute::Visibility(visibility) => said(visibility.as_str()),
            Attribute::Protected(_) | Attribute::Hidden(_) | Attribute::MinRam(_) | Attribute::MinDisk(_) => {}
        },
        Change::AddAttribute(name) | Change::RemoveAttribute(name) => assert!(schema.is_base(name), "{name}"),
        Change::AddProperty { name, value, .. } | Change::ReplaceProperty { name, value } => {
            free(name, schema);
            short(&Some(name.clone()));
            if !schema.is_defined(name) {
                said(value.as_ref().unwrap());
            }
        }
        Change::RemoveProperty(name) => free(name, schema),
        Change::Places(change) => match change {
            PlaceChange::Add(_, place) => said(&place.uri),
            PlaceChange::Replace(places) => places.iter().for_each(|place| said(&place.uri)),
            PlaceChange::Remove(_) => {}
        },
    }
}

/// No name of the service's own.
fn free(name: &str, schema: &ImageSchema) {
    assert!(!schema.is_base(name) && name != "locations" && !name.starts_with("os_glance"), "{name}");
    assert!(!["location", "deleted", "deleted_at"].contains(&name), "{name}");
}

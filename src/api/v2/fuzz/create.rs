//! From the bytes of a document to the fields of a new image.

use std::collections::BTreeSet;

use fuzzing::Target;
use serde_json::{Map, Value};

use super::{WORDS, kind, schema, told};
use crate::api::v2::changes::{check_names, new_image};
use crate::model::ImageId;

#[test]
fn a_new_image_has_what_its_document_says_and_nothing_else() {
    let schema = schema();
    let target = Target::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/create"));
    target.words(WORDS).run(|input| {
        let Ok(body) = serde_json::from_slice::<Map<String, Value>>(input) else { return "no object".to_owned() };
        let fields = match new_image(&body, &schema).and_then(|fields| check_names(&body).map(|()| fields)) {
            Ok(fields) => fields,
            Err(refusal) => {
                let text = told(refusal);
                let named = body.keys().any(|name| text.contains(&format!("'{name}'")));
                assert!(named || text.starts_with("Custom property"), "names no field: {text}");
                return kind(text.rsplit(" of ").next().unwrap());
            }
        };
        let text = |name: &str| body.get(name).map(|value| value.as_str().map(str::to_owned));
        assert_eq!(fields.id.as_ref().map(ImageId::as_str), body.get("id").and_then(Value::as_str));
        assert_eq!(fields.name, text("name"));
        assert_eq!(fields.owner, text("owner"));
        assert_eq!(fields.disk_format, text("disk_format"));
        assert_eq!(fields.container_format, text("container_format"));
        assert_eq!(
            fields.visibility.map(|visibility| visibility.as_str()),
            body.get("visibility").and_then(Value::as_str)
        );
        assert_eq!(fields.protected, body.get("protected").and_then(Value::as_bool));
        assert_eq!(fields.os_hidden, body.get("os_hidden").and_then(Value::as_bool));
        assert_eq!(fields.min_ram.is_some(), body.contains_key("min_ram"));
        assert_eq!(fields.min_disk.is_some(), body.contains_key("min_disk"));
        let tags =
            body.get("tags").map(|tags| tags.as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()));
        assert_eq!(fields.tags, tags.map(Iterator::collect));
        assert!(fields.status.is_none() && fields.size.is_none() && fields.locations.is_none());
        let custom: BTreeSet<&String> = body.keys().filter(|name| !schema.is_base(name)).collect();
        let properties = fields.properties.unwrap();
        assert_eq!(properties.keys().collect::<BTreeSet<_>>(), custom);
        for (name, value) in properties.iter().filter(|(name, _)| !schema.is_defined(name)) {
            assert_eq!(value.as_deref(), body[name].as_str(), "{name}");
            assert!(name.chars().count() <= 255, "{name}");
        }
        body.keys().filter(|name| schema.is_base(name)).fold(custom.len().to_string(), |all, name| all + name)
    });
}

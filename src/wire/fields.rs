//! Fields of an image in the bodies of create and update (v1-system §3).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{ImageFields, ImageId, ImageStatus, InvalidFields, Location};

/// The value of `image` in a body: just the fields that are mentioned.
pub(crate) fn encode_fields(fields: &ImageFields) -> Value {
    let entries = [
        ("id", fields.id.as_ref().map(|id| json!(id.as_str()))),
        ("name", fields.name.as_ref().map(|text| json!(text))),
        ("status", fields.status.map(|status| json!(status.as_str()))),
        ("is_public", fields.is_public.map(Value::from)),
        ("protected", fields.protected.map(Value::from)),
        ("disk_format", fields.disk_format.as_ref().map(|text| json!(text))),
        ("container_format", fields.container_format.as_ref().map(|text| json!(text))),
        ("size", fields.size.map(Value::from)),
        ("checksum", fields.checksum.as_ref().map(|text| json!(text))),
        ("min_disk", fields.min_disk.map(Value::from)),
        ("min_ram", fields.min_ram.map(Value::from)),
        ("owner", fields.owner.as_ref().map(|text| json!(text))),
        ("location", fields.locations.as_ref().map(|all| json!(all.first().map(|location| &location.uri)))),
        ("properties", fields.properties.as_ref().map(|properties| json!(properties))),
    ];
    let mentioned = entries.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
    Value::Object(mentioned.collect())
}

/// Reads the value of `image`; unknown fields, times and `deleted` are ignored. The error names the field.
pub(crate) fn decode_fields(image: &Map<String, Value>) -> Result<ImageFields, InvalidFields> {
    let body = Body(image);
    Ok(ImageFields {
        status: body.status()?,
        id: body.id()?,
        name: body.text("name")?,
        is_public: body.flag("is_public")?,
        protected: body.flag("protected")?,
        disk_format: body.text("disk_format")?,
        container_format: body.text("container_format")?,
        size: body.size()?.map(Some),
        checksum: body.text("checksum")?,
        min_disk: body.number("min_disk")?,
        min_ram: body.number("min_ram")?,
        owner: body.text("owner")?.map(|owner| owner.filter(|owner| !owner.is_empty())),
        locations: body.text("location")?.map(|uri| uri.map(Location::bare).into_iter().collect()),
        properties: body.properties()?,
        // v1 does not know the others.
        ..ImageFields::default()
    })
}

/// Readers of one field each: `None` for a field that is not mentioned.
struct Body<'a>(&'a Map<String, Value>);

impl Body<'_> {
    fn text(&self, field: &str) -> Result<Option<Option<String>>, InvalidFields> {
        match self.0.get(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::String(text)) => Ok(Some(Some(text.clone()))),
            Some(_) => Err(wrong(field, "text")),
        }
    }

    /// Null is false, as Python had it.
    fn flag(&self, field: &str) -> Result<Option<bool>, InvalidFields> {
        match self.0.get(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(false)),
            Some(value) => value.as_bool().map(Some).ok_or_else(|| wrong(field, "true or false")),
        }
    }

    /// Null is 0 (v1-api §10).
    fn number(&self, field: &str) -> Result<Option<i64>, InvalidFields> {
        match self.0.get(field) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(0)),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong(field, "an integer")),
        }
    }

    fn size(&self) -> Result<Option<u64>, InvalidFields> {
        match self.0.get("size") {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| wrong("size", "a number of bytes")),
        }
    }

    fn id(&self) -> Result<Option<ImageId>, InvalidFields> {
        match self.0.get("id") {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let id = value.as_str().and_then(ImageId::parse);
                id.map(Some).ok_or_else(|| InvalidFields("Invalid image id format".to_owned()))
            }
        }
    }

    fn status(&self) -> Result<Option<ImageStatus>, InvalidFields> {
        match self.text("status")? {
            None => Ok(None),
            Some(None) => Err(InvalidFields("Image status is required.".to_owned())),
            Some(Some(word)) if word.is_empty() => Err(InvalidFields("Image status is required.".to_owned())),
            Some(Some(word)) => {
                let status = word.parse().map_err(|()| format!("Invalid image status '{word}' for image."));
                status.map(Some).map_err(InvalidFields)
            }
        }
    }

    fn properties(&self) -> Result<Option<BTreeMap<String, Option<String>>>, InvalidFields> {
        let properties = match self.0.get("properties") {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value.as_object().ok_or_else(|| wrong("properties", "an object"))?,
        };
        let entry = |(name, value): (&String, &Value)| Ok((name.clone(), property(name, value)?));
        properties.iter().map(entry).collect::<Result<_, _>>().map(Some)
    }
}

/// Values are kept as text; numbers and booleans become the text that Python gives them.
fn property(name: &str, value: &Value) -> Result<Option<String>, InvalidFields> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(flag) => Ok(Some(if *flag { "True" } else { "False" }.to_owned())),
        Value::Array(_) | Value::Object(_) => Err(wrong(&format!("property {name}"), "text or null")),
    }
}

fn wrong(field: &str, expected: &str) -> InvalidFields {
    InvalidFields(format!("Invalid value for {field}: must be {expected}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::{decode_fields, encode_fields};
    use crate::model::{ImageFields, ImageId, ImageStatus, InvalidFields, Location};

    fn decode(body: &Value) -> Result<ImageFields, InvalidFields> {
        decode_fields(body.as_object().unwrap())
    }

    #[test]
    fn mentioned_fields_come_back_as_they_went() {
        let fields = ImageFields {
            id: Some(ImageId::random()),
            name: Some(None),
            status: Some(ImageStatus::Queued),
            is_public: Some(true),
            protected: Some(false),
            disk_format: Some(Some("raw".to_owned())),
            container_format: Some(None),
            size: Some(Some(1 << 40)),
            checksum: Some(Some("c1".to_owned())),
            min_disk: Some(1),
            min_ram: Some(2),
            owner: Some(None),
            locations: Some(vec![Location::bare("http://host/x".to_owned())]),
            properties: Some(BTreeMap::from([("a".to_owned(), None), ("b".to_owned(), Some("c".to_owned()))])),
            ..ImageFields::default()
        };
        assert_eq!(decode(&encode_fields(&fields)), Ok(fields));
        assert_eq!(encode_fields(&ImageFields::default()), json!({}));
        assert_eq!(decode(&json!({})), Ok(ImageFields::default()));
    }

    #[test]
    fn null_and_loose_values_mean_what_python_made_of_them() {
        let body = json!({
            "min_ram": null, "is_public": null, "size": null, "owner": "", "deleted": true, "created_at": 5,
            "unknown": [], "properties": {"n": 3, "b": true},
        });
        let properties =
            BTreeMap::from([("n".to_owned(), Some("3".to_owned())), ("b".to_owned(), Some("True".to_owned()))]);
        let expected = ImageFields {
            min_ram: Some(0),
            is_public: Some(false),
            owner: Some(None),
            properties: Some(properties),
            ..ImageFields::default()
        };
        assert_eq!(decode(&body), Ok(expected));
    }

    #[test]
    fn a_wrong_value_is_named_by_its_field() {
        for (body, message) in [
            (json!({"id": "x"}), "Invalid image id format"),
            (json!({"status": ""}), "Image status is required."),
            (json!({"status": null}), "Image status is required."),
            (json!({"status": "bad"}), "Invalid image status 'bad' for image."),
            (json!({"name": 1}), "Invalid value for name: must be text"),
            (json!({"protected": "True"}), "Invalid value for protected: must be true or false"),
            (json!({"min_disk": "x"}), "Invalid value for min_disk: must be an integer"),
            (json!({"size": -1}), "Invalid value for size: must be a number of bytes"),
            (json!({"properties": []}), "Invalid value for properties: must be an object"),
            (json!({"properties": {"p": {}}}), "Invalid value for property p: must be text or null"),
        ] {
            assert_eq!(decode(&body).unwrap_err().0, message);
        }
    }
}

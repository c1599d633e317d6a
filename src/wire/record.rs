//! Image records in answers: brief, detail, and full (v1-api §7, v1-system §3).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::{isoformat, parse_time};
use crate::model::{Image, ImageId, ImageStatus, Location, Visibility};

/// What the short list shows of an image.
pub(crate) fn encode_brief(image: &Image) -> Value {
    json!({
        "name": image.name,
        "container_format": image.container_format,
        "disk_format": image.disk_format,
        "checksum": image.checksum,
        "id": image.id.as_str(),
        "size": image.size,
    })
}

/// What a user may know of an image: everything but where its data is.
pub(crate) fn encode_detail(image: &Image) -> Value {
    json!({
        "status": image.status.as_str(),
        "name": image.name,
        "deleted": image.deleted,
        "container_format": image.container_format,
        "created_at": isoformat(image.created_at),
        "disk_format": image.disk_format,
        "updated_at": isoformat(image.updated_at),
        "properties": image.shown_properties().collect::<BTreeMap<_, _>>(),
        "min_disk": image.min_disk,
        "protected": image.protected,
        "id": image.id.as_str(),
        "checksum": image.checksum,
        "owner": image.owner,
        "is_public": image.is_public(),
        "deleted_at": image.deleted_at.map(isoformat),
        "min_ram": image.min_ram,
        "size": image.size,
    })
}

/// The registry's record: detail and `location`, as stored. v1 knows one location, the first.
pub(crate) fn encode_full(image: &Image) -> Value {
    let mut record = encode_detail(image);
    record["location"] = json!(image.locations.first().map(|location| &location.uri));
    record
}

/// Reads a full record; the error names the field. An absent field is null, false, 0 or empty.
pub(crate) fn decode_record(record: &Value) -> Result<Image, String> {
    let wrong = |field: &str| format!("{field} of the image record is missing or of the wrong type");
    let text = |field: &str| match &record[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(wrong(field)),
    };
    let flag = |field: &str| match &record[field] {
        Value::Null => Ok(false),
        value => value.as_bool().ok_or_else(|| wrong(field)),
    };
    let number = |field: &str| match &record[field] {
        Value::Null => Ok(0),
        value => value.as_i64().ok_or_else(|| wrong(field)),
    };
    let time = |field: &str| -> Result<Option<NaiveDateTime>, String> {
        text(field)?.map(|text| parse_time(&text).ok_or_else(|| wrong(field))).transpose()
    };
    Ok(Image {
        id: text("id")?.and_then(|id| ImageId::parse(&id)).ok_or_else(|| wrong("id"))?,
        name: text("name")?,
        status: text("status")?.and_then(|word| word.parse::<ImageStatus>().ok()).ok_or_else(|| wrong("status"))?,
        visibility: if flag("is_public")? { Visibility::Public } else { Visibility::Shared },
        disk_format: text("disk_format")?,
        container_format: text("container_format")?,
        size: match &record["size"] {
            Value::Null => None,
            value => Some(value.as_u64().ok_or_else(|| wrong("size"))?),
        },
        checksum: text("checksum")?,
        // v1 does not know these.
        os_hash_algo: None,
        os_hash_value: None,
        virtual_size: None,
        os_hidden: false,
        tags: BTreeSet::new(),
        protected: flag("protected")?,
        min_disk: number("min_disk")?,
        min_ram: number("min_ram")?,
        owner: text("owner")?,
        created_at: time("created_at")?.ok_or_else(|| wrong("created_at"))?,
        updated_at: time("updated_at")?.ok_or_else(|| wrong("updated_at"))?,
        deleted_at: time("deleted_at")?,
        deleted: flag("deleted")?,
        properties: properties(&record["properties"]).ok_or_else(|| wrong("properties"))?,
        locations: text("location")?.into_iter().map(Location::bare).collect(),
    })
}

fn properties(value: &Value) -> Option<BTreeMap<String, Option<String>>> {
    let entry = |(name, value): (&String, &Value)| match value {
        Value::Null => Some((name.clone(), None)),
        value => Some((name.clone(), Some(value.as_str()?.to_owned()))),
    };
    match value {
        Value::Null => Some(BTreeMap::new()),
        value => value.as_object()?.iter().map(entry).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{decode_record, encode_brief, encode_detail, encode_full};
    use crate::model::Image;

    fn record() -> Value {
        json!({
            "status": "active", "name": "caf\u{e9}", "deleted": false, "container_format": "ovf",
            "created_at": "2012-02-20T18:06:51.000001", "disk_format": "vhd", "updated_at": "2012-02-20T18:06:52",
            "properties": {"arch": "x86_64", "empty": null}, "min_disk": 5, "protected": true,
            "id": "71c675ab-d94f-49cd-a114-e12490b328d9", "checksum": null, "owner": "froggy",
            "is_public": true, "deleted_at": null, "min_ram": 256, "size": 19, "location": "file:///images/1",
        })
    }

    fn image() -> Image {
        decode_record(&record()).unwrap()
    }

    #[test]
    fn a_full_record_comes_back_as_it_went() {
        assert_eq!(encode_full(&image()), record());
        let none = Image { locations: Vec::new(), size: None, ..image() };
        assert_eq!(decode_record(&encode_full(&none)), Ok(none));
    }

    #[test]
    fn users_never_see_the_location() {
        let mut expected = record();
        expected.as_object_mut().unwrap().shift_remove("location");
        assert_eq!(encode_detail(&image()), expected);
        let mut brief: Vec<_> = encode_brief(&image()).as_object().unwrap().keys().cloned().collect();
        brief.sort();
        assert_eq!(brief, ["checksum", "container_format", "disk_format", "id", "name", "size"]);
    }

    #[test]
    fn a_broken_record_is_named_by_its_field() {
        for (field, value) in [
            ("id", json!("../etc")),
            ("status", json!("sleeping")),
            ("name", json!(3)),
            ("size", json!(-1)),
            ("is_public", json!("yes")),
            ("min_ram", json!("256")),
            ("created_at", json!("yesterday")),
            ("updated_at", Value::Null),
            ("properties", json!({"a": 1})),
        ] {
            let mut broken = record();
            broken[field] = value;
            let message = decode_record(&broken).unwrap_err();
            assert_eq!(message, format!("{field} of the image record is missing or of the wrong type"));
        }
    }
}

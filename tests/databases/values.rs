//! Values that a database cannot hold, or holds otherwise: a clear 4xx, never a 500 (database §8).

use serde_json::json;

use super::ALL;
use crate::harness::{Client, Database, Response, Setup};

fn register(http: &Client, fields: &serde_json::Value) -> Response {
    http.post("/v2/images").json(fields).send()
}

fn on_each(test: impl Fn(&Database, &Client)) {
    for kind in ALL {
        let dir = tempfile::tempdir().unwrap();
        let Some(database) = Database::of_kind(kind, &dir.path().join("glance.sqlite")) else { continue };
        println!("{kind:?}");
        let gander = Setup::api("").on(&database).start();
        test(&database, &gander.client());
    }
}

#[test]
fn what_no_column_holds_is_refused() {
    let long = |length: usize| "x".repeat(length);
    on_each(|database, http| {
        for fields in [
            json!({"name": long(256)}),
            json!({"name": "\u{1F986}"}),
            json!({"name": "a\u{0}b"}),
            json!({"owner": long(256)}),
            json!({"tags": [long(256)]}),
            json!({"tags": ["\u{1F986}"]}),
            json!({"min_disk": 2_147_483_648_u64}),
            json!({"min_ram": 9_223_372_036_854_775_808_u64}),
            json!({(long(256)): "x"}),
            json!({"p": long(70_000)}),
            json!({"p": "é".repeat(33_000)}),
            json!({"\u{1F986}": "x"}),
        ] {
            let answer = register(http, &fields);
            let start: String = fields.to_string().chars().take(40).collect();
            assert!([400, 413].contains(&answer.status), "{start}: {} {}", answer.status, answer.text());
        }
        for header in [("X-Image-Meta-Size", "9223372036854775808"), ("X-Image-Meta-Min-Ram", "2147483648")] {
            let answer = http.post("/v1/images").headers(&[("X-Image-Meta-Name", "x"), header]).send();
            assert_eq!(answer.status, 400, "{header:?} {}", answer.text());
        }
        assert_eq!(database.rows("SELECT COUNT(*) FROM images"), ["0"]);
    });
}

#[test]
fn what_just_fits_is_kept() {
    on_each(|_, http| {
        let fields = json!({"name": "é".repeat(255), "p": "x".repeat(65_535), "min_ram": 2_147_483_647, "q": "\u{FFFD} '\"\\%_`"});
        let made = register(http, &fields).expect(201).json();
        let image = http.get(made["self"].as_str().unwrap()).expect(200).json();
        for field in ["name", "p", "min_ram", "q"] {
            assert!(image[field] == fields[field], "{field}");
        }
        for filter in
            ["size_min=99999999999999999999", "min_ram=99999999999", "name=%F0%9F%A6%86", "id=x%00y", "owner=%27"]
        {
            let answer = http.get(&format!("/v2/images?{filter}"));
            assert!(answer.status < 500, "{filter}: {}", answer.text());
        }
    });
}

/// MariaDB takes names for the same that differ in case, accents or spaces at the end only.
#[test]
fn names_that_differ_little_do_not_break_anything() {
    on_each(|database, http| {
        let mysql = database.kind() == testdb::Kind::Mysql;
        for other in ["foo", "Foo ", "Fóo"] {
            let both = register(http, &json!({"Foo": "1", (other): "2"}));
            assert_eq!(both.status, if mysql { 409 } else { 201 }, "{other}: {}", both.text());
        }
        for other in ["foo", "Fóo"] {
            let image = register(http, &json!({"Foo": "1"})).expect(201).json();
            let path = image["self"].as_str().unwrap();
            let patch = |operations: serde_json::Value| {
                let request = http.request("PATCH", path);
                let request = request.header("Content-Type", "application/openstack-images-v2.1-json-patch");
                request.body(operations.to_string()).send()
            };
            let added = patch(json!([{"op": "add", "path": format!("/{other}"), "value": "2"}]));
            assert_eq!(added.status, if mysql { 409 } else { 200 }, "{other}: {}", added.text());
            assert_eq!(http.get(path).expect(200).json()["Foo"], "1", "{other}");
            // In place of it there is room.
            patch(json!([{"op": "remove", "path": "/Foo"}])).expect(200);
            if mysql {
                patch(json!([{"op": "add", "path": format!("/{other}"), "value": "2"}])).expect(200);
            }
            let image = http.get(path).expect(200).json();
            assert_eq!((image.get("Foo"), &image[other]), (None, &json!("2")), "{other}");
        }
        let image = register(http, &json!({"tags": ["Tag", "tag", "other"]})).expect(201).json();
        let path = image["self"].as_str().unwrap();
        http.delete(&format!("{path}/tags/Tag")).expect(204);
        let mut tags: Vec<String> = serde_json::from_value(http.get(path).json()["tags"].clone()).unwrap();
        tags.sort_unstable();
        assert_eq!(tags, ["other", "tag"]);
    });
}

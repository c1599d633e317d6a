//! Values that a database cannot hold, or holds otherwise: a clear 4xx, never a 500 (database §8).

use serde_json::json;

use super::ALL;
use crate::harness::{Client, Database, Response, Setup};

fn register(http: &Client, fields: &serde_json::Value) -> Response {
    http.post("/v2/images").json(fields).send()
}

fn change(http: &Client, path: &str, operations: &serde_json::Value) -> Response {
    let request = http.request("PATCH", path);
    request.header("Content-Type", "application/openstack-images-v2.1-json-patch").body(operations.to_string()).send()
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
            let patch = |operations: serde_json::Value| change(http, path, &operations);
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

/// What comes later, and by v1, is held to the same limits.
#[test]
fn no_change_brings_what_no_column_holds() {
    let long = |length: usize| "x".repeat(length);
    let duck = "\u{1F986}";
    on_each(|_, http| {
        let image = register(http, &json!({"p": "1"})).expect(201).json();
        let path = image["self"].as_str().unwrap();
        let before = http.get(path).expect(200).json();
        let refused = |what: &str, answer: &Response| {
            let start: String = what.chars().take(40).collect();
            assert!((400..500).contains(&answer.status), "{start}: {} {}", answer.status, answer.text());
        };
        for (member, value) in [
            ("name", json!(long(256))),
            ("name", json!(duck)),
            ("name", json!("a\u{0}b")),
            ("p", json!(long(70_000))),
            ("p", json!(duck)),
            ("p", json!("a\u{0}b")),
            ("tags", json!([long(256)])),
            ("tags", json!([duck])),
            ("min_disk", json!(2_147_483_648_u64)),
            ("min_ram", json!(99_999_999_999_999_999_999.0)),
        ] {
            let operations = json!([{"op": "replace", "path": format!("/{member}"), "value": value}]);
            refused(&operations.to_string(), &change(http, path, &operations));
        }
        for name in [&long(256), duck] {
            refused(name, &change(http, path, &json!([{"op": "add", "path": format!("/{name}"), "value": "x"}])));
        }
        for tag in [&long(256), "%F0%9F%A6%86", "a%00b"] {
            refused(tag, &http.put(&format!("{path}/tags/{tag}")).send());
            refused(tag, &http.delete(&format!("{path}/tags/{tag}")));
        }
        for member in [&long(256), duck, "a\u{0}b"] {
            refused(member, &http.post(&format!("{path}/members")).json(&json!({"member": member})).send());
        }
        let v1 = format!("/v1/images/{}", image["id"].as_str().unwrap());
        for member in [&long(256), "%F0%9F%A6%86", "a%00b"] {
            refused(member, &http.put(&format!("{v1}/members/{member}")).send());
            refused(member, &http.delete(&format!("{v1}/members/{member}")));
            refused(member, &http.get(&format!("{path}/members/{member}")));
        }
        for (header, value) in [
            ("X-Image-Meta-Name", long(256)),
            ("X-Image-Meta-Owner", long(256)),
            ("X-Image-Meta-Min-Disk", "2147483648".to_owned()),
            ("X-Image-Meta-Min-Ram", "-1".to_owned()),
            ("X-Image-Meta-Size", "-1".to_owned()),
            ("X-Image-Meta-Size", "18446744073709551616".to_owned()),
            ("X-Image-Meta-Disk-Format", long(21)),
            ("X-Image-Meta-Container-Format", long(21)),
            ("X-Image-Meta-Id", long(37)),
        ] {
            let made = http.post("/v1/images").headers(&[("X-Image-Meta-Name", "x"), (header, &value)]).send();
            refused(header, &made);
        }
        assert_eq!(http.get(path).expect(200).json(), before);
        for (header, value) in [("X-Image-Meta-Checksum", long(33)), ("X-Image-Meta-Name", duck.to_owned())] {
            let answer = http.put(&v1).header(header, &value).send();
            assert!(answer.status < 500, "{header}: {} {}", answer.status, answer.text());
        }
        for filter in [
            "changes-since=9999-12-31T23:59:59Z",
            "changes-since=0001-01-01T00:00:00Z",
            "size_max=-1",
            "property-p=%F0%9F%A6%86",
            "name=%F0%9F%A6%86",
            "marker=%F0%9F%A6%86",
        ] {
            let answer = http.get(&format!("/v1/images?{filter}"));
            assert!(answer.status < 500, "{filter}: {} {}", answer.status, answer.text());
        }
        for filter in [
            "created_at=gt:9999-12-31T23:59:59Z",
            "updated_at=lt:0001-01-01T00:00:00Z",
            "p=%F0%9F%A6%86",
            "%F0%9F%A6%86=p",
            "tag=%F0%9F%A6%86",
            "owner=a%00b",
            "marker=%F0%9F%A6%86",
            "checksum=%F0%9F%A6%86",
            "name=in:%F0%9F%A6%86,x",
            "size_max=9223372036854775808",
            "min_disk=2147483648",
            "member_status=all&visibility=shared&p=a%00b",
        ] {
            let answer = http.get(&format!("/v2/images?{filter}"));
            assert!(answer.status < 500, "{filter}: {} {}", answer.status, answer.text());
        }
        for id in ["%F0%9F%A6%86", "a%00b", &long(300)] {
            for version in ["v1", "v2"] {
                http.get(&format!("/{version}/images/{id}")).expect(404);
            }
        }
    });
}

/// MariaDB compares texts without a look at case, accents and spaces at the end. Lists find by it what is about the same,
/// as Glance's do; whom an image is shared with goes by the very text.
#[test]
fn projects_differ_in_every_character() {
    on_each(|database, http| {
        let image = register(http, &json!({"name": "Duck", "Kind": "Quack", "tags": ["Pond"]})).expect(201).json();
        let path = image["self"].as_str().unwrap();
        for (right, wrong) in [
            ("name=Duck", ["name=duck", "name=D%C3%BCck"]),
            ("Kind=Quack", ["Kind=quack", "kind=Quack"]),
            ("tag=Pond", ["tag=pond", "tag=P%C3%B6nd"]),
            ("name=in:Duck,x", ["name=in:duck,x", "name=in:D%C3%BCck,x"]),
        ] {
            let found = |filter: &str| http.get(&format!("/v2/images?{filter}")).expect(200).json()["images"].clone();
            let count = |filter: &str| found(filter).as_array().unwrap().len();
            assert_eq!(count(right), 1, "{right}");
            for wrong in wrong {
                assert_eq!(count(wrong), usize::from(database.kind() == testdb::Kind::Mysql), "{wrong}");
            }
        }
        for member in ["m", "M", "\u{e9}", "e", "m "] {
            http.post(&format!("{path}/members")).json(&json!({"member": member})).send().expect(200);
        }
        let members = http.get(&format!("{path}/members")).expect(200).json();
        let ids: Vec<_> = members["members"].as_array().unwrap().iter().map(|member| &member["member_id"]).collect();
        assert_eq!(ids, ["m", "M", "\u{e9}", "e", "m "]);
        http.delete(&format!("{path}/members/M")).expect(204);
        http.get(&format!("{path}/members/M")).expect(404);
        http.get(&format!("{path}/members/m")).expect(200);
        let v1 = http.get("/v1/shared-images/M").expect(200).json();
        assert_eq!(v1["shared_images"], json!([]));
        let tags = ["pond", "Pond ", "P\u{f6}nd"];
        for tag in ["pond", "Pond%20", "P%C3%B6nd"] {
            http.put(&format!("{path}/tags/{tag}")).send().expect(204);
        }
        let kept: Vec<String> = serde_json::from_value(http.get(path).json()["tags"].clone()).unwrap();
        assert!(tags.iter().all(|tag| kept.iter().any(|kept| kept == tag)) && kept.len() == 4, "{kept:?}");
    });
}

/// MariaDB keeps whole seconds: the order and the markers of pages still tell images of the same second apart.
#[test]
fn images_of_one_second_have_one_order() {
    on_each(|_, http| {
        let made: Vec<String> = (0..12)
            .map(|n| {
                let image = register(http, &json!({"name": format!("{}", n % 3)})).expect(201).json();
                image["id"].as_str().unwrap().to_owned()
            })
            .collect();
        for sort in ["created_at:desc", "created_at:asc", "updated_at:desc", "name:asc", "name:desc,created_at:asc"] {
            let mut next = Some(format!("/v2/images?limit=5&sort={sort}"));
            let mut seen = Vec::new();
            while let Some(page) = next {
                let page = http.get(&page).expect(200).json();
                let images = page["images"].as_array().unwrap();
                seen.extend(images.iter().map(|image| image["id"].as_str().unwrap().to_owned()));
                next = page["next"].as_str().map(str::to_owned);
            }
            let mut sorted = seen.clone();
            sorted.sort_unstable();
            let mut all = made.clone();
            all.sort_unstable();
            assert_eq!(sorted, all, "{sort}");
        }
    });
}

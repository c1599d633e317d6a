//! Values that images cannot have, in documents and patches: the message names the field.

use serde_json::{Map, Value, json};

use super::world::{V2_1, World, refused};
use crate::harness::{Client, Response, Setup};

fn create(client: &Client, fields: &Value) -> Response {
    client.post("/v2/images").json(fields).send()
}

fn patch(client: &Client, id: &str, changes: &Value) -> Response {
    client.request("PATCH", &format!("/v2/images/{id}")).header("Content-Type", V2_1).json(changes).send()
}

fn set(client: &Client, id: &str, name: &str, value: &Value) -> Response {
    patch(
        client,
        id,
        &json!([{"op": "add", "path": "/colour", "value": "x"}, {"op": "replace", "path": format!("/{name}"), "value": value}]),
    )
}

/// One value of each kind.
fn kinds() -> [Value; 8] {
    [json!(null), json!(true), json!(1), json!(1.5), json!("\u{1}"), json!(["\u{1}"]), json!([[1]]), json!({"a": {}})]
}

/// Whether a schema's words for types let a value pass.
fn is_of(value: &Value, types: &Value) -> bool {
    let known = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other}"),
    };
    types.as_array().map_or_else(|| known(types), |types| types.iter().any(known))
}

/// Of each property of the schema: whether clients may set it, and values that it cannot have.
fn impossible(client: &Client) -> Vec<(String, Vec<Value>)> {
    let schema = client.get("/v2/schemas/image").expect(200).json();
    let properties: &Map<String, Value> = schema["properties"].as_object().unwrap();
    let values = |schema: &Value| {
        let mut values: Vec<Value> = kinds().into_iter().filter(|value| !is_of(value, &schema["type"])).collect();
        if let Some(longest) = schema["maxLength"].as_u64() {
            values.push(json!("x".repeat(longest as usize + 1)));
        }
        if schema.get("enum").is_some() || schema.get("pattern").is_some() {
            values.extend([json!(""), json!("RAW"), json!("x".repeat(70_000))]);
        }
        if let Some(longest) = schema["items"]["maxLength"].as_u64() {
            values.extend([json!(["x".repeat(longest as usize + 1)]), json!([1]), json!([null]), json!(["a", {}])]);
        }
        if schema["type"] == "integer" {
            values.extend([
                json!(-1),
                json!(2_147_483_648_i64),
                json!(i64::MIN),
                json!(u64::MAX),
                json!(1e300),
                json!(-1.0),
            ]);
        }
        if schema["items"]["required"].is_array() {
            values.extend([
                json!([{}]),
                json!([{"url": 1, "metadata": {}}]),
                json!([{"url": "file:///x", "metadata": 1}]),
            ]);
        }
        values
    };
    properties.iter().map(|(name, schema)| (name.clone(), values(schema))).collect()
}

#[test]
fn what_the_schema_does_not_let_pass_is_refused_by_name() {
    let world = World::of(Setup::api("").set("show_multiple_locations", "True"));
    let before = world.state();
    let own = json!(["x"]);
    for (name, values) in
        impossible(&world.admin).into_iter().chain([("my own".to_owned(), vec![json!(1), own, json!({})])])
    {
        for value in values {
            let shown = value.to_string();
            let what = format!("{name}: {}", &shown[..shown.len().min(60)]);
            for answer in
                [create(&world.admin, &json!({&name: value})), set(&world.admin, &world.active, &name, &value)]
            {
                let status = answer.status;
                assert!(matches!(status, 400 | 403), "{what}: {status} {}", answer.text());
                let text = refused(answer, status, &what);
                assert!(text.contains(&name), "{what}: {text}");
            }
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn names_that_are_the_services_are_refused_by_name() {
    let world = World::new();
    let before = world.state();
    let names = [
        "id",
        "status",
        "checksum",
        "size",
        "virtual_size",
        "direct_url",
        "self",
        "file",
        "schema",
        "created_at",
        "updated_at",
        "os_hash_algo",
        "os_hash_value",
        "stores",
        "location",
        "deleted",
        "deleted_at",
        "os_glance_x",
        "locations",
    ];
    for name in names {
        for op in ["add", "replace", "remove"] {
            let pointer = if name == "locations" && op != "replace" { "locations/0" } else { name };
            let value = if name == "locations" { json!([{"url": "file:///x", "metadata": {}}]) } else { json!("x") };
            let value = if pointer == "locations/0" { value[0].clone() } else { value };
            let change = json!([
                {"op": "replace", "path": "/colour", "value": "red"},
                {"op": op, "path": format!("/{pointer}"), "value": value},
            ]);
            let text = refused(patch(&world.admin, &world.active, &change), 403, &format!("{op} {name}"));
            assert!(text.contains(name), "{op} {name}: {text}");
        }
        if name != "id" && name != "locations" {
            let value = if name == "size" || name == "virtual_size" { json!(1) } else { json!("queued") };
            let answer = create(&world.admin, &json!({name: value, "name": "x"}));
            let text = refused(answer, 403, name);
            assert!(text.contains(name), "{text}");
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_path_that_leads_nowhere_is_refused() {
    let world = World::new();
    let before = world.state();
    for (pointer, status) in [
        ("", 400),
        ("colour", 400),
        ("//colour", 409),
        ("/colour/", 400),
        ("/colour/x", 400),
        ("/tags/0", 400),
        ("/~", 400),
        ("/~2", 400),
        ("/a//b", 400),
        ("/none", 409),
        ("/locations", 400),
        ("/locations/0/url", 400),
        ("/%63olour", 409),
    ] {
        for op in ["remove", "replace"] {
            let change = json!([
                {"op": "add", "path": "/new", "value": "x"}, {"op": op, "path": pointer, "value": "x"},
            ]);
            let answer = patch(&world.admin, &world.active, &change);
            if pointer == "//colour" {
                continue;
            }
            let known = if pointer == "/locations" && op == "replace" { answer.status } else { status };
            refused(answer, known, &format!("{op} {pointer}"));
        }
    }
    for name in ["name", "tags", "visibility", "min_ram", "protected", "owner", "disk_format"] {
        refused(patch(&world.admin, &world.active, &json!([{"op": "remove", "path": format!("/{name}")}])), 403, name);
    }
    assert_eq!(world.state(), before);
}

#[test]
fn the_last_of_equal_names_counts_and_is_judged() {
    let world = World::new();
    let before = world.state();
    let request = || world.admin.post("/v2/images");
    refused(request().body(r#"{"name": "a", "name": 1}"#).send(), 400, "name");
    refused(request().body(r#"{"min_ram": 1, "min_ram": "x"}"#).send(), 400, "min_ram");
    let change = world.admin.request("PATCH", &format!("/v2/images/{}", world.active)).header("Content-Type", V2_1);
    let twice = r#"[{"op": "replace", "op": "move", "path": "/name", "value": "x"}]"#;
    refused(change.body(twice).send(), 400, "op");
    assert_eq!(world.state(), before);
}

#[test]
fn one_more_than_the_quota_is_413_and_hears_it() {
    let setup = Setup::api("").set("image_tag_quota", 3).set("image_property_quota", 2);
    let world = World::of(setup);
    let properties = |count: usize| (0..count).map(|n| (format!("p{n}"), json!("v"))).collect::<Map<_, _>>();
    let tags = |count: usize| json!({"tags": (0..count).map(|n| format!("t{n}")).collect::<Vec<_>>()});
    create(&world.admin, &tags(3)).expect(201);
    create(&world.admin, &Value::Object(properties(2))).expect(201);
    set(&world.admin, &world.queued, "tags", &tags(3)["tags"]).expect(200);
    let before = world.state();
    let said = |answer: Response, most: usize| {
        let text = refused(answer, 413, "quota");
        assert!(text.contains(&format!("Attempted: {}, Maximum: {most}", most + 1)), "{text}");
    };
    said(create(&world.admin, &tags(4)), 3);
    said(set(&world.admin, &world.active, "tags", &tags(4)["tags"]), 3);
    said(world.admin.put(&format!("/v2/images/{}/tags/t3", world.queued)).send(), 3);
    said(create(&world.admin, &Value::Object(properties(3))), 2);
    let adding = |name: &str| json!({"op": "add", "path": format!("/{name}"), "value": "v"});
    said(patch(&world.admin, &world.active, &json!([adding("p0"), adding("p1")])), 2);
    assert_eq!(world.state(), before);
}

#[test]
fn names_that_are_too_long_are_400() {
    let world = World::new();
    let (longest, longer) = ("n".repeat(255), "n".repeat(256));
    create(&world.admin, &json!({&longest: "v", "name": longest, "tags": [longest]})).expect(201);
    let before = world.state();
    for name in [longer.clone(), "n".repeat(70_000), "\u{fc}".repeat(256)] {
        let text = refused(create(&world.admin, &json!({&name: "v"})), 400, "name");
        assert!(text.contains("255"), "{text}");
        let change = json!([{"op": "add", "path": format!("/{name}"), "value": "v"}]);
        assert!(refused(patch(&world.admin, &world.active, &change), 400, "name").contains("255"));
    }
    refused(world.admin.put(&format!("/v2/images/{}/tags/{longer}", world.active)).send(), 400, "tag");
    let members = format!("/v2/images/{}/members", world.active);
    refused(world.admin.post(&members).json(&json!({"member": longer})).send(), 400, "member");
    assert_eq!(world.state(), before);
}

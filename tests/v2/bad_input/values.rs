//! Values that images cannot have and names that they cannot use, in documents and patches: the message names the field.

use serde_json::{Map, Value, json};

use super::world::{Brings, V2_1, World};
use crate::harness::{Client, Response, Setup};

/// One value of each kind.
fn kinds() -> [Value; 8] {
    [json!(null), json!(true), json!(1), json!(1.5), json!("?"), json!(["?"]), json!([[1]]), json!({"a": {}})]
}

/// Whether the types of a schema let a value pass.
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

/// Values that a property of this schema cannot have.
fn impossible(schema: &Value) -> Vec<Value> {
    let mut values: Vec<Value> = kinds().into_iter().filter(|value| !is_of(value, &schema["type"])).collect();
    if let Some(longest) = schema["maxLength"].as_u64() {
        values.push(json!("x".repeat(longest as usize + 1)));
    }
    if schema.get("enum").is_some() || schema.get("pattern").is_some() {
        values.extend(["", "RAW", "raw ", &"x".repeat(70_000)].map(|word| json!(word)));
    }
    if let Some(longest) = schema["items"]["maxLength"].as_u64() {
        values.extend([json!(["x".repeat(longest as usize + 1)]), json!([1]), json!([null]), json!(["a", {}])]);
    }
    if schema["type"] == "integer" {
        values.extend([json!(-1), json!(-1.0), json!(1_u64 << 31), json!(i64::MIN), json!(u64::MAX), json!(1e300)]);
    }
    if schema["items"]["required"].is_array() {
        let url = json!("file:///x");
        values.extend([json!([{}]), json!([{"url": 1, "metadata": {}}]), json!([{"url": url, "metadata": 1}])]);
        values.push(json!([{"url": url, "metadata": {}, "validation_data": {"checksum": "x"}}]));
    }
    values
}

fn create(client: &Client, fields: &Value) -> Response {
    client.post("/v2/images").json(fields).send()
}

/// Two changes of the image with data, the first of which could be made.
fn change(world: &World, second: &Value) -> Response {
    let first = json!({"op": "add", "path": "/colour", "value": "red"});
    world.request("PATCH", "/images/{id}", Brings::Patch).json(&json!([first, second])).send()
}

/// Refused by name, as what cannot be (400) or as what is not the client's (403).
fn refuses(world: &World, answer: &Response, name: &str, what: &str) {
    let status = if answer.status == 403 { 403 } else { 400 };
    world.refuses(answer, status, name, what);
}

#[test]
fn what_the_schema_does_not_let_pass_is_refused_by_name() {
    let world = World::of(Setup::api("").set("show_multiple_locations", "True"));
    let schema = world.admin.get("/v2/schemas/image").expect(200).json();
    let mut properties: Map<String, Value> = schema["properties"].as_object().unwrap().clone();
    properties.insert("my own".to_owned(), schema["additionalProperties"].clone());
    for (name, schema) in &properties {
        for value in impossible(schema) {
            let what = format!("{name}: {value}");
            refuses(&world, &create(&world.admin, &json!({name: value})), name, &what);
            let set = json!({"op": "replace", "path": format!("/{name}"), "value": value});
            refuses(&world, &change(&world, &set), name, &what);
        }
    }
    world.judge();
}

#[test]
fn names_that_are_the_services_are_403() {
    let world = World::new();
    let names = "status checksum size virtual_size direct_url self file schema created_at updated_at os_hash_algo \
                 os_hash_value stores location deleted deleted_at os_glance_x os_glance";
    for name in names.split(' ') {
        for op in ["add", "replace", "remove"] {
            let answer = change(&world, &json!({"op": op, "path": format!("/{name}"), "value": "x"}));
            world.refuses(&answer, 403, name, &format!("{op} {name}"));
        }
        let value = if name.ends_with("size") { json!(1) } else { json!("queued") };
        world.refuses(&create(&world.admin, &json!({name: value, "name": "x"})), 403, name, name);
    }
    for op in ["add", "replace", "remove"] {
        let answer = change(&world, &json!({"op": op, "path": "/id", "value": world.queued}));
        world.refuses(&answer, 403, "id", &format!("{op} id"));
    }
    let places = json!([{"url": "http://127.0.0.1/x", "metadata": {}}]);
    world.refuses(&create(&world.admin, &json!({"locations": places})), 403, "locations", "locations");
    for (op, path, value) in [("add", "/0", &places[0]), ("replace", "", &places), ("remove", "/0", &Value::Null)] {
        let answer = change(&world, &json!({"op": op, "path": format!("/locations{path}"), "value": value}));
        world.refuses(&answer, 403, "locations", op);
    }
    world.judge();
}

#[test]
fn a_path_that_leads_nowhere_is_refused() {
    let world = World::new();
    for op in ["remove", "replace"] {
        for pointer in ["", "colour", "/colour/", "/colour/x", "/tags/0", "/~", "/~2", "/a//b", "/locations/0/url"] {
            let answer = change(&world, &json!({"op": op, "path": pointer, "value": "x"}));
            world.refuses(&answer, 400, pointer, &format!("{op} {pointer}"));
        }
        for name in ["none", "%63olour", "Colour", "colour~0", "\u{fc}"] {
            let answer = change(&world, &json!({"op": op, "path": format!("/{name}"), "value": "x"}));
            world.refuses(&answer, 409, &name.replace("~0", "~"), &format!("{op} {name}"));
        }
        for pointer in [json!(1), json!(null), json!(["/colour"]), json!({})] {
            let answer = change(&world, &json!({"op": op, "path": pointer, "value": "x"}));
            world.refuses(&answer, 400, "Pointer", &format!("{op} {pointer}"));
        }
    }
    for name in ["name", "tags", "visibility", "min_ram", "protected", "owner", "disk_format"] {
        let answer = change(&world, &json!({"op": "remove", "path": format!("/{name}")}));
        world.refuses(&answer, 403, name, name);
    }
    for second in [json!([]), json!("x"), json!(null), json!({}), json!({"op": "move", "path": "/a", "from": "/b"})] {
        world.refuses(&change(&world, &second), 400, "", &second.to_string());
    }
    for op in ["test", "copy", "ADD", "", "\u{0}"] {
        let answer = change(&world, &json!({"op": op, "path": "/colour", "value": "x"}));
        world.refuses(&answer, 400, "It must be one of the following: add, remove, replace.", op);
    }
    world.judge();
}

#[test]
fn the_last_of_equal_names_counts_and_is_judged() {
    let world = World::new();
    for (name, body) in [("name", r#"{"name": "a", "name": 1}"#), ("min_ram", r#"{"min_ram": 1, "min_ram": "x"}"#)] {
        world.refuses(&world.admin.post("/v2/images").body(body).send(), 400, name, body);
    }
    let twice = r#"[{"op": "replace", "op": "move", "path": "/name", "value": "x"}]"#;
    world.refuses(&world.request("PATCH", "/images/{id}", Brings::Patch).body(twice).send(), 400, "move", twice);
    let members = r#"{"member": "project-c", "member": ""}"#;
    world.refuses(
        &world.request("POST", "/images/{id}/members", Brings::Object).body(members).send(),
        400,
        "",
        members,
    );
    world.judge();
}

/// The media type that older clients send.
#[test]
fn nothing_of_a_patch_is_done_in_the_old_spelling_either() {
    let world = World::new();
    for (second, status) in [
        (r#"{"add": "/name", "value": "x"}"#, 409),
        (r#"{"add": "/colour", "value": "x"}"#, 409),
        (r#"{"replace": "/none", "value": "x"}"#, 409),
        (r#"{"replace": "/name", "value": 1}"#, 400),
        (r#"{"replace": "/name"}"#, 400),
        (r#"{"op": "replace", "path": "/name", "value": "x"}"#, 400),
    ] {
        let request = world.admin.request("PATCH", &format!("/v2/images/{}", world.active));
        let request = request.header("Content-Type", &V2_1.replace("2.1", "2.0"));
        let answer = request.body(format!(r#"[{{"add": "/new", "value": "x"}}, {second}]"#)).send();
        world.refuses(&answer, status, "", second);
    }
    world.judge();
}

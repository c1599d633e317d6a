//! The schemas that clients download (v2-images §13), and the operator's own properties (§4).

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Setup};

const PROPERTIES: [&str; 25] = [
    "id",
    "name",
    "status",
    "visibility",
    "protected",
    "os_hidden",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "owner",
    "size",
    "virtual_size",
    "container_format",
    "disk_format",
    "created_at",
    "updated_at",
    "tags",
    "direct_url",
    "min_ram",
    "min_disk",
    "self",
    "file",
    "stores",
    "schema",
    "locations",
];

fn with_file(file: &Value) -> Setup {
    let setup = Setup::api("");
    fs::write(setup.path("schema-image.json"), file.to_string()).unwrap();
    setup
}

fn names(schema: &Value) -> Vec<&str> {
    schema["properties"].as_object().unwrap().keys().map(String::as_str).collect()
}

/// The schema without its descriptions, which are nobody's business.
fn bare(mut schema: Value) -> Value {
    schema.as_object_mut().unwrap().shift_remove("description").expect("every property says what it is");
    schema
}

fn create(http: &Client, image: &Value) -> crate::harness::Response {
    http.post("/v2/images").body(image.to_string().as_bytes()).send()
}

#[test]
fn the_image() {
    let gander = Gander::plain();
    let answer = gander.client().get("/v2/schemas/image").expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let schema = answer.json();
    assert_eq!(
        schema.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["name", "properties", "additionalProperties", "links"]
    );
    assert_eq!(schema["name"], "image");
    assert_eq!(names(&schema), PROPERTIES);
    assert_eq!(schema["additionalProperties"], json!({"type": "string"}));
    assert_eq!(
        schema["links"],
        json!([
            {"rel": "self", "href": "{self}"},
            {"rel": "enclosure", "href": "{file}"},
            {"rel": "describedby", "href": "{schema}"},
        ])
    );
    let of = |name: &str| bare(schema["properties"][name].clone());
    let uuid = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$";
    assert_eq!(of("id"), json!({"type": "string", "pattern": uuid}));
    assert_eq!(of("name"), json!({"type": ["null", "string"], "maxLength": 255}));
    assert_eq!(of("size"), json!({"type": ["null", "integer"], "readOnly": true}));
    assert_eq!(of("checksum"), json!({"type": ["null", "string"], "readOnly": true, "maxLength": 32}));
    assert_eq!(of("visibility"), json!({"type": "string", "enum": ["community", "public", "private", "shared"]}));
    assert_eq!(of("tags"), json!({"type": "array", "items": {"type": "string", "maxLength": 255}}));
    assert_eq!(of("created_at"), json!({"type": "string", "readOnly": true}));
    let formats = of("container_format");
    assert_eq!(formats["type"], json!(["null", "string"]));
    let known = json!([null, "ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"]);
    assert_eq!(formats["enum"], known);
}

#[test]
fn the_lists_and_the_small_ones() {
    let gander = Gander::plain();
    let get = |name: &str| gander.client().get(&format!("/v2/schemas/{name}")).expect(200).json();
    let images = get("images");
    assert_eq!(names(&images), ["images", "first", "next", "schema"]);
    assert_eq!(images["properties"]["images"]["items"], get("image"));
    assert_eq!(images["links"][1], json!({"rel": "next", "href": "{next}"}));
    let member = get("member");
    assert_eq!(member.as_object().unwrap().keys().collect::<Vec<_>>(), ["name", "properties"]);
    assert_eq!(names(&member), ["member_id", "image_id", "created_at", "updated_at", "status", "schema"]);
    let members = get("members");
    assert_eq!(members["properties"]["members"]["items"], member);
    assert_eq!(members["links"], json!([{"rel": "describedby", "href": "{schema}"}]));
    let task = get("task");
    let all = [
        "id",
        "type",
        "status",
        "input",
        "result",
        "owner",
        "message",
        "image_id",
        "request_id",
        "user_id",
        "expires_at",
        "created_at",
        "updated_at",
        "self",
        "schema",
    ];
    assert_eq!(names(&task), all);
    let tasks = get("tasks");
    let brief: Vec<_> = all.into_iter().filter(|name| !["input", "result", "message"].contains(name)).collect();
    assert_eq!(names(&tasks["properties"]["tasks"]["items"]), brief);
}

#[test]
fn nobody_gets_them_without_being_known_and_they_take_no_body() {
    let gander = Setup::behind_proxy().start();
    gander.client().get("/v2/schemas/image").expect(401);
    let reader = gander.client().acting_as("u", "p", "");
    reader.get("/v2/schemas/image").expect(200);
    let refused = reader.request("GET", "/v2/schemas/image").body(b"{}").send().expect(400);
    assert!(refused.text().contains("A body is not expected with this request."), "{}", refused.text());
    let wrong = reader.post("/v2/schemas/image").send().expect(405);
    assert_eq!(wrong.header("allow"), Some("GET"));
}

#[test]
fn properties_of_the_operators_own() {
    let gander = with_file(&json!({
        "kernel_id": {"type": ["null", "string"], "pattern": "^[0-9a-f]{4}$", "description": "Kernel"},
        "policy": {"type": "string", "enum": ["keep", "drop"]},
    }))
    .start();
    let http = gander.client();
    let schema = http.get("/v2/schemas/image").expect(200).json();
    assert_eq!(names(&schema)[25..], ["kernel_id", "policy"]);
    assert_eq!(schema["properties"]["policy"], json!({"type": "string", "enum": ["keep", "drop"], "is_base": false}));
    assert!(schema.get("required").is_none());
    for (wrong, why) in [
        (json!({"kernel_id": "x"}), "'x' does not match '^[0-9a-f]{4}$'"),
        (json!({"policy": "burn"}), "'burn' is not one of ['keep', 'drop']"),
        (json!({"policy": null}), "None is not of type 'string'"),
        (json!({"other": null}), "None is not of type 'string'"),
    ] {
        let text = create(&http, &wrong).expect(400).text();
        assert!(text.contains("Provided object does not match schema 'image'") && text.contains(why), "{text}");
    }
    let image = create(&http, &json!({"kernel_id": null, "policy": "keep", "other": "x"})).expect(201).json();
    assert_eq!((&image["kernel_id"], &image["policy"]), (&Value::Null, &json!("keep")));
    let path = format!("/v2/images/{}", image["id"].as_str().unwrap());
    assert_eq!(http.get(&path).expect(200).json()["kernel_id"], Value::Null);
    let patch = |operations: Value| {
        let request = http.request("PATCH", &path);
        request
            .header("Content-Type", "application/openstack-images-v2.1-json-patch")
            .body(operations.to_string().as_bytes())
            .send()
    };
    let set = |value: Value| json!([{"op": "replace", "path": "/kernel_id", "value": value}]);
    assert_eq!(patch(set(json!("00ff"))).expect(200).json()["kernel_id"], "00ff");
    assert_eq!(patch(set(Value::Null)).expect(200).json()["kernel_id"], Value::Null);
    patch(set(json!("nothing"))).expect(400);
    // A custom property can go, whoever defined it.
    assert!(patch(json!([{"op": "remove", "path": "/kernel_id"}])).expect(200).json().get("kernel_id").is_none());
}

#[test]
fn what_must_be_there_must_be_there_when_an_image_is_made() {
    let gander = with_file(&json!({"properties": {"os": {"type": "string"}}, "required": ["os"]})).start();
    let http = gander.client();
    assert_eq!(http.get("/v2/schemas/image").expect(200).json()["required"], json!(["os"]));
    let text = create(&http, &json!({"name": "x"})).expect(400).text();
    assert!(text.contains("'os' is a required property"), "{text}");
    let image = create(&http, &json!({"os": "plan9"})).expect(201).json();
    let patch = json!([{"op": "replace", "path": "/name", "value": "x"}]).to_string();
    let request = http.request("PATCH", &format!("/v2/images/{}", image["id"].as_str().unwrap()));
    request
        .header("Content-Type", "application/openstack-images-v2.1-json-patch")
        .body(patch.as_bytes())
        .send()
        .expect(200);
}

#[test]
fn a_file_that_makes_no_sense_stops_the_start() {
    for (file, why) in [
        (json!({"name": {"type": "string"}}), "'name'"),
        (json!({"os": {"type": "string", "pattern": "("}}), "pattern of 'os'"),
        (json!(["os"]), "schema-image.json"),
    ] {
        let outcome = with_file(&file).run_to_end();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.contains(why), "{outcome:?}");
    }
}

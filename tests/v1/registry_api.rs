//! The registry's REST interface (v1-system §3), asked directly.

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Setup};

fn start() -> (Gander, Client) {
    let gander = Setup::registry().start();
    let http = gander.client();
    (gander, http)
}

fn image(more: &Value) -> Value {
    let mut image = json!({"name": "Image1", "disk_format": "raw", "container_format": "ovf", "is_public": true});
    for (key, value) in more.as_object().unwrap() {
        image[key] = value.clone();
    }
    json!({ "image": image })
}

/// Adds an image with these fields; its record.
fn add(http: &Client, more: &Value) -> Value {
    http.post("/images").json(&image(more)).send().expect(200).json()["image"].clone()
}

#[test]
fn an_image_can_be_added_and_read_with_its_location() {
    let (_gander, http) = start();
    let added = add(&http, &json!({"location": "file:///x", "size": 7, "properties": {"arch": "arm", "none": null}}));
    let id = added["id"].as_str().unwrap();
    let read = http.get(&format!("/images/{id}")).expect(200);
    assert_eq!(read.header("content-type"), Some("application/json; charset=UTF-8"));
    let read = &read.json()["image"];
    assert_eq!(read["location"], "file:///x");
    assert_eq!(read["size"], 7);
    assert_eq!(read["status"], "active");
    assert_eq!(read["is_public"], true);
    assert_eq!(read["protected"], false);
    assert_eq!(read["min_ram"], 0);
    assert_eq!(read["properties"], json!({"arch": "arm", "none": null}));
}

#[test]
fn lists_are_brief_or_full() {
    let (_gander, http) = start();
    add(&http, &json!({"location": "file:///x"}));
    for path in ["/", "/images"] {
        let listing = http.get(path).expect(200).json();
        let mut keys: Vec<_> = listing["images"][0].as_object().unwrap().keys().cloned().collect();
        keys.sort();
        assert_eq!(keys, ["checksum", "container_format", "disk_format", "id", "name", "size"], "{path}");
    }
    assert_eq!(http.get("/images/detail").expect(200).json()["images"][0]["location"], "file:///x");
}

#[test]
fn a_change_names_only_what_changes() {
    let (_gander, http) = start();
    let id = add(&http, &json!({"properties": {"a": "1"}}))["id"].as_str().unwrap().to_owned();
    let path = format!("/images/{id}");
    let change = json!({"image": {"name": "other", "properties": {"b": "2"}}});
    let changed = http.put(&path).json(&change).send().expect(200).json();
    assert_eq!(changed["image"]["name"], "other");
    assert_eq!(changed["image"]["disk_format"], "raw");
    assert_eq!(changed["image"]["properties"], json!({"a": "1", "b": "2"}));
    let purging = http.put(&path).header("X-Glance-Registry-Purge-Props", "true").json(&change);
    assert_eq!(purging.send().expect(200).json()["image"]["properties"], json!({"b": "2"}));
}

#[test]
fn a_deleted_image_is_listed_only_on_request() {
    let (_gander, http) = start();
    let id = add(&http, &json!({}))["id"].as_str().unwrap().to_owned();
    let answer = http.delete(&format!("/images/{id}")).expect(200);
    assert!(matches!(answer.text().as_str(), "" | "null") || answer.json().is_object(), "{}", answer.text());
    assert!(http.ids("/images").is_empty());
    assert_eq!(http.ids("/images?deleted=True"), [id.as_str()]);
    assert_eq!(http.ids("/images/detail?deleted=1&is_public=none"), [id.as_str()]);
}

#[test]
fn killed_images_are_listed_only_among_the_deleted() {
    let (_gander, http) = start();
    let id = add(&http, &json!({"status": "killed"}))["id"].as_str().unwrap().to_owned();
    assert!(http.ids("/images").is_empty());
    assert!(http.ids("/images?status=killed").is_empty());
    http.delete(&format!("/images/{id}")).expect(200);
    assert_eq!(http.ids("/images?deleted=True&status=killed"), [id]);
}

#[test]
fn an_unknown_image_is_404() {
    let (_gander, http) = start();
    let path = "/images/71c675ab-d94f-49cd-a114-e12490b328d9";
    http.get(path).expect(404);
    http.delete(path).expect(404);
    http.get(&format!("{path}/members")).expect(404);
    let text = http.put(path).json(&json!({"image": {"name": "x"}})).send().expect(404).text();
    assert!(text.contains("Image not found"), "{text}");
}

#[test]
fn a_taken_id_is_409() {
    let (_gander, http) = start();
    let id = json!({"id": "71c675ab-d94f-49cd-a114-e12490b328d9"});
    add(&http, &id);
    http.post("/images").json(&image(&id)).send().expect(409);
}

#[test]
fn bad_fields_are_400_with_the_reason() {
    let (_gander, http) = start();
    for (fields, reason) in [
        (json!({"disk_format": "floppy"}), "Invalid disk format 'floppy' for image."),
        (json!({"container_format": "box"}), "Invalid container format 'box' for image."),
        (json!({"status": "lost"}), "Invalid image status 'lost' for image."),
        (json!({"disk_format": "ami"}), "Invalid mix of disk and container formats."),
        (json!({"id": "../etc"}), "Invalid image id format"),
    ] {
        let text = http.post("/images").json(&image(&fields)).send().expect(400).text();
        assert!(text.contains(reason), "{text}");
    }
    assert!(http.ids("/images?is_public=none").is_empty());
}

#[test]
fn a_malformed_body_is_400() {
    let (_gander, http) = start();
    let id = add(&http, &json!({}))["id"].as_str().unwrap().to_owned();
    for body in ["", "not json", "[]", "7", r#"{"name": "x"}"#, r#"{"image": 7}"#, r#"{"image": {"name": {}}}"#] {
        http.post("/images").body(body).send().expect(400);
        http.put(&format!("/images/{id}")).body(body).send().expect(400);
    }
}

#[test]
fn the_content_type_does_not_matter() {
    let (_gander, http) = start();
    let request = http.post("/images").header("Content-Type", "application/x-www-form-urlencoded");
    request.json(&image(&json!({}))).send().expect(200);
}

#[test]
fn malformed_queries_are_400_as_in_the_api() {
    let (_gander, http) = start();
    for query in ["is_public=maybe", "limit=x", "marker=x", "sort_key=x", "sort_dir=x", "changes-since=x", "size_min=x"]
    {
        http.get(&format!("/images?{query}")).expect(400);
    }
}

#[test]
fn unknown_paths_are_404() {
    let (_gander, http) = start();
    for path in ["/v1/images", "/images/1/nothing", "/nothing"] {
        http.get(path).expect(404);
    }
}

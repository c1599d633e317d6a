//! PUT /images/{id} (v1-api §11).

use serde_json::{Value, json};

use crate::harness::{Gander, Response, five_kb, md5};

fn put(gander: &Gander, id: &str, headers: &[(&str, &str)]) -> Response {
    gander.client().put(&format!("/v1/images/{id}")).headers(headers).send()
}

fn updated(gander: &Gander, id: &str, headers: &[(&str, &str)]) -> Value {
    put(gander, id, headers).expect(200).json()["image"].clone()
}

const A: (&str, &str) = ("X-Image-Meta-Property-A", "1");
const B: (&str, &str) = ("X-Image-Meta-Property-B", "2");

#[test]
fn only_what_is_named_changes() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    let image = updated(&gander, &id, &[("X-Image-Meta-Name", "other")]);
    assert_eq!(image["name"], "other");
    assert_eq!(image["is_public"], true);
    assert_eq!(image["disk_format"], "raw");
    assert_eq!(image["checksum"], md5(&five_kb()));
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn the_answer_carries_location_and_etag() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    let answer = put(&gander, &id, &[]).expect(200);
    let url = format!("http://{}/v1/images/{id}", gander.client().authority());
    assert_eq!(answer.header("location"), Some(url.as_str()));
    assert_eq!(answer.header("etag"), Some(md5(&five_kb()).as_str()));
}

#[test]
fn properties_that_are_not_named_are_removed() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[A, B]);
    assert_eq!(updated(&gander, &id, &[A])["properties"], json!({"a": "1"}));
    assert_eq!(updated(&gander, &id, &[])["properties"], json!({}));
}

#[test]
fn a_removed_property_may_be_added_again() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[A, B]);
    updated(&gander, &id, &[A]);
    let again = ("X-Image-Meta-Property-B", "3");
    assert_eq!(updated(&gander, &id, &[A, again])["properties"], json!({"a": "1", "b": "3"}));
}

#[test]
fn without_purging_properties_are_added() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[A]);
    for no in ["false", "False", "0", "off"] {
        let image = updated(&gander, &id, &[B, ("X-Glance-Registry-Purge-Props", no)]);
        assert_eq!(image["properties"], json!({"a": "1", "b": "2"}), "{no}");
    }
    for yes in ["true", " on ", "1"] {
        updated(&gander, &id, &[A, B]);
        let image = updated(&gander, &id, &[B, ("X-Glance-Registry-Purge-Props", yes)]);
        assert_eq!(image["properties"], json!({"b": "2"}), "{yes}");
    }
}

#[test]
fn an_upload_keeps_the_properties() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[A]);
    let image = gander.client().put(&format!("/v1/images/{id}")).data("abc").send().expect(200).json();
    assert_eq!(image["image"]["properties"], json!({"a": "1"}));
    assert_eq!(image["image"]["status"], "active");
}

#[test]
fn data_for_an_image_that_has_some_is_409() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    let answer = gander.client().put(&format!("/v1/images/{id}")).data("other").send().expect(409);
    assert!(answer.text().contains("Cannot upload to an unqueued image"), "{}", answer.text());
    assert_eq!(gander.client().download(&id), five_kb());
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("active"));
}

#[test]
fn a_location_for_an_image_that_has_data_is_400() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    let text = put(&gander, &id, &[("X-Image-Meta-Location", "http://127.0.0.1:1/images/2")]).expect(400).text();
    assert!(text.contains("Attempted to update Location field for an image not in queued status."), "{text}");
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn an_unknown_image_is_404() {
    let gander = Gander::plain();
    let id = "71c675ab-d94f-49cd-a114-e12490b328d9";
    let text = put(&gander, id, &[A]).expect(404).text();
    assert!(text.contains(&format!("Image with identifier {id} not found")), "{text}");
}

#[test]
fn a_wrong_format_is_400_and_changes_nothing() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    let text = put(&gander, &id, &[("X-Image-Meta-Disk-Format", "floppy")]).expect(400).text();
    assert!(text.contains("Failed to update image metadata. Got error: "), "{text}");
    assert!(text.contains("Invalid disk format 'floppy' for image."), "{text}");
    assert_eq!(gander.client().meta(&id, "disk_format").as_deref(), Some("raw"));
}

#[test]
fn what_the_service_keeps_cannot_be_set() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    let other = "71c675ab-d94f-49cd-a114-e12490b328d9";
    for (name, value) in [
        ("X-Image-Meta-Id", other),
        ("X-Image-Meta-Status", "queued"),
        ("X-Image-Meta-Status", "deleted"),
        ("X-Image-Meta-Status", "killed"),
        ("X-Image-Meta-Status", "pending_delete"),
        ("X-Image-Meta-Checksum", "d41d8cd98f00b204e9800998ecf8427e"),
        ("X-Image-Meta-Size", "1"),
        ("X-Image-Meta-Deleted", "True"),
        ("X-Image-Meta-Deleted-At", "2012-02-20T18:06:51"),
        ("X-Image-Meta-Created-At", "2012-02-20T18:06:51"),
        ("X-Image-Meta-Updated-At", "2012-02-20T18:06:51"),
    ] {
        // Ignored or refused, never obeyed.
        let status = put(&gander, &id, &[(name, value)]).status;
        assert!(matches!(status, 200 | 400 | 403), "{name}: {status}");
        let image = updated(&gander, &id, &[]);
        assert_eq!(image["id"], *id, "{name}: {value}");
        assert_eq!(image["status"], "active", "{name}: {value}");
        assert_eq!(image["checksum"], md5(&five_kb()), "{name}: {value}");
        assert_eq!(image["size"], 5120, "{name}: {value}");
        assert_eq!(image["deleted"], false, "{name}: {value}");
        assert!(!image["created_at"].as_str().unwrap().starts_with("2012"), "{name}: {value}");
        assert_eq!(gander.client().download(&id), five_kb());
    }
    gander.client().head(&format!("/v1/images/{other}")).expect(404);
}

#[test]
fn a_change_moves_updated_at() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    gander.oldest_first(&[id.clone(), String::new()]);
    let before = gander.client().meta(&id, "updated_at").unwrap();
    let after = updated(&gander, &id, &[("X-Image-Meta-Name", "other")])["updated_at"].as_str().unwrap().to_owned();
    assert!(after > before, "{before} {after}");
}

#[test]
fn protection_can_be_taken_off() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Protected", "True")]);
    gander.client().delete(&format!("/v1/images/{id}")).expect(403);
    assert_eq!(updated(&gander, &id, &[("X-Image-Meta-Protected", "False")])["protected"], false);
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
}

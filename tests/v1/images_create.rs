//! POST /images (v1-api §7, §10).

use serde_json::{Value, json};

use crate::harness::{Gander, Response, five_kb, md5, minimal_headers};

/// Posts the minimal headers, without data and content type, and these.
fn post(gander: &Gander, headers: &[(&str, &str)]) -> Response {
    gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]).headers(headers).send()
}

fn posted(gander: &Gander, headers: &[(&str, &str)]) -> Value {
    post(gander, headers).expect(201).json()["image"].clone()
}

#[test]
fn without_data_an_image_is_queued() {
    let gander = Gander::plain();
    let image = posted(&gander, &[]);
    assert_eq!(image["status"], "queued");
    assert_eq!(image["size"], 0);
    assert_eq!(image["checksum"], json!(null));
    assert_eq!(image["protected"], false);
    assert_eq!(image["min_disk"], 0);
    assert_eq!(image["min_ram"], 0);
    assert_eq!(image["owner"], "admin", "the one project that there is");
    assert_eq!(image["properties"], json!({}));
}

#[test]
fn the_answer_says_where_the_image_is_but_not_where_its_data_is() {
    let gander = Gander::plain();
    let answer = gander.client().post("/v1/images").headers(&minimal_headers("Image1")).body("abc").send().expect(201);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("etag"), Some(md5(b"abc").as_str()));
    let image = &answer.json()["image"];
    let url = format!("http://{}/v1/images/{}", gander.client().authority(), image["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(url.as_str()));
    assert!(image.get("location").is_none());
}

#[test]
fn the_status_header_does_not_matter() {
    let gander = Gander::plain();
    for status in ["active", "killed", "deleted", "nonsense"] {
        assert_eq!(posted(&gander, &[("X-Image-Meta-Status", status)])["status"], "queued", "{status}");
    }
}

#[test]
fn system_fields_in_headers_do_not_matter() {
    let gander = Gander::plain();
    let image = posted(
        &gander,
        &[
            ("X-Image-Meta-Deleted", "True"),
            ("X-Image-Meta-Deleted-At", "2012-02-20T18:06:51"),
            ("X-Image-Meta-Created-At", "2012-02-20T18:06:51"),
            ("X-Image-Meta-Updated-At", "never"),
        ],
    );
    assert_eq!(image["deleted"], false);
    assert_eq!(image["deleted_at"], json!(null));
    assert!(!image["created_at"].as_str().unwrap().starts_with("2012"), "{image}");
}

#[test]
fn data_may_come_in_chunks() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    let image = request.chunked(&five_kb()).send().expect(201).json();
    assert_eq!(image["image"]["status"], "active");
    assert_eq!(image["image"]["size"], 5120);
    assert_eq!(image["image"]["checksum"], md5(&five_kb()));
}

#[test]
fn an_empty_chunked_body_is_an_empty_image() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    let image = request.chunked(b"").send().expect(201).json();
    assert_eq!(image["image"]["status"], "active");
    assert_eq!(image["image"]["size"], 0);
    assert_eq!(image["image"]["checksum"], "d41d8cd98f00b204e9800998ecf8427e");
}

#[test]
fn a_content_length_of_zero_is_no_body() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    assert_eq!(request.body("").send().expect(201).json()["image"]["status"], "queued");
}

#[test]
fn without_data_the_content_type_does_not_matter() {
    let gander = Gander::plain();
    posted(&gander, &[("Content-Type", "text/plain")]);
}

#[test]
fn a_given_id_is_kept() {
    let gander = Gander::plain();
    let id = "71c675ab-d94f-49cd-a114-e12490b328d9";
    assert_eq!(posted(&gander, &[("X-Image-Meta-Id", id)])["id"], id);
    gander.client().head(&format!("/v1/images/{id}")).expect(200);
}

#[test]
fn an_id_stays_taken_after_the_image_is_deleted() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    post(&gander, &[("X-Image-Meta-Id", &id)]).expect(409);
}

#[test]
fn both_ways_of_writing_a_header_mean_the_same() {
    let gander = Gander::plain();
    let headers = [("x-image-meta-MIN-RAM", "256"), ("x-image-meta-min_disk", "7"), ("X-Image-Meta-PROTECTED", "true")];
    let image = posted(&gander, &headers);
    assert_eq!(image["min_ram"], 256);
    assert_eq!(image["min_disk"], 7);
    assert_eq!(image["protected"], true);
}

#[test]
fn properties_have_lower_case_names_with_underscores() {
    let gander = Gander::plain();
    let headers = [("X-Image-Meta-Property-Kernel-Id", "Aki-1"), ("X-Image-Meta-Property-empty", "")];
    assert_eq!(posted(&gander, &headers)["properties"], json!({"kernel_id": "Aki-1", "empty": null}));
}

#[test]
fn an_empty_header_is_null() {
    let gander = Gander::plain();
    let headers = [
        ("X-Image-Meta-Name", ""),
        ("X-Image-Meta-Disk-Format", "raw"),
        ("X-Image-Meta-Container-Format", "bare"),
        ("X-Image-Meta-Min-Ram", ""),
    ];
    let image = gander.client().post("/v1/images").headers(&headers).send().expect(201).json();
    assert_eq!(image["image"]["name"], json!(null));
    assert_eq!(image["image"]["min_ram"], 0);
}

#[test]
fn an_admin_names_the_owner() {
    let gander = Gander::plain();
    assert_eq!(posted(&gander, &[("X-Image-Meta-Owner", "2")])["owner"], "2");
    assert_eq!(posted(&gander, &[("X-Image-Meta-Owner", "")])["owner"], json!(null));
}

#[test]
fn every_documented_format_is_accepted() {
    let gander = Gander::plain();
    for (disk, container) in [
        ("ami", "ami"),
        ("ari", "ari"),
        ("aki", "aki"),
        ("vhd", "bare"),
        ("vmdk", "ovf"),
        ("raw", "bare"),
        ("qcow2", "bare"),
        ("vdi", "bare"),
        ("iso", "bare"),
    ] {
        let headers = [("X-Image-Meta-Disk-Format", disk), ("X-Image-Meta-Container-Format", container)];
        let image = gander.client().post("/v1/images").headers(&headers).send().expect(201).json();
        assert_eq!(image["image"]["disk_format"], disk);
        assert_eq!(image["image"]["container_format"], container);
    }
}

#[test]
fn amazon_formats_do_not_mix() {
    let gander = Gander::plain();
    for (disk, container) in [("ami", "ovf"), ("raw", "ami"), ("aki", "ari")] {
        let headers = [("X-Image-Meta-Disk-Format", disk), ("X-Image-Meta-Container-Format", container)];
        let text = gander.client().post("/v1/images").headers(&headers).send().expect(400).text();
        assert!(text.contains("Invalid mix of disk and container formats"), "{text}");
    }
    assert!(gander.client().ids("/v1/images?is_public=none").is_empty());
}

#[test]
fn any_number_of_images_may_have_one_name() {
    let gander = Gander::plain();
    gander.client().add_image("same");
    gander.client().add_image("same");
    assert_eq!(gander.client().names("/v1/images"), ["same", "same"]);
}

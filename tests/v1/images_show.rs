//! HEAD and GET of one image (v1-api §12, §7.2).

use std::fs;

use crate::harness::{Gander, Setup, five_kb, md5, minimal_headers};

#[test]
fn head_and_get_carry_the_same_metadata() {
    let gander = Gander::plain();
    let headers = [("X-Image-Meta-Property-Arch", "arm"), ("X-Image-Meta-Owner", "2")];
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")).headers(&headers);
    let id = request.body(five_kb()).send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/images/{id}");
    let (head, get) = (gander.client().head(&path).expect(200), gander.client().get(&path).expect(200));
    let url = format!("http://{}{path}", gander.client().authority());
    let checksum = md5(&five_kb());
    for (field, value) in [
        ("x-image-meta-id", id.as_str()),
        ("x-image-meta-name", "Image1"),
        ("x-image-meta-status", "active"),
        ("x-image-meta-size", "5120"),
        ("x-image-meta-checksum", &checksum),
        ("x-image-meta-is_public", "True"),
        ("x-image-meta-protected", "False"),
        ("x-image-meta-deleted", "False"),
        ("x-image-meta-min_ram", "0"),
        ("x-image-meta-min_disk", "0"),
        ("x-image-meta-owner", "2"),
        ("x-image-meta-property-arch", "arm"),
        ("etag", &checksum),
        ("location", &url),
    ] {
        assert_eq!(head.header(field), Some(value), "HEAD {field}");
        assert_eq!(get.header(field), Some(value), "GET {field}");
    }
    assert_eq!(head.header("content-length"), Some("0"));
}

#[test]
fn null_is_not_sent() {
    let gander = Setup::api("caching").start();
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Property-Empty", "")]);
    let answer = gander.client().head(&format!("/v1/images/{id}")).expect(200);
    for field in ["owner", "checksum", "deleted_at", "property-empty", "location"] {
        assert_eq!(answer.header(&format!("x-image-meta-{field}")), None, "{field}");
    }
    assert_eq!(answer.header("etag"), Some("None"));
}

#[test]
fn no_answer_tells_where_the_data_is() {
    let gander = Gander::caching();
    let http = gander.client();
    let path = format!("/v1/images/{}", http.add_image("Image1"));
    for answer in [http.get(&path), http.get(&path), http.head(&path), http.put(&path).send()] {
        let answer = answer.expect(200);
        assert!(answer.headers.iter().all(|(_, value)| !value.contains("file:")), "{:?}", answer.headers);
        assert!(!answer.text().contains("file:"), "{}", answer.text());
    }
}

#[test]
fn an_image_without_data_has_metadata_only() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[]);
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("queued"));
    let text = gander.client().get(&format!("/v1/images/{id}")).expect(404).text();
    assert!(text.contains(&format!("Image {id} is not active")), "{text}");
}

#[test]
fn lost_data_is_404_and_metadata_stays() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    fs::remove_file(gander.path("images").join(&id)).unwrap();
    let text = gander.client().get(&format!("/v1/images/{id}")).expect(404).text();
    assert!(text.contains("An object with the specified identifier was not found."), "{text}");
    gander.client().head(&format!("/v1/images/{id}")).expect(200);
}

#[test]
fn data_that_is_shorter_than_its_record_is_never_a_whole_answer() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    fs::write(gander.path("images").join(&id), b"short").unwrap();
    let answer = gander.client().request("GET", &format!("/v1/images/{id}")).try_send();
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status >= 400 || !answer.complete));
}

#[test]
fn a_deleted_image_is_known_to_admins_by_its_id() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    let answer = gander.client().head(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(answer.header("x-image-meta-deleted"), Some("True"));
    assert_eq!(answer.header("x-image-meta-status"), Some("deleted"));
    gander.client().get(&format!("/v1/images/{id}")).expect(404);
}

#[test]
fn the_stored_file_is_the_image() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    assert_eq!(fs::read(gander.path("images").join(id)).unwrap(), five_kb());
}

#[test]
fn an_image_of_several_blocks_comes_back_whole() {
    let gander = Gander::caching();
    let data: Vec<u8> = (0..3_000_017_u32).map(|x| (x * 31 % 251) as u8).collect();
    let id = gander.client().add("Image1", &data);
    assert_eq!(gander.client().meta(&id, "checksum"), Some(md5(&data)));
    assert!(gander.client().download(&id) == data, "from the store");
    assert!(gander.client().download(&id) == data, "from the cache");
}

//! `X-Glance-API-Copy-From`: the service fetches the data itself (v1-api §19).

use std::fs;
use std::time::Duration;

use crate::harness::{Behaviour, Client, Gander, Origin, Setup, entries, eventually, five_kb, md5, minimal_headers};

const LIMIT: Duration = Duration::from_secs(15);

/// Asks for a copy; the id of the image.
fn copy(http: &Client, uri: &str) -> String {
    let request = http.post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    let answer = request.header("X-Glance-API-Copy-From", uri).send().expect(201).json();
    answer["image"]["id"].as_str().unwrap().to_owned()
}

fn becomes(http: &Client, id: &str, status: &str) {
    eventually(status, LIMIT, || http.meta(id, "status").as_deref() == Some(status));
}

#[test]
fn the_data_is_copied_into_the_store() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    let id = copy(&http, &origin.url("/images/2"));
    becomes(&http, &id, "active");
    drop(origin);
    assert_eq!(http.meta(&id, "checksum"), Some(md5(&five_kb())));
    assert_eq!(http.meta(&id, "size").as_deref(), Some("5120"));
    assert_eq!(fs::read(gander.path("images").join(&id)).unwrap(), five_kb());
    assert_eq!(http.download(&id), five_kb());
}

#[test]
fn the_answer_does_not_wait_for_the_copy() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    origin.set(Behaviour::PauseAfter(100));
    let id = copy(&http, &origin.url("/images/2"));
    http.get(&format!("/v1/images/{id}")).expect(404);
    origin.set(Behaviour::Serve);
    becomes(&http, &id, "active");
    assert_eq!(http.download(&id), five_kb());
}

#[test]
fn a_queued_image_can_be_filled_by_a_copy() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    let id = http.reserve("Image1", &[]);
    let request = http.put(&format!("/v1/images/{id}"));
    request.header("X-Glance-API-Copy-From", &origin.url("/images/2")).send().expect(200);
    becomes(&http, &id, "active");
    assert_eq!(http.download(&id), five_kb());
}

#[test]
fn a_copy_that_breaks_off_kills_the_image() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    origin.set(Behaviour::CutAfter(1000));
    let id = copy(&http, &origin.url("/images/2"));
    becomes(&http, &id, "killed");
    eventually("its data is gone", LIMIT, || entries(&gander.path("images")).is_empty());
    assert!(http.ids("/v1/images").is_empty());
}

#[test]
fn an_origin_that_has_no_such_image_kills_the_image_or_refuses() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    for status in [404, 500] {
        origin.set(Behaviour::Status(status));
        let request = http.post("/v1/images").headers(&minimal_headers("Image1")[1..]);
        let answer = request.header("X-Glance-API-Copy-From", &origin.url("/images/2")).send();
        if answer.status == 201 {
            becomes(&http, answer.json()["image"]["id"].as_str().unwrap(), "killed");
        } else {
            answer.expect(400);
        }
    }
    assert!(http.ids("/v1/images").is_empty());
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn an_image_that_has_data_is_not_copied_over() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(b"other");
    let id = http.add_image("Image1");
    let request = http.put(&format!("/v1/images/{id}")).header("X-Glance-API-Copy-From", &origin.url("/images/2"));
    let status = request.send().status;
    assert!(matches!(status, 400 | 409), "{status}");
    assert_eq!(origin.gets(), 0);
    assert_eq!(http.download(&id), five_kb());
}

#[test]
fn a_copy_that_is_not_what_the_client_said_kills_the_image() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    for (header, value) in [("X-Image-Meta-Checksum", "d41d8cd98f00b204e9800998ecf8427e"), ("X-Image-Meta-Size", "99")]
    {
        let id = http.reserve("Image1", &[]);
        let request = http.put(&format!("/v1/images/{id}")).header(header, value);
        request.header("X-Glance-API-Copy-From", &origin.url("/images/2")).send().expect(200);
        becomes(&http, &id, "killed");
        assert!(entries(&gander.path("images")).is_empty());
    }
}

#[test]
fn a_disk_that_fails_kills_the_image() {
    for call in ["rw/writev", "sync/fsync"] {
        let Some(setup) = Setup::api("").breakable() else { return };
        let gander = setup.start();
        let origin = Origin::serving(&vec![b'x'; 3_000_000]);
        origin.set(Behaviour::PauseAfter(1_000_000));
        let id = copy(&gander.client(), &origin.url("/images/2"));
        eventually("part of it is stored", LIMIT, || gander.bytes_in("images") > 500_000);
        gander.break_next(call);
        origin.set(Behaviour::Serve);
        // Nobody asks it anything before: an answer is written in this way, too.
        eventually("the copy has failed", LIMIT, || gander.log().contains("Input/output error"));
        becomes(&gander.client(), &id, "killed");
        eventually("nothing is left", LIMIT, || entries(&gander.path("images")).is_empty());
    }
}

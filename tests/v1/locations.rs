//! Images whose data is elsewhere (v1-api §10 step 4, v1-system §9.2).

use serde_json::json;

use crate::harness::{Behaviour, FIVE_KB, Gander, Origin, Setup, five_kb, minimal_headers};

fn register(gander: &Gander, uri: &str) -> crate::harness::Response {
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    request.header("X-Image-Meta-Location", uri).send()
}

#[test]
fn the_origin_says_the_size() {
    let gander = Gander::plain();
    let origin = Origin::serving(&five_kb());
    let image = register(&gander, &origin.url("/images/2")).expect(201).json();
    assert_eq!(image["image"]["status"], "active");
    assert_eq!(image["image"]["size"], FIVE_KB);
    assert_eq!(image["image"]["checksum"], json!(null));
    assert_eq!(origin.requests(), ["HEAD /images/2"]);
}

#[test]
fn with_a_given_size_nobody_asks_the_origin() {
    let gander = Gander::plain();
    let origin = Origin::serving(&five_kb());
    let headers = [("X-Image-Meta-Location", origin.url("/images/2")), ("X-Image-Meta-Size", "77".to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let id = gander.client().reserve("Image1", &headers);
    assert_eq!(gander.client().meta(&id, "size").as_deref(), Some("77"));
    assert!(origin.requests().is_empty());
}

#[test]
fn the_data_comes_from_the_origin() {
    let gander = Gander::plain();
    let origin = Origin::serving(&five_kb());
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    let answer = gander.client().get(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(answer.body, five_kb());
    assert_eq!(answer.header("content-length"), Some("5120"));
    assert_eq!(origin.gets(), 1);
}

#[test]
fn an_origin_that_cannot_be_asked_leaves_the_size_zero() {
    let gander = Gander::plain();
    let image = register(&gander, "http://127.0.0.1:1/images/2").expect(201).json();
    assert_eq!(image["image"]["size"], 0);
}

#[test]
fn an_origin_that_lost_the_image_is_no_success() {
    let gander = Gander::plain();
    let origin = Origin::serving(&five_kb());
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    for status in [404, 500] {
        origin.set(Behaviour::Status(status));
        let answer = gander.client().get(&format!("/v1/images/{id}"));
        assert!(answer.status >= 400, "{}", answer.status);
        gander.client().head(&format!("/v1/images/{id}")).expect(200);
    }
}

#[test]
fn an_origin_that_breaks_off_breaks_the_download_off() {
    let gander = Gander::plain();
    let origin = Origin::serving(&five_kb());
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::CutAfter(1000));
    let answer = gander.client().request("GET", &format!("/v1/images/{id}")).try_send();
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status >= 500 || !answer.complete));
}

#[test]
fn an_origin_without_a_length_still_serves() {
    let gander = Gander::plain();
    let origin = Origin::serving(&five_kb());
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::NoLength);
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn data_overrides_a_location() {
    let gander = Gander::plain();
    let origin = Origin::serving(b"remote");
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    let request = request.header("X-Image-Meta-Location", &origin.url("/images/2"));
    let answer = request.body(five_kb()).send();
    // Later releases refuse the ambiguous request; in none does the location win over the data.
    if answer.status == 201 {
        assert_eq!(gander.client().download(answer.json()["image"]["id"].as_str().unwrap()), five_kb());
    } else {
        answer.expect(400);
    }
    assert_eq!(origin.gets(), 0);
}

#[test]
fn data_of_unannounced_length_comes_whole_whatever_size_was_claimed() {
    for flavor in ["", "caching"] {
        let gander = Setup::api(flavor).start();
        let origin = Origin::serving(&five_kb());
        origin.set(Behaviour::NoLength);
        for claim in [None, Some("3"), Some("9000")] {
            let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
            let request = request.header("X-Image-Meta-Location", &origin.url("/images/2"));
            let request = claim.into_iter().fold(request, |request, size| request.header("X-Image-Meta-Size", size));
            let id = request.send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
            // The second one may come from the cache.
            for _ in 0..2 {
                assert!(gander.client().download(&id) == five_kb(), "flavor '{flavor}', claimed {claim:?}");
            }
        }
    }
}

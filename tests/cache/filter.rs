//! Which requests fill, hit and empty the cache (v1-cache §3).

use std::fs;

use crate::harness::{Behaviour, Gander, Origin, Setup, five_kb, names};

#[test]
fn an_upload_does_not_fill_the_cache() {
    let gander = Gander::caching();
    gander.client().add_image("Image1");
    assert!(names(&gander.path("cache")).is_empty());
}

#[test]
fn a_download_fills_the_cache_before_its_last_byte() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert_eq!(fs::read(gander.path("cache").join(&id)).unwrap(), five_kb());
    assert_eq!(gander.client().cached(), [(id, 0)]);
    assert!(names(&gander.path("cache/incomplete")).is_empty());
}

#[test]
fn hits_are_counted_before_the_last_byte() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    for hits in 1..=5 {
        assert_eq!(gander.client().download(&id), five_kb());
        assert_eq!(gander.client().cached(), [(id.clone(), hits)]);
    }
}

#[test]
fn a_hit_does_not_need_the_store() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    fs::remove_file(gander.path("images").join(&id)).unwrap();
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn a_hit_has_the_headers_of_a_miss() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    let path = format!("/v1/images/{id}");
    let plain = |path: &str| {
        let mut headers = gander.client().get(path).expect(200).headers;
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date") && !name.to_lowercase().contains("request-id"));
        for (name, _) in &mut headers {
            name.make_ascii_lowercase();
        }
        headers.sort();
        headers
    };
    assert_eq!(plain(&path), plain(&path));
}

#[test]
fn a_remote_image_is_fetched_once() {
    let gander = Gander::caching();
    let origin = Origin::serving(&five_kb());
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    for _ in 0..3 {
        assert_eq!(gander.client().download(&id), five_kb());
    }
    assert_eq!(origin.gets(), 1);
    origin.set(Behaviour::Status(500));
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn head_and_put_leave_the_cache_alone() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    let path = format!("/v1/images/{id}");
    gander.client().head(&path).expect(200);
    gander.client().put(&path).header("X-Image-Meta-Name", "other").send().expect(200);
    assert!(gander.client().cached().is_empty());
    gander.client().download(&id);
    gander.client().head(&path).expect(200);
    gander.client().put(&path).header("X-Image-Meta-Name", "again").send().expect(200);
    assert_eq!(gander.client().cached(), [(id, 0)]);
}

#[test]
fn a_hit_shows_the_metadata_of_now() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    gander.client().put(&format!("/v1/images/{id}")).header("X-Image-Meta-Name", "other").send().expect(200);
    let answer = gander.client().get(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(answer.header("x-image-meta-name"), Some("other"));
}

#[test]
fn a_failed_download_caches_nothing() {
    let gander = Gander::caching();
    let id = gander.client().reserve("Image1", &[]);
    gander.client().get(&format!("/v1/images/{id}")).expect(404);
    gander.client().get("/v1/images/71c675ab-d94f-49cd-a114-e12490b328d9").expect(404);
    gander.client().get("/v1/images/detail").expect(200);
    gander.client().get("/v1/images").expect(200);
    assert!(names(&gander.path("cache")).is_empty());
    assert!(gander.client().cached().is_empty());
}

#[test]
fn deleting_an_image_that_is_not_cached_caches_nothing() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert!(names(&gander.path("cache")).is_empty());
    assert!(gander.client().cached().is_empty());
}

#[test]
fn deleting_an_image_empties_the_cache_of_it() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert!(!gander.path("cache").join(&id).exists());
    assert!(gander.client().cached().is_empty());
    gander.client().get(&format!("/v1/images/{id}")).expect(404);
}

#[test]
fn a_refused_deletion_keeps_the_entry() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    gander.client().put(&format!("/v1/images/{id}")).header("X-Image-Meta-Protected", "True").send().expect(200);
    gander.client().delete(&format!("/v1/images/{id}")).expect(403);
    assert_eq!(gander.client().cached(), [(id, 0)]);
}

#[test]
fn a_query_does_not_make_another_entry() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    for query in ["", "?", "?x=1", "?x=2"] {
        assert_eq!(gander.client().get(&format!("/v1/images/{id}{query}")).expect(200).body, five_kb());
    }
    assert_eq!(gander.client().cached(), [(id, 3)]);
}

#[test]
fn a_version_in_the_accept_header_is_cached_as_well() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    let http = gander.client().with("Accept", "application/vnd.openstack.images-v1");
    assert_eq!(http.get(&format!("/images/{id}")).expect(200).body, five_kb());
    assert_eq!(gander.client().cached(), [(id, 0)]);
}

#[test]
fn a_range_is_not_understood_and_spoils_nothing() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    let http = gander.client().with("Range", "bytes=10-20");
    for _ in 0..2 {
        let answer = http.get(&format!("/v1/images/{id}"));
        match answer.status {
            200 => assert_eq!(answer.body, five_kb()),
            status => assert_eq!((status, answer.body.len()), (206, 11)),
        }
    }
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn without_the_filter_nothing_is_cached() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert!(names(&gander.path("cache")).is_empty());
    gander.client().get("/v1/cached_images").expect(404);
}

#[test]
fn the_caching_flavor_caches_without_management() {
    let gander = Setup::api("caching").start();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert_eq!(names(&gander.path("cache")), [id]);
    gander.client().get("/v1/cached_images").expect(404);
}

#[test]
fn entries_outlive_the_server() {
    let mut gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    gander.client().download(&id);
    gander.end(rustix::process::Signal::TERM);
    gander.start_again();
    assert_eq!(gander.client().cached(), [(id.clone(), 1)]);
    fs::remove_file(gander.path("images").join(&id)).unwrap();
    assert_eq!(gander.client().download(&id), five_kb());
    assert_eq!(gander.client().cached(), [(id, 2)]);
}

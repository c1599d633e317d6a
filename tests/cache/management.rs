//! The cache-management routes (v1-cache §4).

use serde_json::json;

use crate::harness::{Gander, names};

const UNKNOWN: &str = "71c675ab-d94f-49cd-a114-e12490b328d9";

#[test]
fn nothing_cached_is_an_empty_list() {
    let gander = Gander::caching();
    let answer = gander.client().get("/v1/cached_images").expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(answer.text(), r#"{"cached_images": []}"#);
    assert_eq!(gander.client().get("/v1/queued_images").expect(200).text(), r#"{"queued_images": []}"#);
}

#[test]
fn records_are_ordered_by_image_id() {
    let gander = Gander::caching();
    let mut ids: Vec<_> = (0..5).map(|x| gander.client().add_image(&format!("Image{x}"))).collect();
    for id in &ids {
        gander.client().download(id);
    }
    ids.sort();
    let cached: Vec<_> = gander.client().cached().into_iter().map(|(id, _)| id).collect();
    assert_eq!(cached, ids);
}

#[test]
fn deleting_one_entry_removes_its_file_and_keeps_the_image() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    let text = gander.client().delete(&format!("/v1/cached_images/{id}")).expect(200).text();
    assert_eq!(text, "null");
    assert!(names(&gander.path("cache")).is_empty());
    gander.client().download(&id);
    assert_eq!(gander.client().cached(), [(id, 0)]);
}

#[test]
fn deleting_what_is_not_cached_is_200() {
    let gander = Gander::caching();
    gander.client().delete(&format!("/v1/cached_images/{UNKNOWN}")).expect(200);
    gander.client().delete(&format!("/v1/queued_images/{UNKNOWN}")).expect(200);
}

#[test]
fn deleting_all_counts() {
    let gander = Gander::caching();
    for x in 0..3 {
        let id = gander.client().add_image(&format!("Image{x}"));
        gander.client().download(&id);
    }
    assert_eq!(gander.client().delete("/v1/cached_images").expect(200).json(), json!({"num_deleted": 3}));
    assert_eq!(gander.client().delete("/v1/cached_images").expect(200).json(), json!({"num_deleted": 0}));
    assert!(names(&gander.path("cache")).is_empty());
}

#[test]
fn the_queue_is_oldest_first() {
    let gander = Gander::caching();
    let mut ids: Vec<_> = (0..4).map(|x| gander.client().add_image(&format!("Image{x}"))).collect();
    // Not in the order of creation, and not sorted.
    ids.sort();
    ids.swap(0, 3);
    for id in &ids {
        let text = gander.client().put(&format!("/v1/queued_images/{id}")).send().expect(200).text();
        assert_eq!(text, "null");
        // The order is that of the markers' times.
        std::thread::sleep(std::time::Duration::from_millis(12));
    }
    assert_eq!(gander.client().queued(), ids);
    gander.client().delete(&format!("/v1/queued_images/{}", ids[1])).expect(200);
    assert_eq!(gander.client().queued().len(), 3);
    assert_eq!(gander.client().delete("/v1/queued_images").expect(200).json(), json!({"num_deleted": 3}));
    assert!(gander.client().queued().is_empty());
}

#[test]
fn a_marker_is_an_empty_file() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().put(&format!("/v1/queued_images/{id}")).send().expect(200);
    assert_eq!(std::fs::read(gander.path("cache/queue").join(&id)).unwrap(), b"");
}

#[test]
fn queueing_twice_or_what_is_cached_is_200_and_changes_nothing() {
    let gander = Gander::caching();
    let (id, cached) = (gander.client().add_image("Image1"), gander.client().add_image("Image2"));
    gander.client().download(&cached);
    for id in [&id, &id, &cached] {
        gander.client().put(&format!("/v1/queued_images/{id}")).send().expect(200);
    }
    assert_eq!(gander.client().queued(), [id]);
}

#[test]
fn a_download_takes_the_image_off_the_queue() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().put(&format!("/v1/queued_images/{id}")).send().expect(200);
    gander.client().download(&id);
    assert!(gander.client().queued().is_empty());
    assert_eq!(gander.client().cached(), [(id, 0)]);
}

#[test]
fn other_methods_and_paths_are_404() {
    let gander = Gander::caching();
    let one = format!("/v1/cached_images/{UNKNOWN}");
    for (method, path) in [
        ("POST", "/v1/cached_images"),
        ("PUT", "/v1/cached_images"),
        ("GET", one.as_str()),
        ("PUT", &one),
        ("POST", "/v1/queued_images"),
        ("GET", "/v1/cached_images/1/2"),
    ] {
        let status = gander.client().request(method, path).send().status;
        assert!(matches!(status, 404 | 405), "{method} {path}: {status}");
    }
}

#[test]
fn names_that_are_no_image_ids_touch_no_file() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    let long = "x".repeat(300);
    for evil in
        ["..", "%2e%2e", "..%2fcache.db", "%2e%2e%2f..%2fimages", "incomplete", "queue", "cache.db", "a%00b", &long]
    {
        for (method, route) in [("PUT", "queued_images"), ("DELETE", "queued_images"), ("DELETE", "cached_images")] {
            let status = gander.client().request(method, &format!("/v1/{route}/{evil}")).send().status;
            assert!((400..500).contains(&status), "{method} {route}/{evil}: {status}");
        }
    }
    for dir in ["cache/incomplete", "cache/queue", "images", "cache"] {
        assert!(gander.path(dir).is_dir(), "{dir}");
    }
    assert!(gander.path("cache/cache.db").is_file());
    assert!(gander.client().queued().is_empty());
    assert_eq!(gander.client().cached(), [(id, 0)]);
}

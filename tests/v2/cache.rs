//! Managing the cache by v2 (v2-images §12.2).

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Setup, TRUSTED_CACHING, eventually, five_kb, names};

const UNKNOWN: &str = "71c675ab-d94f-49cd-a114-e12490b328d9";

fn setup() -> Setup {
    Setup::api("").paste(TRUSTED_CACHING)
}

fn start() -> (Gander, Client) {
    let gander = setup().start();
    let admin = gander.client().acting_as("boss", "p", "admin,member,reader");
    (gander, admin)
}

/// Ids of what is cached, and of what is queued.
fn contents(http: &Client) -> (Vec<String>, Vec<String>) {
    let list = http.get("/v2/cache").expect(200).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cached = list["cached_images"].as_array().unwrap().iter().map(|entry| text(&entry["image_id"]));
    let mut cached: Vec<_> = cached.collect();
    cached.sort();
    (cached, list["queued_images"].as_array().unwrap().iter().map(text).collect())
}

fn until_cached(http: &Client, id: &str) {
    eventually("the image is cached", Duration::from_secs(10), || contents(http) == (vec![id.to_owned()], vec![]));
}

/// Puts a marker into the queue as other tools do.
fn mark(gander: &Gander, id: &str) {
    fs::write(gander.path("cache/queue").join(id), "").unwrap();
}

#[test]
fn an_image_is_fetched_at_once() {
    let (gander, admin) = start();
    let id = admin.add_image("Image1");
    let answer = admin.put(&format!("/v2/cache/{id}")).send().expect(202);
    assert!(answer.body.is_empty());
    until_cached(&admin, &id);
    assert_eq!(fs::read(gander.path("cache").join(&id)).unwrap(), five_kb());
    let list = admin.get("/v2/cache").expect(200).json();
    let entry = &list["cached_images"][0];
    let keys: Vec<_> = entry.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["image_id", "hits", "last_accessed", "last_modified", "size"]);
    assert_eq!((&entry["hits"], &entry["size"]), (&json!(0), &json!(5120)));
    assert!(entry["last_modified"].is_f64() && entry["last_accessed"].is_number());
    // It is there already: no mistake, and no work.
    admin.put(&format!("/v2/cache/{id}")).send().expect(202);
    assert_eq!(contents(&admin), (vec![id], vec![]));
}

#[test]
fn both_apis_see_one_cache() {
    let (_gander, admin) = start();
    let id = admin.add_image("Image1");
    admin.put(&format!("/v2/cache/{id}")).send().expect(202);
    until_cached(&admin, &id);
    assert_eq!(admin.download(&id), five_kb());
    assert_eq!(admin.cached(), [(id.clone(), 1)]);
    assert_eq!(admin.get("/v2/cache").expect(200).json()["cached_images"][0]["hits"], 1);
    admin.delete(&format!("/v2/cache/{id}")).expect(204);
    assert!(admin.cached().is_empty());
}

#[test]
fn only_active_images_that_are_there_can_be_fetched() {
    let (_gander, admin) = start();
    let id = admin.post("/v2/images").body(b"{}").send().expect(201).json()["id"].as_str().unwrap().to_owned();
    let text = admin.put(&format!("/v2/cache/{id}")).send().expect(400).text();
    assert!(text.contains("Only images with status active can be targeted for queueing"), "{text}");
    for unknown in [UNKNOWN, "rubbish"] {
        let text = admin.put(&format!("/v2/cache/{unknown}")).send().expect(404).text();
        assert!(text.contains(&format!("Image {unknown} not found.")), "{text}");
        admin.delete(&format!("/v2/cache/{unknown}")).expect(404);
    }
}

#[test]
fn an_entry_can_be_removed_though_its_image_is_gone() {
    let (gander, admin) = start();
    mark(&gander, UNKNOWN);
    assert_eq!(contents(&admin), (vec![], vec![UNKNOWN.to_owned()]));
    admin.delete(&format!("/v2/cache/{UNKNOWN}")).expect(204);
    assert_eq!(contents(&admin), (vec![], vec![]));
    // An image that is there need not be in the cache.
    let id = admin.add_image("Image1");
    let answer = admin.delete(&format!("/v2/cache/{id}")).expect(204);
    assert!(answer.body.is_empty());
}

#[test]
fn one_half_can_be_emptied() {
    let (gander, admin) = start();
    let id = admin.add_image("Image1");
    let fill = || {
        admin.download(&id);
        mark(&gander, UNKNOWN);
    };
    let (cached, queued) = (|| vec![id.clone()], || vec![UNKNOWN.to_owned()]);
    for (target, left) in [
        (Some("cache"), (vec![], queued())),
        (Some("QUEUE"), (cached(), vec![])),
        (Some(""), (vec![], vec![])),
        (None, (vec![], vec![])),
    ] {
        fill();
        assert_eq!(contents(&admin), (cached(), queued()));
        let http = target.map_or(admin.clone(), |target| admin.with("x-image-cache-clear-target", target));
        http.delete("/v2/cache").expect(204);
        assert_eq!(contents(&admin), left, "{target:?}");
    }
    let text = admin.with("x-image-cache-clear-target", "both").delete("/v2/cache").expect(400).text();
    assert!(text.contains("must be 'cache', 'queue' or empty string."), "{text}");
}

#[test]
fn cleaning_and_pruning() {
    let (gander, admin) = start();
    fs::write(gander.path("cache/invalid").join(UNKNOWN), "x").unwrap();
    assert!(admin.post("/v2/cache/clean").send().expect(200).body.is_empty());
    assert!(names(&gander.path("cache/invalid")).is_empty());
    let pruned = admin.post("/v2/cache/prune").send().expect(200).json();
    assert_eq!(pruned, json!({"total_files_pruned": 0, "total_bytes_pruned": 0}));
    assert_eq!(admin.get("/v2/cache/prune").expect(405).header("allow"), Some("POST"));
}

#[test]
fn pruning_tells_what_went() {
    let gander = setup().set("image_cache_max_size", 6000).start();
    let admin = gander.client().acting_as("boss", "p", "admin");
    // Others put these here, who keep to no limit.
    for id in [UNKNOWN, "81c675ab-d94f-49cd-a114-e12490b328d9"] {
        fs::write(gander.path("cache").join(id), five_kb()).unwrap();
    }
    let pruned = admin.post("/v2/cache/prune").send().expect(200).json();
    assert_eq!(pruned, json!({"total_files_pruned": 1, "total_bytes_pruned": 5120}));
}

#[test]
fn nodes_know_nothing_of_each_other() {
    let (_gander, admin) = start();
    let text = admin.get(&format!("/v2/cache/nodes/{UNKNOWN}")).expect(409).text();
    assert!(text.contains("Centralized caching is not enabled"), "{text}");
}

#[test]
fn each_call_has_a_rule() {
    let (gander, admin) = start();
    let id = admin.add_image("Image1");
    let member = gander.client().acting_as("u", "p", "member,reader");
    let calls = [
        ("GET", "/v2/cache".to_owned(), "cache_list"),
        ("DELETE", "/v2/cache".to_owned(), "cache_delete"),
        ("PUT", format!("/v2/cache/{id}"), "cache_image"),
        ("DELETE", format!("/v2/cache/{id}"), "cache_delete"),
        ("GET", format!("/v2/cache/nodes/{id}"), "list_cached_nodes"),
        ("POST", "/v2/cache/clean".to_owned(), "cache_clean"),
        ("POST", "/v2/cache/prune".to_owned(), "cache_prune"),
    ];
    for (method, path, rule) in &calls {
        let text = member.request(method, path).send().expect(403).text();
        assert!(text.contains(&format!("You are not authorized to complete {rule} action.")), "{text}");
    }
    gander.set_policy(r#"{"default": [], "cache_list": "role:member"}"#);
    member.get("/v2/cache").expect(200);
}

#[test]
fn who_does_not_see_an_image_hears_nothing_of_it() {
    let (gander, admin) = start();
    let id = admin.add_private("Image1");
    let stranger = gander.client().acting_as("u", "other", "member,reader");
    for method in ["PUT", "DELETE"] {
        stranger.request(method, &format!("/v2/cache/{id}")).send().expect(404);
    }
}

#[test]
fn without_a_cache_there_is_nothing_to_manage() {
    let gander = Setup::behind_proxy().unset("image_cache_dir").start();
    let admin = gander.client().acting_as("boss", "p", "admin,member");
    let id = admin.add_image("Image1");
    for (method, path) in [
        ("GET", "/v2/cache".to_owned()),
        ("DELETE", "/v2/cache".to_owned()),
        ("PUT", format!("/v2/cache/{id}")),
        ("DELETE", format!("/v2/cache/{id}")),
        ("GET", format!("/v2/cache/nodes/{id}")),
        ("POST", "/v2/cache/clean".to_owned()),
        ("POST", "/v2/cache/prune".to_owned()),
    ] {
        let text = admin.request(method, &path).send().expect(404).text();
        assert!(text.contains("Caching via API is not supported at this site."), "{method} {path}: {text}");
        gander.client().acting_as("u", "p", "reader").request(method, &path).send().expect(403);
    }
}

#[test]
fn what_others_have_queued_is_fetched_in_time() {
    let gander = setup().set("cache_prefetcher_interval", 1).start();
    let admin = gander.client().acting_as("boss", "p", "admin");
    let id = admin.add_image("Image1");
    mark(&gander, &id);
    until_cached(&admin, &id);
}

#[test]
fn what_an_earlier_server_left_queued_is_fetched_at_the_start() {
    let mut gander = setup().set("cache_prefetcher_interval", 0).start();
    let admin = gander.client().acting_as("boss", "p", "admin");
    let id = admin.add_image("Image1");
    mark(&gander, &id);
    assert!(gander.end(rustix::process::Signal::TERM).success());
    gander.start_again();
    until_cached(&admin, &id);
}

#[test]
fn what_can_never_be_fetched_leaves_the_queue_and_keeps_nobody_waiting() {
    let (gander, admin) = start();
    mark(&gander, UNKNOWN);
    let queued = admin.register("raw", "bare");
    mark(&gander, &queued);
    let id = admin.add_image("Image1");
    admin.put(&format!("/v2/cache/{id}")).send().expect(202);
    until_cached(&admin, &id);
}

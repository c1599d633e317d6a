//! What is not a client's to say or to know, by whichever API (security S38, policy-and-auth §5).

use serde_json::json;

use super::client::refusal;
use crate::harness::{Client, Gander, Setup, TRUSTED_CACHING, minimal_headers};

const PATCH: &str = "application/openstack-images-v2.1-json-patch";

fn start() -> (Gander, Client, Client) {
    let gander = Setup::api("").paste(TRUSTED_CACHING).start();
    let alice = gander.client().acting_as("alice", "a", "member,reader");
    let bob = gander.client().acting_as("bob", "b", "member,reader");
    (gander, alice, bob)
}

fn patch(http: &Client, id: &str, body: &serde_json::Value) -> crate::harness::Response {
    http.request("PATCH", &format!("/v2/images/{id}")).header("Content-Type", PATCH).json(body).send()
}

#[test]
fn v1_cannot_set_the_services_own_properties() {
    let (_gander, alice, _) = start();
    let post = alice.post("/v1/images").headers(&minimal_headers("Image1")[1..4]);
    let post = post.header("X-Image-Meta-Property-os_glance_stage_host", "http://evil").send();
    assert!(refusal(post, 403).contains("os_glance_stage_host"));
    let id = alice.register("raw", "bare");
    let put = alice.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Property-os_glance_x", "y").send();
    assert!(refusal(put, 403).contains("os_glance_x"));
}

#[test]
fn v1_neither_shows_nor_purges_them() {
    let (gander, alice, _) = start();
    let id = alice.register("raw", "bare");
    let insert = format!(
        "INSERT INTO image_properties (image_id, name, value, created_at, updated_at, deleted) \
         VALUES ('{id}', 'os_glance_stage_host', 'http://node', '2026-01-01 00:00:00', '2026-01-01 00:00:00', false)"
    );
    gander.rows(&insert);
    alice.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Property-color", "red").send().expect(200);
    let head = alice.head(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(head.header("x-image-meta-property-color"), Some("red"));
    assert_eq!(head.header("x-image-meta-property-os_glance_stage_host"), None);
    let rows = gander.rows("SELECT name FROM image_properties WHERE name = 'os_glance_stage_host' AND NOT deleted");
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_property_of_v1_does_not_pass_for_an_attribute_of_v2() {
    let (_gander, alice, _) = start();
    let id = alice.register("raw", "bare");
    let put = alice.put(&format!("/v1/images/{id}"));
    let put = put.header("X-Image-Meta-Property-direct_url", "rbd://a/b/c/d");
    let put = put.header("X-Image-Meta-Property-stores", "fast");
    put.header("X-Image-Meta-Property-status", "active").send().expect(200);
    let image = alice.image(&id);
    assert_eq!((image.get("direct_url"), image.get("stores")), (None, None));
    assert_eq!(image["status"], "queued");
}

#[test]
fn an_open_policy_does_not_open_the_images_of_others() {
    let setup = Setup::api("").paste(TRUSTED_CACHING);
    setup.policy(r#"{"default": "", "modify_image": "", "delete_image": ""}"#);
    let gander = setup.start();
    let alice = gander.client().acting_as("alice", "a", "admin,member,reader");
    let bob = gander.client().acting_as("bob", "b", "member,reader");
    let body = json!({"visibility": "public", "name": "theirs"});
    let id = alice.post("/v2/images").json(&body).send().expect(201).json()["id"].as_str().unwrap().to_owned();
    patch(&bob, &id, &json!([{"op": "replace", "path": "/name", "value": "mine"}])).expect(403);
    bob.delete(&format!("/v2/images/{id}")).expect(403);
    bob.put(&format!("/v2/images/{id}/tags/t")).send().expect(403);
    assert_eq!(alice.image(&id)["name"], "theirs");
}

#[test]
fn who_may_not_manage_the_cache_does_not_learn_what_is_in_it() {
    let (gander, alice, bob) = start();
    let id = alice.add_raw(b"data");
    alice.get_file(&id).expect(200);
    alice.delete(&format!("/v2/images/{id}")).expect(204);
    std::fs::write(gander.path("cache").join(&id), "data").unwrap();
    bob.delete(&format!("/v2/cache/{id}")).expect(404);
    let unknown = "71c675ab-d94f-49cd-a114-e12490b328d9";
    bob.delete(&format!("/v2/cache/{unknown}")).expect(404);
}

#[test]
fn a_patch_has_an_end() {
    let gander = Setup::api("").paste(TRUSTED_CACHING).set("image_patch_quota", 3).start();
    let alice = gander.client().acting_as("alice", "a", "member,reader");
    let id = alice.register("raw", "bare");
    let operations = |count: usize| {
        let one = |n: usize| json!({"op": "add", "path": format!("/p{n}"), "value": "v"});
        (0..count).map(one).collect::<serde_json::Value>()
    };
    patch(&alice, &id, &operations(3)).expect(200);
    let text = refusal(patch(&alice, &id, &operations(4)), 413);
    assert!(text.contains("patch operations. Attempted: 4, Maximum: 3"), "{text}");
}

#[test]
fn texts_that_some_databases_cannot_hold_are_refused_by_all() {
    let (_gander, alice, _) = start();
    let id = alice.register("raw", "bare");
    for (value, named) in [("a\0b".to_owned(), "NUL"), ("x".repeat(65_536), "65535 bytes")] {
        let text = refusal(patch(&alice, &id, &json!([{"op": "add", "path": "/long", "value": value}])), 400);
        assert!(text.contains("long") && text.contains(named), "{text}");
        alice.post("/v2/images").json(&json!({"long": value})).send().expect(400);
    }
    alice.post("/v2/images").json(&json!({"name": "a\0b"})).send().expect(400);
    assert_eq!(alice.image(&id).get("long"), None);
}

#[test]
fn v1_does_not_list_what_v2_hides_even_among_changes() {
    let (_gander, alice, _) = start();
    alice.post("/v2/images").json(&json!({"name": "hidden", "os_hidden": true})).send().expect(201);
    alice.post("/v2/images").json(&json!({"name": "plain"})).send().expect(201);
    assert_eq!(alice.names("/v1/images?changes-since=2000-01-01"), ["plain"]);
}

#[test]
fn a_list_goes_on_after_images_that_the_policy_hides() {
    let setup = Setup::api("").paste(TRUSTED_CACHING);
    setup.policy(r#"{"default": "", "get_image": "not 'secret':%(name)s", "add_image": ""}"#);
    let gander = setup.start();
    let alice = gander.client().acting_as("alice", "a", "member,reader");
    let add = |name| alice.post("/v2/images").json(&json!({ "name": name })).send().expect(201).json();
    let ids = ["last", "secret", "first"].map(|name| add(name)["id"].as_str().unwrap().to_owned());
    gander.oldest_first(&ids);
    let (mut path, mut names) = ("/v2/images?limit=1".to_owned(), Vec::new());
    loop {
        let page = alice.get(&path).expect(200).json();
        names.extend(page["images"].as_array().unwrap().iter().map(|image| image["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["first", "last"]);
}

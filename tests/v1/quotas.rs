//! Limits on what one image may have (policy-and-auth §8.1).

use serde_json::{Value, json};

use crate::harness::{Origin, Setup, minimal_headers};

#[test]
fn an_image_has_no_more_properties_than_the_quota() {
    let gander = Setup::api("").set("image_property_quota", 2).start();
    let property = |n: usize| format!("X-Image-Meta-Property-p{n}");
    let post = |count: usize| {
        let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
        (0..count).fold(request, |request, n| request.header(&property(n), "x")).send()
    };
    let text = post(3).expect(413).text();
    assert!(text.contains("properties. Attempted: 3, Maximum: 2"), "{text}");
    let id = post(2).expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
    let put = |purge: &str| {
        let request = gander.client().put(&format!("/v1/images/{id}")).header(&property(7), "x");
        request.header("X-Glance-Registry-Purge-Props", purge).send()
    };
    put("false").expect(413);
    put("true").expect(200);
}

#[test]
fn an_image_has_no_more_members_than_the_quota() {
    let gander = Setup::behind_proxy().set("image_member_quota", 2).start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let members = format!("/v1/images/{}/members", owner.add_private("Image1"));
    let all = |count: usize| {
        let list: Vec<Value> = (0..count).map(|n| json!({"member_id": format!("m{n}")})).collect();
        owner.put(&members).json(&json!({ "memberships": list })).send()
    };
    all(3).expect(413);
    all(2).expect(204);
    owner.put(&format!("{members}/m7")).send().expect(413);
    // One that is there already takes no further place.
    owner.put(&format!("{members}/m1")).json(&json!({"member": {"can_share": true}})).send().expect(204);
}

/// The service's own properties take nobody's room (security S38: nor can anybody set them).
#[test]
fn own_properties_take_no_room() {
    let gander = Setup::api("").set("image_property_quota", 2).start();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    let id = request.header("X-Image-Meta-Property-a", "x").send().expect(201).json()["image"]["id"].clone();
    let id = id.as_str().unwrap();
    gander.rows(&format!(
        "INSERT INTO image_properties (image_id, name, value, created_at, deleted) \
         VALUES ('{id}', 'os_glance_note', 'x', '2026-01-01 00:00:00', 1 = 0)"
    ));
    let put = |name: &str| {
        let request = gander.client().put(&format!("/v1/images/{id}")).header("X-Glance-Registry-Purge-Props", "false");
        request.header(&format!("X-Image-Meta-Property-{name}"), "x").send()
    };
    put("os_glance_other").expect(403);
    put("b").expect(200);
    put("c").expect(413);
}

#[test]
fn a_negative_quota_is_none() {
    let gander = Setup::api("").set("image_property_quota", -1).start();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    let request = (0..200).fold(request, |request, n| request.header(&format!("X-Image-Meta-Property-p{n}"), "x"));
    request.send().expect(201);
}

#[test]
fn nobody_makes_room_by_naming_another_owner() {
    let gander = Setup::behind_proxy().set("user_storage_quota", "10B").start();
    let origin = Origin::serving(b"6 byte");
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let post = || {
        let request = owner.post("/v1/images").headers(&minimal_headers("Image1")[1..4]);
        let request = request.header("X-Image-Meta-Owner", "t2");
        request.header("X-Image-Meta-Location", &origin.url("/images/1")).send()
    };
    assert_eq!(post().expect(201).json()["image"]["owner"], "t1");
    post().expect(413);
}

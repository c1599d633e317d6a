//! As many as an image may have, and one more; as long as it may be, and longer.

use serde_json::{Map, Value, json};

use super::world::{Brings, World};
use crate::harness::{Origin, Response, Setup};
use crate::v2::people::{People, patch, register};

#[test]
fn one_more_than_the_quota_is_413_and_hears_it() {
    let setup = Setup::api("").set("image_tag_quota", 3).set("image_property_quota", 2).set("image_member_quota", 2);
    let world = World::of(setup);
    let create = |fields: &Value| world.admin.post("/v2/images").json(fields).send();
    let patch =
        |changes: Vec<Value>| world.request("PATCH", "/images/{id}", Brings::Patch).json(&json!(changes)).send();
    let tags = |count: usize| json!((0..count).map(|n| format!("t{n}")).collect::<Vec<_>>());
    let set_tags = |count| patch(vec![json!({"op": "replace", "path": "/tags", "value": tags(count)})]);
    let properties =
        |count: usize| Value::Object((0..count).map(|n| (format!("p{n}"), json!("v"))).collect::<Map<_, _>>());
    let set = |name: &str| json!({"op": "add", "path": format!("/{name}"), "value": "v"});
    let member = |name: &str| {
        world.request("POST", "/images/{id}/members", Brings::Object).json(&json!({"member": name})).send()
    };
    create(&json!({"tags": tags(3)})).expect(201);
    create(&properties(2)).expect(201);
    set_tags(3).expect(200);
    patch(vec![set("p1")]).expect(200);
    member("project-c").expect(200);
    world.remember();

    let too_many = |answer: Response, most: usize, what: &str| {
        world.refuses(&answer, 413, &format!("Attempted: {}, Maximum: {most}", most + 1), what);
    };
    too_many(create(&json!({"tags": tags(4)})), 3, "created with tags");
    too_many(set_tags(4), 3, "patched with tags");
    too_many(world.request("PUT", "/images/{id}/tags/t3", Brings::Nothing).send(), 3, "tagged");
    too_many(create(&properties(3)), 2, "created with properties");
    too_many(patch(vec![set("p2")]), 2, "patched with properties");
    too_many(member("project-d"), 2, "shared");
    world.judge();
}

#[test]
fn a_negative_quota_is_none() {
    let quotas = ["tag", "property", "member", "location"];
    let setup = Setup::behind_proxy().set("show_multiple_locations", "True");
    let setup = quotas.iter().fold(setup, |setup, what| setup.set(&format!("image_{what}_quota"), -1));
    let people = People::of(setup);
    let origin = Origin::serving(b"some");
    let tags: Vec<String> = (0..200).map(|n| format!("t{n}")).collect();
    let properties = (0..200).map(|n| (format!("p{n}"), json!("v")));
    let fields: Map<String, Value> = properties.chain([("tags".to_owned(), json!(tags))]).collect();
    let image = register(&people.alice, &json!(fields));
    let formats = [("container_format", "bare"), ("disk_format", "raw")];
    for (name, value) in formats {
        patch(&people.alice, &image, &json!({"op": "add", "path": format!("/{name}"), "value": value})).expect(200);
    }
    for n in 0..20 {
        let place = json!({"url": origin.url(&format!("/images/{n}")), "metadata": {}});
        patch(&people.alice, &image, &json!({"op": "add", "path": "/locations/-", "value": place})).expect(200);
    }
    for n in 0..150 {
        people.alice.post(&format!("{image}/members")).json(&json!({"member": format!("m{n}")})).send().expect(200);
    }
}

#[test]
fn what_is_too_long_is_400() {
    let world = World::new();
    let longest = "n".repeat(255);
    world.admin.post("/v2/images").json(&json!({&longest: "v", "name": longest, "tags": [longest]})).send().expect(201);
    world.remember();
    for longer in ["n".repeat(256), "n".repeat(70_000), "\u{fc}".repeat(256)] {
        let answer = world.admin.post("/v2/images").json(&json!({&longer: "v"})).send();
        world.refuses(&answer, 400, "255", "created");
        let change = json!([{"op": "add", "path": format!("/{longer}"), "value": "v"}]);
        let answer = world.request("PATCH", "/images/{id}", Brings::Patch).json(&change).send();
        world.refuses(&answer, 400, "255", "patched");
        let members = world.request("POST", "/images/{id}/members", Brings::Object);
        world.refuses(&members.json(&json!({"member": longer})).send(), 400, "", "shared");
    }
    world.judge();
}

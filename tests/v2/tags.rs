//! Tags, one by one (v2-images §6.7).

use std::thread;

use serde_json::{Value, json};

use super::people::{People, message, register};
use crate::harness::{Client, Response, Setup};

fn put(client: &Client, image: &str, tag: &str) -> Response {
    client.with("Accept", "application/json").put(&format!("{image}/tags/{tag}")).send()
}

fn delete(client: &Client, image: &str, tag: &str) -> Response {
    client.with("Accept", "application/json").delete(&format!("{image}/tags/{tag}"))
}

/// The tags, in order.
fn tags(client: &Client, image: &str) -> Vec<String> {
    let shown = client.get(image).expect(200).json();
    let mut tags: Vec<String> =
        shown["tags"].as_array().unwrap().iter().map(|tag: &Value| tag.as_str().unwrap().to_owned()).collect();
    tags.sort();
    tags
}

#[test]
fn tags_come_and_go() {
    let people = People::meet();
    let image = register(&people.alice, &json!({"tags": ["first"]}));
    for _ in 0..2 {
        let added = put(&people.alice, &image, "red").expect(204);
        assert_eq!(added.header("content-type"), Some("text/html; charset=UTF-8"));
    }
    put(&people.alice, &image, "a%20b").expect(204);
    put(&people.alice, &image, "a+b").expect(204);
    put(&people.alice, &image, "%C3%BC").expect(204);
    assert_eq!(tags(&people.alice, &image), ["a b", "a+b", "first", "red", "ü"]);
    delete(&people.alice, &image, "%C3%BC").expect(204);
    delete(&people.alice, &image, "red").expect(204);
    for gone in ["red", "odd", "FIRST"] {
        assert_eq!(message(&delete(&people.alice, &image, gone).expect(404)), "The resource could not be found.");
    }
    assert_eq!(tags(&people.alice, &image), ["a b", "a+b", "first"]);
}

#[test]
fn what_cannot_be_a_tag_is_refused() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    put(&people.alice, &image, &"t".repeat(255)).expect(204);
    let refused = put(&people.alice, &image, &"t".repeat(256)).expect(400);
    assert!(message(&refused).starts_with("Provided object does not match schema 'image':"), "{}", refused.text());
    put(&people.alice, &image, "%F0%9F%98%80").expect(400);
    put(&people.alice, &image, "%FF").expect(400);
    put(&people.alice, &image, "").expect(404);
    put(&people.alice, &image, "a%2Fb").expect(404);
    people.alice.put(&format!("{image}/tags/x")).body("{}").send().expect(400);
    assert_eq!(people.alice.get(&format!("{image}/tags/x")).expect(405).header("allow"), Some("PUT, DELETE"));
    assert_eq!(tags(&people.alice, &image).len(), 1);
}

#[test]
fn tags_are_for_those_who_may_change_the_image() {
    let people = People::meet();
    let image = register(&people.alice, &json!({"tags": ["first"]}));
    let id = image.rsplit('/').next().unwrap();
    for refused in [put(&people.bob, &image, "t"), delete(&people.bob, &image, "first")] {
        assert_eq!(message(&refused.expect(404)), format!("Image {id} not found."));
    }
    let public = register(&people.admin, &json!({"visibility": "public", "tags": ["first"]}));
    let denied = "You are not authorized to complete modify_image action.";
    for refused in [
        put(&people.bob, &public, "t"),
        delete(&people.bob, &public, "first"),
        put(&people.reader, &image, "t"),
        delete(&people.reader, &image, "first"),
    ] {
        assert_eq!(message(&refused.expect(403)), denied);
    }
    put(&people.admin, &image, "of-admin").expect(204);
}

#[test]
fn there_are_no_more_tags_than_the_quota() {
    let people = People::of(Setup::behind_proxy().set("image_tag_quota", 2));
    let image = register(&people.alice, &json!({"tags": ["1"]}));
    let id = image.rsplit('/').next().unwrap();
    put(&people.alice, &image, "2").expect(204);
    put(&people.alice, &image, "2").expect(204);
    let refused = put(&people.alice, &image, "3").expect(413);
    let text = "The limit has been exceeded on the number of allowed image tags. Attempted: 3, Maximum: 2:";
    assert_eq!(message(&refused), format!("Image tag limit exceeded for image {id}: {text}"));
    delete(&people.alice, &image, "1").expect(204);
    put(&people.alice, &image, "3").expect(204);
}

#[test]
fn tags_that_come_at_the_same_time_all_stay_and_keep_to_the_quota() {
    let people = People::of(Setup::behind_proxy().set("image_tag_quota", 10));
    let image = register(&people.alice, &json!({}));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let putting = |n: usize| {
            let (alice, image) = (&people.alice, &image);
            scope.spawn(move || put(alice, image, &format!("t{n}")).status)
        };
        let all: Vec<_> = (0..16).map(putting).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 10, "{statuses:?}");
    assert_eq!(tags(&people.alice, &image).len(), 10);
}

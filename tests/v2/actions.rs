//! Deactivation and its end (v2-images §6.6).

use serde_json::json;

use super::people::{People, message, patch, register, with_data};
use crate::harness::{Client, Response, Setup};

fn act(client: &Client, image: &str, action: &str) -> Response {
    client.with("Accept", "application/json").post(&format!("{image}/actions/{action}")).send()
}

fn status(client: &Client, image: &str) -> String {
    client.get(image).expect(200).json()["status"].as_str().unwrap().to_owned()
}

#[test]
fn an_image_rests_and_works_again() {
    let people = People::meet();
    let image = with_data(&people.alice);
    for (action, after) in [("deactivate", "deactivated"), ("reactivate", "active")] {
        for _ in 0..2 {
            let done = act(&people.alice, &image, action).expect(204);
            assert_eq!(done.header("content-type"), Some("text/html; charset=UTF-8"));
            assert_eq!(status(&people.alice, &image), after);
        }
    }
    act(&people.admin, &image, "deactivate").expect(204);
    patch(&people.alice, &image, &json!({"op": "replace", "path": "/name", "value": "x"})).expect(200);
    people.alice.put(&format!("{image}/tags/t")).send().expect(204);
    assert_eq!(status(&people.alice, &image), "deactivated");
}

#[test]
fn only_what_works_can_rest() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    for action in ["deactivate", "reactivate"] {
        let refused = act(&people.alice, &image, action).expect(403);
        assert_eq!(message(&refused), format!("Not allowed to {action} image in status 'queued'"));
    }
    assert_eq!(status(&people.alice, &image), "queued");
}

#[test]
fn actions_are_for_those_whom_the_rules_name() {
    let people = People::meet();
    let image = with_data(&people.alice);
    let id = image.rsplit('/').next().unwrap();
    let public = with_data(&people.admin);
    patch(&people.admin, &public, &json!({"op": "replace", "path": "/visibility", "value": "public"})).expect(200);
    for action in ["deactivate", "reactivate"] {
        let hidden = act(&people.bob, &image, action).expect(404);
        assert_eq!(message(&hidden), format!("No image found with ID {id}"));
        for refused in [act(&people.bob, &public, action), act(&people.reader, &image, action)] {
            let text = format!("You are not authorized to complete {action} action.");
            assert_eq!(message(&refused.expect(403)), text);
        }
    }
    assert_eq!(status(&people.alice, &image), "active");
    act(&people.alice, &image, "odd").expect(404);
    let refused = people.alice.put(&format!("{image}/actions/deactivate")).send().expect(405);
    assert_eq!(refused.header("allow"), Some("POST"));
    people.alice.post(&format!("{image}/actions/deactivate")).body("{}").send().expect(400);
}

#[test]
fn v1_gives_no_data_of_an_image_that_rests_cached_or_not() {
    let people = People::of(Setup::behind_proxy().paste(crate::harness::TRUSTED_CACHING));
    let image = with_data(&people.alice);
    let id = image.rsplit('/').next().unwrap();
    let of_v1 = format!("/v1/images/{id}");
    people.alice.get(&of_v1).expect(200);
    act(&people.alice, &image, "deactivate").expect(204);
    let refused = people.alice.get(&of_v1);
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    assert_eq!(people.alice.meta(id, "status").as_deref(), Some("deactivated"));
    act(&people.alice, &image, "reactivate").expect(204);
    people.alice.get(&of_v1).expect(200);
}

//! The operator's own rules of policy (policy-and-auth §3.1).

use std::fs;

use serde_json::json;

use super::people::{People, patch, register};
use crate::harness::Setup;

/// With built-in rules where no file says otherwise.
fn setup() -> Setup {
    Setup::behind_proxy().built_in_rules()
}

#[test]
fn files_of_policy_d_lie_on_top_and_are_followed() {
    let setup = setup();
    fs::write(setup.path("policy.yaml"), "get_images: '!'\n").unwrap();
    fs::create_dir(setup.path("policy.d")).unwrap();
    let people = People::of(setup);
    people.alice.get("/v2/images").expect(403);
    let file = people.gander.path("policy.d/10-open.yaml");
    fs::write(people.gander.path("policy.d/.next"), "get_images: role:member\n").unwrap();
    fs::rename(people.gander.path("policy.d/.next"), &file).unwrap();
    people.alice.get("/v2/images").expect(200);
    people.reader.get("/v2/images").expect(403);
    fs::remove_file(file).unwrap();
    people.alice.get("/v2/images").expect(403);
}

#[test]
fn rules_of_old_hold_beside_todays_if_the_operator_says_so() {
    let people = People::of(setup().set("oslo_policy.enforce_new_defaults", "false"));
    let nobody = people.gander.client().acting_as("u-nick", "project-a", "unknown");
    let stranger = people.gander.client().acting_as("u-sam", "project-s", "unknown");
    let image = register(&nobody, &json!({"name": "i", "visibility": "community"}));
    nobody.get("/v2/images").expect(200);
    let rename = json!({"op": "replace", "path": "/name", "value": "j"});
    patch(&nobody, &image, &rename).expect(200);
    // What was open to all was always the owner's alone to change.
    stranger.get(&image).expect(200);
    let refused = patch(&stranger, &image, &rename).expect(403);
    assert!(refused.text().contains("You do not own this image"), "{}", refused.text());
    stranger.delete(&image).expect(403);
    stranger.post(&format!("{image}/actions/deactivate")).send().expect(403);
    stranger.post("/v2/images").json(&json!({"name": "i", "owner": "project-a"})).send().expect(403);
    stranger.post("/v2/images").json(&json!({"name": "i", "visibility": "public"})).send().expect(403);
    patch(&people.admin, &image, &rename).expect(200);
    nobody.delete(&image).expect(204);
}

#[test]
fn a_rule_of_a_file_has_no_old_form() {
    let setup = setup().set("oslo_policy.enforce_new_defaults", "false");
    fs::write(setup.path("policy.yaml"), "get_images: role:reader\n").unwrap();
    let people = People::of(setup);
    people.reader.get("/v2/images").expect(200);
    people.gander.client().acting_as("u-nick", "project-a", "unknown").get("/v2/images").expect(403);
}

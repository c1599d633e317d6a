//! Protected properties, by both APIs (policy-and-auth §7, security S7).

use serde_json::{Value, json};

use super::people::{People, patch, register};
use crate::harness::{Client, Response, Setup};

/// Bob may do everything by his role of a steward, a reader may read what is billed, and nobody sees what is sealed.
const RULES: &str = "\
[^billing_]
create = steward
read = steward, Reader
update = steward
delete = steward
[^sealed_]
create = @
read = !
update = !
delete = !
[^x_]
create = @
read = @
update = !
delete = !
[_late$]
create = !
read = !
update = !
delete = !
[.*]
create = @
read = @
update = @
delete = @
";

fn setup(rules: &str, format: &str) -> Setup {
    let setup = Setup::behind_proxy();
    let path = setup.path("protections.conf");
    std::fs::write(&path, rules).unwrap();
    setup.set("property_protection_file", path.display()).set("property_protection_rule_format", format)
}

fn meet() -> (People, Client) {
    let people = People::of(setup(RULES, "roles"));
    let steward = people.gander.client().acting_as("u-bob", "project-a", "member,reader,steward");
    (people, steward)
}

fn add(name: &str, value: &str) -> Value {
    json!({"op": "add", "path": format!("/{name}"), "value": value})
}

fn replace(name: &str, value: &str) -> Value {
    json!({"op": "replace", "path": format!("/{name}"), "value": value})
}

fn remove(name: &str) -> Value {
    json!({"op": "remove", "path": format!("/{name}")})
}

fn v1(client: &Client, image: &str, purge: &str, properties: &[(&str, &str)]) -> Response {
    let put = client.put(&image.replace("v2", "v1")).header("x-glance-registry-purge-props", purge);
    let header = |name: &str| format!("x-image-meta-property-{name}");
    properties.iter().fold(put, |put, (name, value)| put.header(&header(name), value)).send()
}

#[test]
fn who_may_not_create_a_property_does_not() {
    let (people, steward) = meet();
    let refused = people.alice.post("/v2/images").json(&json!({"name": "i", "billing_code": "7"})).send().expect(403);
    assert!(refused.text().contains("Attribute 'billing_code' is reserved."), "{}", refused.text());
    let refused = people.alice.post("/v1/images").header("x-image-meta-property-billing_code", "7").send().expect(403);
    assert!(refused.text().contains("billing_code"), "{}", refused.text());
    assert_eq!(people.admin.get("/v2/images").json()["images"], json!([]));
    let image = register(&people.alice, &json!({"name": "i", "color": "red"}));
    patch(&people.alice, &image, &add("billing_code", "7")).expect(403);
    v1(&people.alice, &image, "false", &[("billing_code", "7")]).expect(403);
    assert_eq!(people.alice.get(&image).json()["billing_code"], Value::Null);
    patch(&steward, &image, &add("billing_code", "7")).expect(200);
    assert_eq!(people.alice.get(&image).json()["billing_code"], "7");
}

/// Security S7: the first section that fits decides, however much a later one permits.
#[test]
fn s7_the_first_section_decides_for_all_four_verbs_and_both_apis() {
    let (people, steward) = meet();
    let image = register(&steward, &json!({"name": "i", "billing_code": "7"}));
    let alice = &people.alice;
    patch(alice, &image, &replace("billing_code", "8")).expect(403);
    patch(alice, &image, &remove("billing_code")).expect(403);
    v1(alice, &image, "false", &[("billing_code", "8")]).expect(403);
    // A purge takes what is not said, so that is refused as well.
    v1(alice, &image, "true", &[("color", "red")]).expect(403);
    v1(alice, &image, "true", &[("color", "red"), ("billing_code", "7")]).expect(200);
    let known = people.alice.get(&image).json();
    assert_eq!((&known["billing_code"], &known["color"]), (&json!("7"), &json!("red")));
    patch(&steward, &image, &remove("billing_code")).expect(200);
    assert_eq!(people.alice.get(&image).json()["billing_code"], Value::Null);
}

#[test]
fn s7_what_may_not_be_read_is_nowhere() {
    let (people, steward) = meet();
    let fields = json!({"name": "i", "visibility": "shared", "billing_code": "7", "color": "red"});
    let image = register(&steward, &fields);
    let id = image.rsplit('/').next().unwrap();
    // Whoever has no role of readers is let in by none of the rules of images, but as an admin.
    let blind = people.gander.client().acting_as("u-root", "project-r", "admin");
    for (client, sees) in [(&blind, false), (&steward, true), (&people.reader, true)] {
        let show = client.get(&image).expect(200).json();
        assert_eq!(show.get("billing_code").is_some(), sees);
        assert_eq!(show["color"], "red");
        let list = client.get("/v2/images").json();
        assert_eq!(list["images"][0].get("billing_code").is_some(), sees);
        let found = client.get("/v2/images?billing_code=7").expect(200).json();
        assert_eq!(found["images"].as_array().unwrap().len(), usize::from(sees));
        let found = client.get("/v1/images/detail?property-billing_code=7").expect(200).json();
        assert_eq!(found["images"].as_array().unwrap().len(), usize::from(sees));
        let detail = client.get("/v1/images/detail").json();
        assert_eq!(detail["images"][0]["properties"].get("billing_code").is_some(), sees);
        let head = client.head(&format!("/v1/images/{id}")).expect(200);
        assert_eq!(head.header("x-image-meta-property-billing_code").is_some(), sees);
    }
}

#[test]
fn what_may_not_be_read_is_not_lost_by_anybody() {
    let (people, _) = meet();
    let alice = &people.alice;
    let image = register(
        alice,
        &json!({"name": "i", "disk_format": "raw", "container_format": "bare",
        "sealed_key": "k", "color": "red"}),
    );
    let row = || people.gander.rows("SELECT value FROM image_properties WHERE NOT deleted AND name = 'sealed_key'");
    assert_eq!(row(), ["k"]);
    assert_eq!(alice.get(&image).json()["sealed_key"], Value::Null);
    patch(alice, &image, &replace("color", "blue")).expect(200);
    alice.put(&format!("{image}/tags/t")).send().expect(204);
    v1(alice, &image, "true", &[("shape", "round")]).expect(200);
    alice.put(&format!("{image}/file")).data("data").send().expect(204);
    assert_eq!(row(), ["k"]);
    // To whoever cannot read it, it is not there; and no trial tells what it is.
    patch(alice, &image, &replace("sealed_key", "k")).expect(409);
    patch(alice, &image, &remove("sealed_key")).expect(409);
    patch(alice, &image, &add("sealed_key", "k")).expect(403);
    v1(alice, &image, "false", &[("sealed_key", "k")]).expect(403);
    v1(alice, &image, "false", &[("sealed_key", "x")]).expect(403);
    assert_eq!(row(), ["k"]);
}

#[test]
fn what_may_be_created_need_not_be_changed() {
    let (people, _) = meet();
    let image = register(&people.alice, &json!({"name": "i", "x_note": "a"}));
    patch(&people.alice, &image, &replace("x_note", "b")).expect(403);
    patch(&people.alice, &image, &add("x_note", "b")).expect(403);
    patch(&people.alice, &image, &remove("x_note")).expect(403);
    patch(&people.alice, &image, &add("y_late", "b")).expect(403);
    let image = people.alice.get(&image).json();
    assert_eq!((&image["x_note"], &image["y_late"]), (&json!("a"), &Value::Null));
}

#[test]
fn rules_of_policy_protect_as_well() {
    let rules = "[^a_]\ncreate = stewards\nread = stewards\nupdate = !\ndelete = @\n";
    let setup = setup(rules, "policies");
    setup.policy(r#"{"default": [], "stewards": "role:steward"}"#);
    let people = People::of(setup);
    let steward = people.gander.client().acting_as("u-bob", "project-a", "member,reader,steward");
    people.alice.post("/v2/images").json(&json!({"name": "i", "a_x": "1"})).send().expect(403);
    // What no section knows is nobody's.
    steward.post("/v2/images").json(&json!({"name": "i", "b": "1"})).send().expect(403);
    let image = register(&steward, &json!({"name": "i", "a_x": "1"}));
    assert_eq!(steward.get(&image).json()["a_x"], "1");
    assert_eq!(people.alice.get(&image).json()["a_x"], Value::Null);
    patch(&steward, &image, &replace("a_x", "2")).expect(403);
    patch(&steward, &image, &remove("a_x")).expect(200);
}

#[test]
fn the_roles_of_a_service_count() {
    let (people, steward) = meet();
    let image = register(&steward, &json!({"name": "i", "billing_code": "7"}));
    let served = people.alice.with("X-Service-Identity-Status", "Confirmed").with("X-Service-Roles", "Steward");
    patch(&served, &image, &replace("billing_code", "8")).expect(200);
    // Only there: as a member he is judged by his own.
    assert_eq!(people.alice.get(&image).json()["billing_code"], "8");
}

#[test]
fn a_file_that_cannot_be_used_keeps_the_server_from_starting() {
    for (rules, format, named) in [
        ("[a]\ncreate = @\n", "roles", "there is no 'read'"),
        ("[(]\ncreate = @\nread = @\nupdate = @\ndelete = @\n", "roles", "no regular expression"),
        ("", "neither", "property_protection_rule_format"),
    ] {
        let outcome = setup(rules, format).run_to_end();
        assert_ne!(outcome.code, Some(0));
        assert!(outcome.stderr.contains(named), "{}", outcome.stderr);
    }
    let outcome = Setup::behind_proxy().set("property_protection_file", "/nonexistent").run_to_end();
    assert!(outcome.stderr.contains("property_protection_file"), "{}", outcome.stderr);
}

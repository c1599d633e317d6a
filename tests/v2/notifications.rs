//! What is told of changes (operations §9, v2-images §14).

use serde_json::{Value, json};

use super::people::{People, patch, register, with_data};
use crate::harness::{Gander, Setup};

/// Type and payload of what `logger` wrote, in order.
fn told(gander: &Gander, logger: &str) -> Vec<(String, Value)> {
    let log = gander.log();
    let messages =
        log.lines().filter(|line| line.contains(logger)).filter_map(|line| line.find('{').map(|at| &line[at..]));
    messages
        .map(|text| {
            let message: Value = serde_json::from_str(text).unwrap();
            (message["event_type"].as_str().unwrap().to_owned(), message)
        })
        .collect()
}

fn events(gander: &Gander) -> Vec<String> {
    told(gander, "oslo.messaging.notification.").into_iter().map(|(event, _)| event).collect()
}

/// Every kind of change, once.
fn live(people: &People) -> String {
    let image = register(&people.alice, &json!({"tags": ["a"], "p": "v"}));
    patch(&people.alice, &image, &json!({"op": "replace", "path": "/name", "value": "x"})).expect(200);
    people.alice.put(&format!("{image}/tags/b")).send().expect(204);
    people.alice.post(&format!("{image}/members")).json(&json!({"member": "project-b"})).send().expect(200);
    people.bob.put(&format!("{image}/members/project-b")).json(&json!({"status": "accepted"})).send().expect(200);
    people.alice.delete(&format!("{image}/members/project-b")).expect(204);
    people.alice.delete(&image).expect(204);
    image.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn every_change_is_told_with_what_it_is_about() {
    let people = People::of(Setup::behind_proxy().set("notification_driver", "log"));
    let id = live(&people);
    let told = told(&people.gander, "oslo.messaging.notification.");
    let kinds: Vec<&str> = told.iter().map(|(event, _)| event.as_str()).collect();
    let expected = [
        "image.create",
        "image.update",
        "image.update",
        "image.member.create",
        "image.member.update",
        "image.member.delete",
        "image.delete",
    ];
    assert_eq!(kinds, expected);
    let created = &told[0].1;
    assert_eq!(created["publisher_id"], "image.localhost");
    assert_eq!(created["priority"], "INFO");
    assert_eq!(created["_unique_id"].as_str().unwrap().len(), 32);
    let payload = created["payload"].as_object().unwrap();
    let fields: Vec<&str> = payload.keys().map(String::as_str).collect();
    let all = [
        "id",
        "name",
        "status",
        "created_at",
        "updated_at",
        "min_disk",
        "min_ram",
        "protected",
        "checksum",
        "owner",
        "disk_format",
        "container_format",
        "size",
        "virtual_size",
        "is_public",
        "visibility",
        "properties",
        "tags",
        "deleted",
        "deleted_at",
    ];
    assert_eq!(fields.len(), all.len());
    assert!(all.iter().all(|field| fields.contains(field)), "{fields:?}");
    assert_eq!(payload["id"], id);
    assert_eq!(payload["tags"], json!(["a"]));
    assert_eq!(payload["properties"], json!({"p": "v"}));
    assert_eq!(
        (&payload["visibility"], &payload["deleted"], &payload["deleted_at"]),
        (&json!("shared"), &json!(false), &json!(null))
    );
    let answered = &told[4].1["payload"];
    assert_eq!(
        (&answered["member_id"], &answered["status"], &answered["deleted"]),
        (&json!("project-b"), &json!("accepted"), &json!(false))
    );
    let ended = &told[5].1["payload"];
    assert_eq!((&ended["image_id"], &ended["deleted"]), (&json!(id), &json!(true)));
    assert!(ended["deleted_at"].as_str().unwrap().ends_with('Z'));
    let deleted = &told[6].1["payload"];
    assert_eq!((&deleted["status"], &deleted["deleted"]), (&json!("deleted"), &json!(true)));
}

#[test]
fn nobody_is_told_unless_the_operator_says_whom() {
    let people = People::meet();
    live(&people);
    assert!(told(&people.gander, "notif").is_empty());
}

#[test]
fn what_is_disabled_is_not_told() {
    let people = People::of(
        Setup::behind_proxy()
            .set("notification_driver", "log")
            .set("disabled_notifications", "image.update, image.member.create"),
    );
    live(&people);
    assert_eq!(events(&people.gander), ["image.create", "image.member.update", "image.member.delete", "image.delete"]);
    let people =
        People::of(Setup::behind_proxy().set("notification_driver", "log").set("disabled_notifications", "image"));
    live(&people);
    assert!(events(&people.gander).is_empty());
}

#[test]
fn the_strategy_of_2012_tells_of_both_apis() {
    let people = People::of(Setup::behind_proxy().set("notifier_strategy", "logging"));
    with_data(&people.alice);
    live(&people);
    let told = told(&people.gander, "glance.notifier.logging_notifier");
    let kinds: Vec<&str> = told.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(kinds[..2], ["image.upload", "image.create"]);
    assert!(kinds.contains(&"image.member.create"), "{kinds:?}");
    assert_eq!(told[0].1.get("_unique_id"), None);
}

#[test]
fn locations_are_told_to_nobody() {
    let people = People::of(Setup::behind_proxy().set("notification_driver", "log"));
    let image = with_data(&people.alice);
    patch(&people.alice, &image, &json!({"op": "replace", "path": "/name", "value": "x"})).expect(200);
    for (_, message) in told(&people.gander, "oslo.messaging.notification.") {
        assert!(!message.to_string().contains("file:"), "{message}");
    }
}

#[test]
fn a_driver_that_is_not_there_is_an_error_that_names_the_option() {
    for driver in ["messagingv2", "pigeon"] {
        let outcome = Setup::behind_proxy().set("notification_driver", driver).run_to_end();
        assert_ne!(outcome.code, Some(0));
        let text = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(text.contains("[oslo_messaging_notifications] driver") && text.contains(driver), "{text}");
    }
}

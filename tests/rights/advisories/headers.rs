//! v1's headers say what a client wants, not what is so (security S21).

use serde_json::{Value, json};

use super::{DATA, People, setup, ways};

/// What v1's headers might say that is not theirs to say.
const FORGED: [(&str, &str); 15] = [
    ("Status", "queued"),
    ("Status", "saving"),
    ("Status", "active"),
    ("Status", "killed"),
    ("Status", "deleted"),
    ("Status", "pending_delete"),
    ("Status", "deactivated"),
    ("Deleted", "True"),
    ("Deleted_at", "2012-02-20T00:00:00"),
    ("Checksum", "d41d8cd98f00b204e9800998ecf8427e"),
    ("Size", "1"),
    ("Created_at", "2012-02-20T00:00:00"),
    ("Updated_at", "2012-02-20T00:00:00"),
    ("Owner", "p2"),
    ("Id", "71c675ab-d94f-49cd-a114-e12490b328d9"),
];

#[test]
fn s21_headers_of_v1_move_no_image() {
    let people = People::of(setup());
    let (active, deactivated) = (people.active("shared"), people.active("shared"));
    people.admin.post(&format!("/v2/images/{deactivated}/actions/deactivate")).send().expect(204);
    for id in [&active, &deactivated] {
        let before = people.record(id);
        let path = format!("/v1/images/{id}");
        for (name, value) in FORGED {
            let name = format!("X-Image-Meta-{name}");
            let answer = people.owner.put(&path).header(&name, value).send();
            assert!([200, 403].contains(&answer.status), "{name}: {value}: {} {}", answer.status, answer.text());
            assert_eq!(people.record(id), before, "{name}: {value}");
            assert_eq!(people.owner.meta(id, "deleted").as_deref(), Some("False"), "{name}: {value}");
            // Nor is it open for other data by now.
            people.owner.put(&path).header(&name, value).data("other").send().expect(409);
            people.owner.put(&format!("/v2/images/{id}/file")).data("other").send().expect(409);
            assert_eq!(people.record(id), before, "{name}: {value}");
            people.is_whole(id);
        }
    }
    assert_eq!(people.owner.download(&active), DATA);
    people.owner.get(&ways(&deactivated)[0]).expect(403);
    people.owner.get(&ways(&deactivated)[1]).expect(404);
}

#[test]
fn s21_nor_is_an_image_made_as_headers_of_v1_say() {
    let people = People::of(setup());
    for (name, value) in FORGED {
        let post = || {
            let request = people.owner.post("/v1/images").header(&format!("X-Image-Meta-{name}"), value);
            request.header("X-Image-Meta-Disk-Format", "raw").header("X-Image-Meta-Container-Format", "bare")
        };
        // Who says which id it is to have may say so, once.
        let id = (name == "Id").then_some(value);
        let image = post().send().expect(201).json()["image"].clone();
        assert!(id.is_none_or(|id| image["id"] == id), "{image}");
        assert_eq!(image["status"], "queued", "{name}: {value}");
        assert_eq!((&image["deleted"], &image["deleted_at"]), (&json!(false), &Value::Null), "{name}: {value}");
        assert_eq!((&image["owner"], &image["checksum"]), (&json!("p1"), &Value::Null), "{name}: {value}");
        assert!(!image["created_at"].as_str().unwrap().starts_with("2012"), "{image}");
        assert!(!image["updated_at"].as_str().unwrap().starts_with("2012"), "{image}");
        if id.is_some() {
            post().send().expect(409);
        }
    }
}

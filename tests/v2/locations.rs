//! Where images' data is (v2-images §7, v2-import-and-tasks §7.2).

use serde_json::{Value, json};

use super::people::{People, message, patch, register, with_data};
use crate::harness::{Behaviour, Client, FIVE_KB, Origin, Response, Setup, entries, five_kb};

const FORMATS: &str = r#"{"disk_format": "raw", "container_format": "bare"}"#;

fn shown() -> People {
    People::of(Setup::behind_proxy().set("show_multiple_locations", "True"))
}

fn queued(client: &Client) -> String {
    register(client, &serde_json::from_str(FORMATS).unwrap())
}

fn change(client: &Client, image: &str, change: &Value) -> Response {
    patch(&client.with("Accept", "application/json"), image, change)
}

fn add(client: &Client, image: &str, at: &str, url: &str) -> Response {
    let value = json!({"url": url, "metadata": {}});
    change(client, image, &json!({"op": "add", "path": format!("/locations/{at}"), "value": value}))
}

fn replace(client: &Client, image: &str, value: &Value) -> Response {
    change(client, image, &json!({"op": "replace", "path": "/locations", "value": value}))
}

fn remove(client: &Client, image: &str, at: &str) -> Response {
    change(client, image, &json!({"op": "remove", "path": format!("/locations/{at}")}))
}

fn urls(answer: &Response) -> Vec<String> {
    let image = answer.json();
    image["locations"].as_array().unwrap().iter().map(|entry| entry["url"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn invisible_locations_are_not_changed() {
    let people = People::meet();
    let origin = Origin::serving(&five_kb());
    let image = queued(&people.alice);
    let url = origin.url("/images/1");
    let text = |verb: &str| format!("It's not allowed to {verb} locations if locations are invisible.");
    assert_eq!(message(&add(&people.alice, &image, "-", &url).expect(403)), text("add"));
    let entry = json!([{"url": url, "metadata": {}}]);
    assert_eq!(message(&replace(&people.alice, &image, &entry).expect(403)), text("update"));
    assert_eq!(message(&remove(&people.admin, &image, "0").expect(403)), text("remove"));
    // The rule comes before that, and before the rule that there must be some.
    let denied = "You are not authorized to complete delete_image_location action.";
    assert_eq!(message(&remove(&people.alice, &image, "0").expect(403)), denied);
    let none = replace(&people.alice, &image, &json!([])).expect(403);
    assert!(none.text().contains("Cannot set locations to empty list."), "{}", none.text());
    for malformed in [json!("x"), json!([{"url": url}])] {
        replace(&people.alice, &image, &malformed).expect(400);
    }
    assert_eq!(origin.requests(), Vec::<String>::new());
    assert_eq!(people.alice.get(&image).expect(200).json().get("locations"), None);
}

#[test]
fn the_first_location_makes_a_queued_image_active() {
    let people = shown();
    let origin = Origin::serving(&five_kb());
    let image = queued(&people.alice);
    let answer = add(&people.alice, &image, "0", &origin.url("/images/1")).expect(200);
    assert_eq!(answer.json()["status"], "active");
    assert_eq!(answer.json()["size"], FIVE_KB);
    assert_eq!(urls(&answer), [origin.url("/images/1")]);
    let id = image.rsplit('/').next().unwrap();
    assert_eq!(people.alice.download(id), five_kb());
    let other = queued(&people.alice);
    let entries = json!([{"url": origin.url("/images/1"), "metadata": {"rack": ["a", {"row": "b"}]}}]);
    let answer = replace(&people.alice, &other, &entries).expect(200).json();
    assert_eq!(answer["locations"], entries);
    assert_eq!(answer["status"], "active");
}

#[test]
fn data_of_no_format_is_refused() {
    let people = shown();
    let origin = Origin::serving(&five_kb());
    let image = register(&people.alice, &json!({}));
    let refused = add(&people.alice, &image, "0", &origin.url("/images/1")).expect(400);
    assert_eq!(message(&refused), "Properties disk_format, container_format must be set prior to saving data.");
    let half = register(&people.alice, &json!({"disk_format": "raw"}));
    let refused = add(&people.alice, &half, "0", &origin.url("/images/1")).expect(400);
    assert_eq!(message(&refused), "Property container_format must be set prior to saving data.");
    assert_eq!(people.alice.get(&image).expect(200).json()["status"], "queued");
}

#[test]
fn locations_have_their_places() {
    let people = shown();
    let origin = Origin::serving(&five_kb());
    let url = |n: usize| origin.url(&format!("/images/{n}"));
    let image = queued(&people.alice);
    add(&people.alice, &image, "-", &url(1)).expect(200);
    add(&people.alice, &image, "0", &url(0)).expect(200);
    add(&people.alice, &image, "99", &url(3)).expect(200);
    let answer = add(&people.alice, &image, "2", &url(2)).expect(200);
    assert_eq!(urls(&answer), [url(0), url(1), url(2), url(3)]);
    for at in ["x", "-1", "+"] {
        assert_eq!(
            message(&add(&people.alice, &image, at, &url(4)).expect(400)),
            "Invalid position for adding a location."
        );
    }
    assert_eq!(urls(&remove(&people.admin, &image, "0").expect(200)), [url(1), url(2), url(3)]);
    assert_eq!(urls(&remove(&people.admin, &image, "-").expect(200)), [url(1), url(2)]);
    for at in ["x", "2"] {
        assert_eq!(
            message(&remove(&people.admin, &image, at).expect(400)),
            "Invalid position for removing a location."
        );
    }
    remove(&people.admin, &image, "1").expect(200);
    let last = remove(&people.admin, &image, "0").expect(403);
    assert!(last.text().contains("Cannot remove last location in the image."), "{}", last.text());
    assert_eq!(urls(&people.alice.get(&image).expect(200)), [url(1)]);
}

#[test]
fn a_removed_location_takes_its_data_along() {
    let people = shown();
    let origin = Origin::serving(&five_kb());
    let image = with_data(&people.alice);
    let datadir = people.gander.path("images");
    let id = image.rsplit('/').next().unwrap();
    assert!(datadir.join(id).exists());
    add(&people.alice, &image, "-", &origin.url("/images/1")).expect(200);
    let answer = remove(&people.admin, &image, "0").expect(200);
    assert_eq!(urls(&answer), [origin.url("/images/1")]);
    assert!(!datadir.join(id).exists());
    assert_eq!(people.alice.download(id), five_kb());
    let journal = datadir.join(".journal");
    assert!(entries(&journal).is_empty());
}

#[test]
fn what_clients_may_not_name_is_no_location() {
    let people = shown();
    let origin = Origin::serving(&five_kb());
    let image = queued(&people.alice);
    origin.set(Behaviour::Status(404));
    let passwd = "file:///etc/passwd";
    for url in [
        passwd,
        "filesystem:///etc/passwd",
        "swift+config://x/y/z",
        "odd://x",
        "x",
        "http://",
        &origin.url("/images/1"),
    ] {
        assert_eq!(message(&add(&people.alice, &image, "-", url).expect(400)), "Invalid location", "{url}");
    }
    origin.set(Behaviour::Serve);
    for metadata in [json!({"a": 1}), json!({"a": [null]}), json!({"a": {"b": true}})] {
        let value = json!([{"url": origin.url("/images/1"), "metadata": metadata}]);
        replace(&people.alice, &image, &value).expect(400);
    }
    add(&people.alice, &image, "-", &format!("http://host/{}", "x".repeat(255))).expect(400);
    add(&people.alice, &image, "-", &origin.url("/images/1")).expect(200);
    let twice = add(&people.alice, &image, "-", &origin.url("/images/1")).expect(400);
    assert_eq!(message(&twice), format!("The location {} already exists", origin.url("/images/1")));
}

#[test]
fn locations_that_are_there_may_get_other_notes_but_no_others_instead() {
    let people = shown();
    let origin = Origin::serving(&five_kb());
    let image = with_data(&people.alice);
    let own = urls(&people.alice.get(&image).expect(200)).remove(0);
    let noted = json!([{"url": own, "metadata": {"rack": "a"}}]);
    assert_eq!(replace(&people.alice, &image, &noted).expect(200).json()["locations"], noted);
    for other in [
        json!([{"url": origin.url("/images/1"), "metadata": {}}]),
        json!([{"url": own, "metadata": {}}, {"url": origin.url("/images/1"), "metadata": {}}]),
    ] {
        let refused = replace(&people.alice, &image, &other).expect(400);
        assert!(message(&refused).starts_with("Original locations is not empty: "), "{}", refused.text());
    }
    assert_eq!(people.alice.get(&image).expect(200).json()["locations"], noted);
}

#[test]
fn statuses_in_which_locations_do_not_change() {
    let people = shown();
    let origin = Origin::serving(&five_kb());
    let image = with_data(&people.alice);
    people.alice.post(&format!("{image}/actions/deactivate")).send().expect(204);
    let text = |verb: &str, status: &str| format!("It's not allowed to {verb} locations if image status is {status}.");
    let entry = json!([{"url": origin.url("/images/1"), "metadata": {}}]);
    assert_eq!(
        message(&add(&people.alice, &image, "-", &origin.url("/images/1")).expect(409)),
        text("add", "deactivated")
    );
    assert_eq!(message(&replace(&people.alice, &image, &entry).expect(409)), text("replace", "deactivated"));
    assert_eq!(message(&remove(&people.admin, &image, "0").expect(409)), text("remove", "deactivated"));
    let image = queued(&people.alice);
    assert_eq!(message(&remove(&people.admin, &image, "0").expect(409)), text("remove", "queued"));
}

#[test]
fn what_is_said_of_the_data_is_kept_while_nothing_else_is_known() {
    let people = shown();
    let origin = Origin::serving(&five_kb());
    let image = queued(&people.alice);
    let entry = |checksum: &str, algo: &str, value: &str| {
        let said = json!({"checksum": checksum, "os_hash_algo": algo, "os_hash_value": value});
        json!({"url": origin.url("/images/1"), "metadata": {}, "validation_data": said})
    };
    let said = |image: &str, entry: Value| {
        change(&people.alice, image, &json!({"op": "add", "path": "/locations/-", "value": entry}))
    };
    let (md5, sha512) = ("a".repeat(32), "B".repeat(128));
    for (entry, text) in [
        (
            entry(&"x".repeat(32), "sha512", &sha512),
            format!("checksum ({}) is not a valid hexadecimal value", "x".repeat(32)),
        ),
        (entry(&md5, "sha256", &sha512), "os_hash_algo must be sha512, not sha256".to_owned()),
        (
            entry(&md5, "sha512", "bb"),
            "os_hash_value (bb) is not the correct size for sha512 (should be 64 bytes)".to_owned(),
        ),
    ] {
        assert_eq!(message(&said(&image, entry).expect(409)), text);
    }
    let answer = said(&image, entry(&md5, "sha512", &sha512)).expect(200).json();
    assert_eq!(answer["checksum"], md5);
    assert_eq!(answer["os_hash_algo"], "sha512");
    assert_eq!(answer["os_hash_value"], "b".repeat(128));
    let other = entry(&"c".repeat(32), "sha512", &sha512);
    assert_eq!(message(&said(&image, other).expect(409)), "checksum is already set with a different value");
    let bare = queued(&people.alice);
    add(&people.alice, &bare, "0", &origin.url("/images/2")).expect(200);
    let late = said(&bare, entry(&md5, "sha512", &sha512)).expect(409);
    let text =
        "New value(s) for checksum, os_hash_algo, os_hash_value may only be provided when image status is 'queued'";
    assert_eq!(message(&late), text);
}

#[test]
fn there_are_no_more_locations_than_the_quota() {
    let people =
        People::of(Setup::behind_proxy().set("show_multiple_locations", "True").set("image_location_quota", 2));
    let origin = Origin::serving(&five_kb());
    let image = queued(&people.alice);
    for n in 0..2 {
        add(&people.alice, &image, "-", &origin.url(&format!("/images/{n}"))).expect(200);
    }
    let refused = add(&people.alice, &image, "-", &origin.url("/images/3")).expect(413);
    let text = "The limit has been exceeded on the number of allowed image locations. Attempted: 3, Maximum: 2";
    assert_eq!(message(&refused), text);
}

#[test]
fn locations_are_stored_encrypted_where_all_are() {
    let people = People::of(
        Setup::behind_proxy().set("show_multiple_locations", "True").set("metadata_encryption_key", "0123456789abcdef"),
    );
    let origin = Origin::serving(&five_kb());
    let image = with_data(&people.alice);
    let answer = add(&people.alice, &image, "-", &origin.url("/images/1")).expect(200);
    assert_eq!(urls(&answer)[1], origin.url("/images/1"));
    let rows = people.gander.rows("SELECT value FROM image_locations WHERE NOT deleted");
    assert!(rows.len() == 2 && rows.iter().all(|row| !row.contains("://")), "{rows:?}");
    let entry = json!([{"url": urls(&answer)[1], "metadata": {}}, {"url": urls(&answer)[0], "metadata": {}}]);
    assert_eq!(urls(&replace(&people.alice, &image, &entry).expect(200)).len(), 2);
}

#[test]
fn services_learn_every_location() {
    let people = People::meet();
    let image = with_data(&people.alice);
    let locations = format!("{image}/locations");
    let service = people.gander.client().acting_as("u-nova", "project-a", "service,member,reader");
    let told = service.get(&locations).expect(200).json();
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert!(told[0]["url"].as_str().unwrap().starts_with("file://"), "{told}");
    assert_eq!(told[0]["metadata"], json!({}));
    people.admin.get(&locations).expect(200);
    let denied = people.alice.with("Accept", "application/json").get(&locations).expect(403);
    assert_eq!(message(&denied), "You are not authorized to complete fetch_image_location action.");
    people.bob.get(&locations).expect(404);
    assert_eq!(people.admin.delete(&locations).expect(405).header("allow"), Some("POST"));
}

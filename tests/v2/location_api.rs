//! Telling where an image's data is (v2-import-and-tasks §7.1): `exchanges/location_api.json` has the refusals, here is what
//! becomes of the data.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::people::{People, message, patch, register};
use crate::harness::{Behaviour, Client, Gander, Origin, Response, Setup, entries, eventually, md5, noise};

const LIMIT: Duration = Duration::from_secs(15);
/// Bytes of the data.
const SIZE: usize = 300_000;

fn data() -> Vec<u8> {
    noise(7, SIZE)
}

fn sha256(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Says that the data is there, and what it is.
fn tell(client: &Client, id: &str, url: &str, digest: Option<&str>) -> Response {
    let mut body = json!({"url": url});
    if let Some(digest) = digest {
        body["validation_data"] = json!({"os_hash_algo": "sha256", "os_hash_value": digest});
    }
    client.post(&format!("/v2/images/{id}/locations")).json(&body).send()
}

/// Tells it of a new image.
#[track_caller]
fn told(client: &Client, origin: &Origin, digest: Option<&str>) -> String {
    let id = client.register("raw", "bare");
    let answer = tell(client, &id, &origin.url("/images/1"), digest).expect(202);
    assert_eq!((answer.text().as_str(), answer.header("content-type")), ("", Some("text/html; charset=UTF-8")));
    id
}

fn becomes(client: &Client, id: &str, status: &str) {
    eventually(status, LIMIT, || client.status(id) == status);
}

/// Of the digests only the algorithm is known.
#[track_caller]
fn being_hashed(client: &Client, id: &str, algorithm: &str) {
    let image = client.image(id);
    let told = ["checksum", "os_hash_algo", "os_hash_value"].map(|field| &image[field]);
    assert_eq!(told, [&Value::Null, &json!(algorithm), &Value::Null]);
}

/// Nothing is known of digests, and nobody looks for them.
#[track_caller]
fn unhashed(client: &Client, id: &str) {
    let image = client.image(id);
    for field in ["checksum", "os_hash_algo", "os_hash_value"] {
        assert_eq!(image[field], Value::Null, "{field}");
    }
}

fn logs(gander: &Gander, text: &str) {
    eventually(text, LIMIT, || gander.log().contains(text));
}

fn journal(gander: &Gander) -> PathBuf {
    gander.path("images/.journal")
}

/// The image is as if nothing had been told, and takes data in any way.
#[track_caller]
fn takes_data_again(gander: &Gander, id: &str) {
    let http = gander.client();
    let image = http.image(id);
    assert_eq!((&image["status"], &image["size"]), (&json!("queued"), &Value::Null));
    unhashed(&http, id);
    assert_eq!(http.get(&format!("/v2/images/{id}/locations")).expect(200).json(), json!([]));
    eventually("the journal is empty", LIMIT, || entries(&journal(gander)).is_empty());
    http.put_file(id, b"other").expect(204);
    assert_eq!(http.get_file(id).expect(200).body, b"other");
}

#[test]
fn what_is_proved_is_the_images_data() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::with_ranges(&data());
    origin.script(&[Behaviour::CutAfter(100_000), Behaviour::Status(503), Behaviour::PauseAfter(200_000)]);
    origin.set(Behaviour::PauseAfter(200_000));
    // Digits in any case.
    let id = told(&http, &origin, Some(&sha256(&data()).to_uppercase()));
    becomes(&http, &id, "importing");
    assert_eq!(http.image(&id)["size"], SIZE);
    being_hashed(&http, &id, "sha256");
    http.get_file(&id).expect(204);
    let again = tell(&http.with("Accept", "application/json"), &id, &origin.url("/images/2"), None).expect(409);
    assert_eq!(message(&again), "It's not allowed to add locations if image status is importing.");
    eventually("the third request", LIMIT, || origin.gets() == 3);
    origin.set(Behaviour::Serve);
    becomes(&http, &id, "active");
    let image = http.image(&id);
    assert_eq!((&image["checksum"], &image["size"]), (&json!(md5(&data())), &json!(SIZE)));
    assert_eq!((&image["os_hash_algo"], &image["os_hash_value"]), (&json!("sha256"), &json!(sha256(&data()))));
    let beginnings: Vec<_> = origin.asked().iter().map(|range| range.split('-').next().unwrap().to_owned()).collect();
    assert_eq!(beginnings, ["", "bytes=100000", "bytes=100000"]);
    assert_eq!(http.get_file(&id).expect(200).body, data());
    assert!(entries(&journal(&gander)).is_empty());
}

#[test]
fn what_is_not_what_was_told_is_nobodys_data() {
    let gander = Gander::plain();
    let origin = Origin::serving(&data());
    origin.set(Behaviour::Flip);
    let id = told(&gander.client(), &origin, Some(&sha256(&data())));
    logs(&gander, "the location that was told of image");
    becomes(&gander.client(), &id, "queued");
    // Told again, of data that is right now.
    origin.set(Behaviour::Serve);
    tell(&gander.client(), &id, &origin.url("/images/1"), Some(&sha256(&data()))).expect(202);
    becomes(&gander.client(), &id, "active");
    origin.set(Behaviour::Flip);
    let other = told(&gander.client(), &origin, Some(&sha256(&data())));
    eventually("it is refused", LIMIT, || gander.log().matches("the location that was told of image").count() == 2);
    becomes(&gander.client(), &other, "queued");
    takes_data_again(&gander, &other);
}

#[test]
fn an_origin_is_not_asked_for_ever() {
    let gander = Setup::api("").set("http_retries", 1).start();
    for (behaviour, gets) in [
        // What gave bytes is asked as often again as what never did.
        (Behaviour::CutAfter(1000), 2),
        (Behaviour::Announce(SIZE - 1), 0),
        (Behaviour::Announce(SIZE + 1), 0),
    ] {
        let origin = Origin::serving(&data());
        match behaviour {
            Behaviour::Announce(_) => origin.script(&[behaviour]),
            always => origin.set(always),
        }
        let id = told(&gander.client(), &origin, Some(&sha256(&data())));
        logs(&gander, &format!("the location that was told of image {id}"));
        takes_data_again(&gander, &id);
        assert!(origin.gets() == gets.max(1), "{behaviour:?}: {:?}", origin.requests());
    }
}

#[test]
fn what_is_not_there_is_no_location() {
    let people = People::meet();
    let origin = Origin::serving(&data());
    let service = people.alice.with("X-Service-Roles", "service").with("X-Service-Identity-Status", "Confirmed");
    let file = people.gander.path("server.log");
    let elsewhere = format!("file://{}", file.display());
    let refused =
        tell(&people.alice.with("Accept", "application/json"), &people.alice.register("raw", "bare"), &elsewhere, None);
    assert_eq!(message(&refused.expect(403)), "http store must be enabled to use location API by normal user.");
    for (client, url) in [
        (&people.alice, origin.url("/elsewhere")),
        (&people.alice, "httpx://host/images".to_owned()),
        (&people.alice, "http://".to_owned()),
        (&service, elsewhere),
        (&service, "rbd://images/x".to_owned()),
    ] {
        let id = people.alice.register("raw", "bare");
        tell(client, &id, &url, None).expect(202);
        logs(&people.gander, &format!("the location that was told of image {id} is not taken: Invalid location"));
        assert_eq!(people.alice.status(&id), "queued", "{url}");
    }
    // Of no formats.
    let image = register(&people.alice, &json!({}));
    let id = image.rsplit('/').next().unwrap();
    tell(&people.alice, id, &origin.url("/images/1"), None).expect(202);
    logs(&people.gander, "Properties disk_format, container_format must be set");
    patch(&people.alice, &image, &json!({"op": "add", "path": "/disk_format", "value": "raw"})).expect(200);
    patch(&people.alice, &image, &json!({"op": "add", "path": "/container_format", "value": "bare"})).expect(200);
    tell(&people.alice, id, &origin.url("/images/1"), None).expect(202);
    becomes(&people.alice, id, "active");
}

#[test]
fn of_what_nothing_is_told_digests_come_later() {
    let people = People::of(Setup::behind_proxy().set("show_multiple_locations", "True"));
    let origin = Origin::with_ranges(&data());
    origin.set(Behaviour::PauseAfter(1000));
    let [alone, resting, two] = std::array::from_fn(|_| {
        let id = told(&people.alice, &origin, None);
        becomes(&people.alice, &id, "active");
        assert_eq!(people.alice.image(&id)["size"], SIZE);
        being_hashed(&people.alice, &id, "sha512");
        id
    });
    eventually("all are being hashed", LIMIT, || origin.gets() == 3);
    people.alice.post(&format!("/v2/images/{resting}/actions/deactivate")).send().expect(204);
    let place = json!({"url": origin.url("/images/2"), "metadata": {}});
    let more = json!({"op": "add", "path": "/locations/-", "value": place});
    patch(&people.alice, &format!("/v2/images/{two}"), &more).expect(200);
    origin.set(Behaviour::Serve);
    for id in [&alone, &resting] {
        eventually("its digests are there", LIMIT, || people.alice.image(id)["checksum"] == md5(&data()));
        assert_eq!(people.alice.image(id)["os_hash_algo"], "sha512");
    }
    assert_eq!(people.alice.status(&resting), "deactivated");
    // What is said to be elsewhere, too, may be other data there.
    logs(&people.gander, &format!("image {two} stays without digests"));
    unhashed(&people.alice, &two);
}

#[test]
fn data_that_cannot_be_hashed_is_there_all_the_same() {
    let gander = Setup::api("").set("http_retries", 0).start();
    let origin = Origin::serving(&data());
    origin.script(&[Behaviour::CutAfter(1000)]);
    let id = told(&gander.client(), &origin, None);
    logs(&gander, &format!("image {id} stays without digests"));
    assert_eq!(gander.client().status(&id), "active");
    unhashed(&gander.client(), &id);
    assert_eq!(gander.client().get_file(&id).expect(200).body, data());
}

#[test]
fn a_deletion_ends_the_hashing() {
    let gander = Gander::plain();
    let origin = Origin::serving(&data());
    origin.set(Behaviour::PauseAfter(1000));
    for digest in [Some("0".repeat(64)), None] {
        let id = told(&gander.client(), &origin, digest.as_deref());
        becomes(&gander.client(), &id, if digest.is_some() { "importing" } else { "active" });
        eventually("it is being hashed", LIMIT, || origin.gets() == if digest.is_some() { 1 } else { 2 });
        gander.client().delete(&format!("/v2/images/{id}")).expect(204);
        logs(
            &gander,
            &format!("image {id} {}", if digest.is_some() { "is not taken" } else { "stays without digests" }),
        );
        eventually("the journal is empty", LIMIT, || entries(&journal(&gander)).is_empty());
    }
    // The last of them to be asked for anything; nobody was told to go on.
    assert_eq!(origin.gets(), 2);
}

#[test]
fn whoever_brings_data_first_has_the_image() {
    let gander = Gander::plain();
    let origin = Origin::serving(&data());
    origin.set(Behaviour::Stall);
    let id = told(&gander.client(), &origin, None);
    eventually("it is looked at", LIMIT, || !origin.requests().is_empty());
    gander.client().put_file(&id, b"mine").expect(204);
    origin.set(Behaviour::Serve);
    logs(&gander, &format!("the location that was told of image {id} is not taken"));
    assert_eq!(gander.client().get_file(&id).expect(200).body, b"mine");
}

#[test]
fn a_stopping_server_lets_go_of_what_it_hashes() {
    let mut gander = Setup::api("").set("graceful_shutdown_timeout", 1).start();
    let origin = Origin::serving(&data());
    origin.set(Behaviour::PauseAfter(1000));
    let proving = told(&gander.client(), &origin, Some(&sha256(&data())));
    let active = told(&gander.client(), &origin, None);
    becomes(&gander.client(), &proving, "importing");
    becomes(&gander.client(), &active, "active");
    let silent = Origin::serving(&data());
    silent.set(Behaviour::Stall);
    let waiting = told(&gander.client(), &silent, None);
    eventually("it is looked at", LIMIT, || !silent.requests().is_empty());
    assert!(gander.end(Signal::TERM).success());
    assert!(entries(&journal(&gander)).is_empty());
    gander.start_again();
    unhashed(&gander.client(), &active);
    assert_eq!(gander.client().status(&active), "active");
    for id in [proving, waiting] {
        takes_data_again(&gander, &id);
    }
}

#[test]
fn a_killed_server_leaves_no_image_importing() {
    let mut gander = Gander::plain();
    let origin = Origin::serving(&data());
    origin.set(Behaviour::PauseAfter(1000));
    let proving = told(&gander.client(), &origin, Some(&sha256(&data())));
    let active = told(&gander.client(), &origin, None);
    becomes(&gander.client(), &proving, "importing");
    becomes(&gander.client(), &active, "active");
    let noted = fs::read_to_string(&entries(&journal(&gander))[0]).unwrap();
    assert_eq!(noted, r#"{"work":"locate","locations":[],"repeatable":true}"#);
    gander.end(Signal::KILL);
    gander.start_again();
    assert_eq!(gander.client().status(&active), "active");
    takes_data_again(&gander, &proving);
}

#[test]
fn what_a_living_server_proves_is_left_alone() {
    let first = Gander::plain();
    let origin = Origin::serving(&data());
    origin.set(Behaviour::PauseAfter(1000));
    let id = told(&first.client(), &origin, Some(&sha256(&data())));
    becomes(&first.client(), &id, "importing");
    // One that died before it had the image.
    let entry = r#"{"work":"locate","locations":[],"repeatable":true}"#;
    fs::write(journal(&first).join(format!("{id}.0123456789abcdef")), entry).unwrap();
    let second =
        Setup::api("").on(first.database()).set("filesystem_store_datadir", first.path("images").display()).start();
    assert_eq!(second.client().status(&id), "importing");
    origin.set(Behaviour::Serve);
    becomes(&second.client(), &id, "active");
    eventually("the entries are gone", LIMIT, || entries(&journal(&first)).is_empty());
    assert_eq!(second.client().status(&id), "active");
}

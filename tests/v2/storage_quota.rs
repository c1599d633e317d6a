//! Room for a project's data (`user_storage_quota`, policy-and-auth §8.1); what real Glance answers is in the exchanges.

use std::io::{BufReader, Write};
use std::time::Duration;

use serde_json::json;

use super::client::refusal;
use super::people::{People, patch};
use super::upload::half_an_upload;
use crate::harness::{Client, Setup, eventually, minimal_headers, read_response};

fn people(quota: &str) -> People {
    People::of(Setup::behind_proxy().set("user_storage_quota", quota))
}

fn left(response: crate::harness::Response) -> String {
    let text = refusal(response, 413);
    text.rsplit("exceed the limit. ").next().unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn uploads_on_their_way_take_room_from_each_other() {
    let people = people("10B");
    let alice = &people.alice;
    // Six bytes are announced, three have come.
    let (first, mut stream) = half_an_upload(alice);
    let other = alice.register("raw", "bare");
    assert_eq!(left(alice.put_file(&other, b"12345")), "4");
    let chunked = |id: &str, data: &[u8]| {
        alice
            .put(&format!("/v2/images/{id}/file"))
            .header("Content-Type", "application/octet-stream")
            .chunked(data)
            .send()
    };
    assert_eq!(left(chunked(&other, b"12345")), "4");
    assert_eq!(alice.status(&other), "queued");
    assert_eq!(left(alice.put_stage(&other, b"12345")), "4");
    people.bob.put_file(&people.bob.register("raw", "bare"), b"0123456789").expect(204);
    chunked(&other, b"1234").expect(204);
    stream.write_all(b"def").unwrap();
    read_response(&mut BufReader::new(stream), false).unwrap().expect(204);
    assert_eq!(alice.status(&first), "active");
    assert_eq!(left(alice.put_file(&alice.register("raw", "bare"), b"1")), "0");
    alice.delete(&format!("/v2/images/{other}")).expect(204);
    alice.put_file(&alice.register("raw", "bare"), b"1234").expect(204);
}

/// Security S17, S12: what is deleted on its way gives its room back, and never more than the quota is on the disk.
#[test]
fn s17_an_upload_that_is_deleted_gives_its_room_back() {
    let people = people("10B");
    let alice = &people.alice;
    let on_disk = || people.gander.bytes_in("images");
    for round in 0..50 {
        let (id, stream) = half_an_upload(alice);
        assert_eq!(left(alice.put_file(&alice.register("raw", "bare"), b"12345")), "4");
        assert!(on_disk() <= 10);
        // By one API and by the other.
        let version = 1 + round % 2;
        alice.delete(&format!("/v{version}/images/{id}")).expect(if version == 1 { 200 } else { 204 });
        read_response(&mut BufReader::new(stream), false).unwrap().expect(410);
        assert_eq!(on_disk(), 0, "after round {round}");
    }
    alice.put_file(&alice.register("raw", "bare"), b"0123456789").expect(204);
    assert_eq!(on_disk(), 10);
}

#[test]
fn an_upload_that_breaks_off_gives_its_room_back() {
    let people = people("10B");
    let (id, stream) = half_an_upload(&people.alice);
    drop(stream);
    let whole = people.alice.register("raw", "bare");
    eventually("there is room", Duration::from_secs(10), || people.alice.put_file(&whole, b"0123456789").status == 204);
    assert_eq!(people.alice.status(&id), "queued");
}

#[test]
fn what_is_staged_takes_room() {
    let people = people("10B");
    let alice = &people.alice;
    alice.put_stage(&alice.register("raw", "bare"), b"123456").expect(204);
    assert_eq!(left(alice.put_file(&alice.register("raw", "bare"), b"12345")), "4");
    assert_eq!(left(alice.put_stage(&alice.register("raw", "bare"), b"12345")), "4");
}

#[test]
fn v1_keeps_the_quota_as_well() {
    let people = people("10B");
    let alice = &people.alice;
    let post = |data: &[u8]| alice.post("/v1/images").headers(&minimal_headers("i")[..4]).data(data).send();
    let refused = post(b"01234567890").expect(413);
    assert!(refused.text().contains("10 bytes remaining"), "{}", refused.text());
    post(b"0123456789").expect(201);
    post(b"1").expect(413);
    assert_eq!(left(alice.put_file(&alice.register("raw", "bare"), b"1")), "0");
}

#[test]
fn an_image_counts_for_its_owner_whoever_brings_the_data() {
    let people = people("10B");
    let image = people.alice.register("raw", "bare");
    people.admin.put_file(&image, b"0123456789").expect(204);
    assert_eq!(left(people.alice.put_file(&people.alice.register("raw", "bare"), b"1")), "0");
    people.admin.put_file(&people.admin.register("raw", "bare"), b"0123456789").expect(204);
}

#[test]
fn data_that_lies_elsewhere_counts_once_for_each_place() {
    let origin = crate::harness::Origin::serving(&[0; 6]);
    let setup = Setup::behind_proxy().set("user_storage_quota", "10B").set("show_multiple_locations", "true");
    let people = People::of(setup);
    let place = |client: &Client, id: &str, name: &str| {
        let value = json!({"url": origin.url(&format!("/images/{name}")), "metadata": {}});
        patch(client, &format!("/v2/images/{id}"), &json!({"op": "add", "path": "/locations/-", "value": value}))
    };
    let image = people.alice.register("raw", "bare");
    place(&people.alice, &image, "one").expect(200);
    assert_eq!(left(place(&people.alice, &image, "two")), "4");
    assert_eq!(left(place(&people.alice, &people.alice.register("raw", "bare"), "three")), "4");
    place(&people.bob, &people.bob.register("raw", "bare"), "four").expect(200);
}

#[test]
fn what_v1_announces_makes_no_image_smaller() {
    let origin = crate::harness::Origin::serving(&[0; 6]);
    let people = people("10B");
    let post = |size: &str| {
        let request = people.alice.post("/v1/images").headers(&minimal_headers("i")[..4]);
        request.header("x-image-meta-location", &origin.url("/images/one")).header("x-image-meta-size", size).send()
    };
    assert_eq!(post("1").expect(201).json()["image"]["size"], 6);
    post("1").expect(413);
    let queued = people.alice.register("raw", "bare");
    let put = people.alice.put(&format!("/v1/images/{queued}")).header("x-image-meta-size", "1");
    put.header("x-image-meta-location", &origin.url("/images/one")).send().expect(413);
}

/// While data that lies elsewhere is hashed it takes its room once.
#[test]
fn data_that_is_looked_at_counts_once() {
    let origin = crate::harness::Origin::serving(b"012345");
    let people = people("12B");
    let alice = &people.alice;
    origin.set(crate::harness::Behaviour::PauseAfter(3));
    let image = alice.register("raw", "bare");
    let validation = json!({"os_hash_algo": "sha1", "os_hash_value": "fdf8bc5814536f66012884e146a8887a44709a56"});
    let told = json!({"url": origin.url("/images/one"), "validation_data": validation});
    alice.post(&format!("/v2/images/{image}/locations")).json(&told).send().expect(202);
    eventually("it is hashed", Duration::from_secs(10), || alice.status(&image) == "importing");
    assert_eq!(left(alice.put_file(&alice.register("raw", "bare"), b"0123456")), "6");
    alice.put_file(&alice.register("raw", "bare"), b"012345").expect(204);
    origin.set(crate::harness::Behaviour::Serve);
    eventually("it is active", Duration::from_secs(10), || alice.status(&image) == "active");
    assert_eq!(left(alice.put_file(&alice.register("raw", "bare"), b"1")), "0");
}

#[test]
fn one_patch_goes_past_no_quota() {
    let origin = crate::harness::Origin::serving(&[0; 6]);
    let setup = Setup::behind_proxy().set("user_storage_quota", "10B").set("show_multiple_locations", "true");
    let people = People::of(setup);
    let place = |name: &str| json!({"url": origin.url(&format!("/images/{name}")), "metadata": {}});
    let send = |changes: serde_json::Value| {
        let path = format!("/v2/images/{}", people.alice.register("raw", "bare"));
        let request = people.alice.request("PATCH", &path);
        request.header("Content-Type", "application/openstack-images-v2.1-json-patch").json(&changes).send()
    };
    let add = |name: &str| json!({"op": "add", "path": "/locations/-", "value": place(name)});
    assert_eq!(left(send(json!([add("one"), add("two")]))), "4");
    assert_eq!(left(send(json!([{"op": "replace", "path": "/locations", "value": [place("a"), place("b")]}]))), "4");
    // And they go together no further than one after the other.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = &send;
        let add = &add;
        let running: Vec<_> =
            (0..6).map(|n| scope.spawn(move || send(json!([add(&format!("p{n}"))])).status)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
}

#[test]
fn a_quota_that_is_none_keeps_the_server_from_starting() {
    for quota in ["ten", "-1", "10 KB", "10kb", "10PB", "99999999999TB"] {
        let outcome = Setup::behind_proxy().set("user_storage_quota", quota).run_to_end();
        assert!(
            outcome.code != Some(0) && outcome.stderr.contains("user_storage_quota"),
            "{quota}: {}",
            outcome.stderr
        );
    }
    let registry =
        Setup::behind_proxy().unset("sql_connection").set("registry_host", "127.0.0.1").set("user_storage_quota", 1);
    let outcome = registry.run_to_end();
    assert!(outcome.code != Some(0) && outcome.stderr.contains("user_storage_quota"), "{}", outcome.stderr);
}

//! What becomes of an image's data when somebody changes the image, or the disk its mind, in the meantime.

use std::fs;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::client::refusal;
use super::stage::half_staged;
use super::upload::half_an_upload;
use crate::harness::{
    Client, Gander, Setup, TinyDisk, WriteLock, append_only, entries, eventually, read_response, skipped,
};

const LIMIT: Duration = Duration::from_secs(15);

fn journal(gander: &Gander) -> PathBuf {
    gander.path("images/.journal")
}

fn change(http: &Client, id: &str, name: &str, value: serde_json::Value) {
    let request = http.request("PATCH", &format!("/v2/images/{id}"));
    let request = request.header("Content-Type", "application/openstack-images-v2.1-json-patch");
    let path = format!("/{name}");
    request.body(json!([{"op": "replace", "path": path, "value": value}]).to_string()).send().expect(200);
}

#[test]
fn an_image_that_is_given_away_gets_the_data_that_is_on_its_way() {
    let gander = Setup::behind_proxy().start();
    let owner = gander.client().acting_as("u", "p", "member,reader");
    let admin = gander.client().acting_as("a", "a", "admin,member,reader");
    for give in [("owner", json!("other")), ("visibility", json!("private"))] {
        let (id, mut stream) = half_an_upload(&owner);
        change(&admin, &id, "visibility", json!("private"));
        change(&admin, &id, give.0, give.1.clone());
        stream.write_all(b"def").unwrap();
        read_response(&mut BufReader::new(stream), false).unwrap().expect(204);
        assert_eq!(admin.status(&id), "active");
        assert_eq!(admin.get_file(&id).expect(200).body, b"abcdef");

        let (id, mut stream) = half_staged(&owner);
        change(&admin, &id, "visibility", json!("private"));
        change(&admin, &id, give.0, give.1);
        stream.write_all(b"def").unwrap();
        read_response(&mut BufReader::new(stream), false).unwrap().expect(204);
        assert_eq!(admin.image(&id)["size"], 6);
        assert_eq!(fs::read(gander.path("staging").join(&id)).unwrap(), b"abcdef");
    }
}

#[test]
fn an_image_that_is_given_away_takes_data_again_when_what_was_on_its_way_does_not_come() {
    let gander = Setup::behind_proxy().start();
    let owner = gander.client().acting_as("u", "p", "member,reader");
    let admin = gander.client().acting_as("a", "a", "admin,member,reader");
    for begin in [half_an_upload, half_staged] {
        let (id, stream) = begin(&owner);
        change(&admin, &id, "visibility", json!("private"));
        change(&admin, &id, "owner", json!("other"));
        drop(stream);
        eventually("the image is queued", LIMIT, || admin.status(&id) == "queued");
        eventually("nothing is noted", LIMIT, || entries(&journal(&gander)).is_empty());
    }
}

#[test]
fn data_that_arrives_while_glance_deletes_the_image_does_not_stay() {
    let mut gander = Gander::plain();
    let http = gander.client();
    let images = gander.path("images");
    let [kept, waiting, soon] = std::array::from_fn(|_| http.add_raw(b"abc"));
    // Glance writes this without looking again.
    let delete = |id: &str, status: &str| {
        gander.rows(&format!(
            "UPDATE images SET status = '{status}', deleted = true, deleted_at = updated_at WHERE id = '{id}'"
        ));
        gander.rows(&format!("UPDATE image_locations SET status = '{status}', deleted = true WHERE image_id = '{id}'"));
    };
    delete(&waiting, "pending_delete");
    delete(&soon, "deleted");
    eventually("its data is gone", LIMIT, || !images.join(&soon).exists());
    let late = http.add_raw(b"abc");
    delete(&late, "deleted");
    gander.end(Signal::TERM);
    assert!(!images.join(&late).exists());
    for id in [&kept, &waiting] {
        assert_eq!(fs::read(images.join(id)).unwrap(), b"abc");
    }
}

#[test]
fn an_image_protected_in_the_last_moment_is_not_deleted() {
    for (path, told) in [("/v2", "is protected and cannot be deleted."), ("/v1", "Image is protected")] {
        let gander = Gander::plain();
        let http = gander.client();
        let id = http.add_raw(b"abc");
        let lock = WriteLock::on(gander.database());
        let deletion = {
            let (http, path) = (http.clone(), format!("{path}/images/{id}"));
            thread::spawn(move || http.delete(&path))
        };
        eventually("it has been looked at", LIMIT, || !entries(&journal(&gander)).is_empty());
        lock.change("UPDATE images SET protected = true");
        let text = refusal(deletion.join().unwrap(), 403);
        assert!(text.contains(told), "{text}");
        assert_eq!(http.get_file(&id).expect(200).body, b"abc");
        assert!(entries(&journal(&gander)).is_empty());
    }
}

#[test]
fn data_that_cannot_be_removed_keeps_other_data_away_until_it_can() {
    let setup = Setup::api("");
    let journal = setup.path("journal");
    let Some(_disk) = TinyDisk::mount(setup.path("disk"), 512) else { return };
    let setup = setup.set("upload_journal_dir", journal.display());
    let images = setup.path("disk/images");
    let mut gander = setup.set("filesystem_store_datadir", images.display()).start();
    if !append_only(&images, true) {
        return skipped("there are no append-only directories here");
    }
    let http = gander.client();
    let id = http.register("qcow2", "bare");
    refusal(http.put_file(&id, b"not a qcow2"), 415);
    assert_eq!((http.status(&id).as_str(), entries(&journal).len()), ("killed", 1));
    assert_eq!(fs::read(images.join(&id)).unwrap(), b"not a qcow2");
    // As long as it cannot be removed it stays so, whoever tries.
    let text = refusal(http.put_file(&id, b"abc"), 409);
    assert!(text.contains("Image status transition from killed to saving is not allowed"), "{text}");
    gander.end(Signal::KILL);
    gander.start_again();
    assert_eq!((gander.client().status(&id).as_str(), entries(&journal).len()), ("killed", 1));
    // The next upload finds out that it can.
    assert!(append_only(&images, false));
    let http = gander.client();
    let text = refusal(http.put_file(&id, b"neither"), 415);
    assert!(!text.is_empty());
    assert_eq!(http.status(&id), "queued");
    assert!(entries(&images).is_empty() && entries(&journal).is_empty());
}

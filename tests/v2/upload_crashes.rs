//! Servers that are killed in the middle of an upload by v2: the image takes data again.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::upload::half_an_upload;
use crate::harness::{Gander, Setup, WriteLock, entries, eventually};

const LIMIT: Duration = Duration::from_secs(15);

fn journal(gander: &Gander) -> PathBuf {
    gander.path("images/.journal")
}

/// The image is as if nothing had been sent, and nothing lies anywhere.
#[track_caller]
fn clean(gander: &Gander, id: &str) {
    let image = gander.client().image(id);
    assert_eq!(image["status"], "queued");
    for field in ["size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value"] {
        assert_eq!(image[field], Value::Null, "{field}");
    }
    assert!(entries(&gander.path("images")).is_empty() && entries(&journal(gander)).is_empty());
}

#[test]
fn killed_in_the_middle_of_an_upload() {
    let mut gander = Gander::plain();
    let (id, _stream) = half_an_upload(&gander.client());
    let noted = fs::read_to_string(&entries(&journal(&gander))[0]).unwrap();
    assert!(noted.contains(r#""repeatable":true"#), "{noted}");
    gander.end(Signal::KILL);
    gander.start_again();
    clean(&gander, &id);
    gander.client().put_file(&id, b"again").expect(204);
    assert_eq!(gander.client().get_file(&id).expect(200).body, b"again");
}

#[test]
fn killed_when_the_data_is_stored_but_the_image_not_active() {
    let key = "012345678901234567890123456789ab";
    let mut gander = Setup::api("").set("metadata_encryption_key", key).start();
    let (id, mut stream) = half_an_upload(&gander.client());
    let lock = WriteLock::on(gander.database());
    stream.write_all(b"def").unwrap();
    eventually("the data is stored", LIMIT, || gander.path("images").join(&id).exists());
    gander.end(Signal::KILL);
    drop(lock);
    gander.start_again();
    clean(&gander, &id);
    gander.client().put_file(&id, b"again").expect(204);
}

#[test]
fn killed_in_the_middle_of_its_own_cleaning_up() {
    let mut gander = Gander::plain();
    let (id, _stream) = half_an_upload(&gander.client());
    gander.end(Signal::KILL);
    // What it does first, so that nobody brings data while the last is removed.
    gander.rows("UPDATE images SET status = 'killed'");
    assert_eq!(gander.rows("SELECT status FROM images"), ["killed"]);
    fs::write(gander.path("images").join(&id), "left").unwrap();
    gander.start_again();
    clean(&gander, &id);
}

#[test]
fn data_that_could_not_be_removed_goes_at_the_next_start() {
    let mut gander = Gander::plain();
    let id = gander.client().register("raw", "bare");
    let untouched = gander.client().add_raw(b"abc");
    gander.end(Signal::KILL);
    let file = gander.path("images").join(&id);
    fs::write(&file, "left").unwrap();
    let entry = |id: &str| journal(&gander).join(format!("{id}.0123456789abcdef"));
    for id in [&id, &untouched] {
        let place = gander.path("images").join(id);
        let text = format!(r#"{{"work":"upload","locations":["file://{}"],"repeatable":true}}"#, place.display());
        fs::write(entry(id), text).unwrap();
    }
    gander.start_again();
    assert!(!file.exists() && entries(&journal(&gander)).is_empty());
    assert_eq!(gander.client().get_file(&untouched).expect(200).body, b"abc");
    gander.client().put_file(&id, b"abc").expect(204);
}

#[test]
fn the_upload_of_a_living_server_is_left_alone() {
    let first = Gander::plain();
    let (id, mut stream) = half_an_upload(&first.client());
    let second = Setup::api("").on(first.database()).set("filesystem_store_datadir", first.path("images").display());
    let place = first.path("images").join(&id);
    let text = format!(r#"{{"work":"upload","locations":["file://{}"],"repeatable":true}}"#, place.display());
    fs::write(journal(&first).join(format!("{id}.0123456789abcdef")), text).unwrap();
    let second = second.start();
    assert_eq!(second.client().status(&id), "saving");
    stream.write_all(b"def").unwrap();
    eventually("the image is active", LIMIT, || second.client().status(&id) == "active");
    eventually("the entries are gone", LIMIT, || entries(&journal(&first)).is_empty());
    assert_eq!(second.client().get_file(&id).expect(200).body, b"abcdef");
}

/// Writes an entry that nobody works on, about these files.
fn plant(gander: &Gander, id: &str, work: &str, files: &[PathBuf]) {
    let places: Vec<_> = files.iter().map(|file| format!("file://{}", file.display())).collect();
    let text = serde_json::json!({"work": work, "locations": places, "repeatable": work != "remove"}).to_string();
    fs::write(journal(gander).join(format!("{id}.0123456789abcdef")), text).unwrap();
}

#[test]
fn a_location_taken_from_an_image_goes_also_if_the_image_waits_for_the_scrubber() {
    let mut gander = Setup::api("").set("delayed_delete", "True").set("scrub_time", 1000).start();
    let id = gander.client().add_raw(b"abc");
    gander.client().delete(&format!("/v2/images/{id}")).expect(204);
    gander.end(Signal::KILL);
    let (data, taken) = (gander.path("images").join(&id), gander.path("images/taken"));
    fs::write(&taken, "left").unwrap();
    fs::remove_file(gander.path("scrubber").join(&id)).unwrap();
    plant(&gander, &id, "remove", &[taken.clone(), data.clone()]);
    gander.start_again();
    assert!(data.exists() && !taken.exists());
    assert!(gander.path("scrubber").join(&id).exists());
    assert!(entries(&journal(&gander)).is_empty());
}

#[test]
fn data_left_in_the_store_goes_also_if_other_data_is_staged() {
    let mut gander = Gander::plain();
    let id = gander.client().register("raw", "bare");
    gander.client().put_stage(&id, b"staged").expect(204);
    gander.end(Signal::KILL);
    let left = gander.path("images").join(&id);
    fs::write(&left, "left").unwrap();
    plant(&gander, &id, "upload", std::slice::from_ref(&left));
    gander.start_again();
    assert!(!left.exists() && entries(&journal(&gander)).is_empty());
    let image = gander.client().image(&id);
    assert_eq!((&image["status"], &image["size"]), (&"uploading".into(), &6.into()));
    assert_eq!(fs::read(gander.path("staging").join(&id)).unwrap(), b"staged");
}

#[test]
fn staged_data_that_no_import_wants_goes() {
    let mut gander = Gander::plain();
    let http = gander.client();
    let (active, queued, staged) = (http.add_raw(b"abc"), http.register("raw", "bare"), http.register("raw", "bare"));
    http.put_stage(&staged, b"staged").expect(204);
    gander.end(Signal::KILL);
    let staging = gander.path("staging");
    let place = |id: &str| staging.join(id);
    for id in [&active, &queued] {
        fs::write(place(id), "left").unwrap();
    }
    for id in [&active, &queued, &staged] {
        plant(&gander, id, "stage", &[place(id)]);
    }
    gander.start_again();
    assert!(!place(&active).exists() && !place(&queued).exists());
    assert_eq!(fs::read(place(&staged)).unwrap(), b"staged");
    assert!(entries(&journal(&gander)).is_empty());
    let http = gander.client();
    assert_eq!(http.get_file(&active).expect(200).body, b"abc");
    assert_eq!(http.status(&staged), "uploading");
    http.put_stage(&queued, b"def").expect(204);
}

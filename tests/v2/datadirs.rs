//! A file store of several directories (stores §6.1).

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::client::refusal;
use super::upload::half_an_upload;
use crate::harness::{Gander, Setup, TinyDisk, WriteLock, entries, eventually, names, noise};

const LIMIT: Duration = Duration::from_secs(15);
const DATADIRS: &str = "filesystem_store_datadirs";

/// A server to be, of these directories below its own, each `name` or `name:priority`.
fn over(directories: &[&str]) -> Setup {
    let setup = Setup::api("").unset("filesystem_store_datadir").set("show_multiple_locations", "True");
    let paths: Vec<_> = directories.iter().map(|directory| setup.path(directory).display().to_string()).collect();
    paths.iter().fold(setup, |setup, path| setup.add(DATADIRS, path))
}

/// The images in a directory.
fn images(gander: &Gander, directory: &str) -> Vec<String> {
    let mut found = names(&gander.path(directory));
    found.retain(|name| name != ".journal");
    found
}

/// The only location of an image.
fn location(gander: &Gander, id: &str) -> serde_json::Value {
    let image = gander.client().image(id);
    assert_eq!(image["locations"].as_array().unwrap().len(), 1, "{image}");
    image["locations"][0].clone()
}

/// Nothing can be uploaded, and the log says this of it.
#[track_caller]
fn refuses_uploads(setup: Setup, why: &str) {
    let gander = setup.start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let text = refusal(http.put_file(&id, b"abc"), 410);
    assert!(text.contains("Error in store configuration. Adding images to store is disabled."), "{text}");
    assert_eq!(http.status(&id), "queued");
    let log = gander.log();
    let line = log.lines().find(|line| line.contains("disabling add method")).expect(&log);
    assert!(line.contains(why), "{line}");
}

#[test]
fn the_highest_priority_is_taken_and_every_directory_is_served() {
    let mut gander = over(&["unsaid", "low:-10", "high:200", "middle:100"]).start();
    let data = noise(1, 3_000_000);
    let id = gander.client().add_raw(&data);
    let file = gander.path("high").join(&id);
    assert_eq!(fs::read(&file).unwrap(), data);
    assert_eq!(location(&gander, &id), json!({"url": format!("file://{}", file.display()), "metadata": {}}));
    // As if another configuration, or another service, had put it there.
    let moved = gander.path("low").join(&id);
    fs::rename(&file, &moved).unwrap();
    gander.rows(&format!("UPDATE image_locations SET value = 'file://{}'", moved.display()));
    assert_eq!(gander.rows("SELECT count(*) FROM image_locations"), ["1"]);
    let http = gander.client();
    assert!(http.get_file(&id).expect(200).body == data);
    let part = http.get(&format!("/v2/images/{id}/file")).expect(200);
    assert_eq!(part.header("Content-Length"), Some("3000000"));
    let target = format!("/v2/images/{id}/file");
    let part = http.request("GET", &target).header("Range", "bytes=2000000-2000009").send().expect(206);
    assert_eq!(part.body, data[2_000_000..2_000_010]);
    // Nor do images that are there need the directory in the configuration.
    gander.end(Signal::TERM);
    gander.configure(DATADIRS, gander.path("other").display().to_string());
    gander.start_again();
    assert!(gander.client().get_file(&id).expect(200).body == data);
    gander.client().delete(&format!("/v2/images/{id}")).expect(204);
    assert!(!moved.exists());
}

#[test]
fn both_apis_take_the_same_directory() {
    let gander = over(&["low", "high:1"]).start();
    let id = gander.client().add_image("Image1");
    assert_eq!(images(&gander, "high"), [id.as_str()]);
    assert_eq!(gander.client().download(&id).len(), 5120);
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert!(images(&gander, "high").is_empty() && images(&gander, "low").is_empty());
}

#[test]
fn of_equals_the_one_with_the_most_room_is_taken() {
    let setup = over(&["small:5", "large:5", "low:1"]);
    let Some(_small) = TinyDisk::mount(setup.path("small"), 1024) else { return };
    let Some(_large) = TinyDisk::mount(setup.path("large"), 2048) else { return };
    let gander = setup.start();
    let first = gander.client().add_raw(&noise(1, 1_500_000));
    assert_eq!(images(&gander, "large"), [first.as_str()]);
    let second = gander.client().add_raw(b"abc");
    assert_eq!(images(&gander, "small"), [second.as_str()]);
    gander.client().delete(&format!("/v2/images/{first}")).expect(204);
    let third = gander.client().add_raw(b"abc");
    assert_eq!(images(&gander, "large"), [third.as_str()]);
    assert!(images(&gander, "low").is_empty());
}

#[test]
fn what_has_no_room_at_a_high_priority_goes_to_a_lower_one() {
    let setup = over(&["tiny:9", "large:5"]);
    let Some(_tiny) = TinyDisk::mount(setup.path("tiny"), 512) else { return };
    let Some(_large) = TinyDisk::mount(setup.path("large"), 2048) else { return };
    let gander = setup.start();
    let http = gander.client();
    let big = noise(1, 1_000_000);
    let first = http.add_raw(&big);
    assert_eq!(images(&gander, "large"), [first.as_str()]);
    assert!(http.get_file(&first).expect(200).body == big);
    let second = http.add_raw(b"abc");
    assert_eq!(images(&gander, "tiny"), [second.as_str()]);
    // Nowhere.
    let id = http.register("raw", "bare");
    let text = refusal(http.put_file(&id, &noise(2, 3_000_000)), 413);
    assert!(text.contains("Image storage media is full: "), "{text}");
    assert_eq!(http.status(&id), "queued");
    // Of unknown size: that it has no room shows when it is there.
    let sent = http.put(&format!("/v2/images/{id}/file")).header("Content-Type", "application/octet-stream");
    refusal(sent.chunked(&big).send(), 413);
    http.put_file(&id, b"again").expect(204);
    assert!(gander.path("tiny").join(&id).exists());
    assert_eq!(images(&gander, "large"), [first.as_str()]);
}

#[test]
fn a_disk_without_any_room_is_passed_by() {
    let setup = over(&["full:9", "low"]);
    let Some(_full) = TinyDisk::mount(setup.path("full"), 64) else { return };
    fs::write(setup.path("full/filler"), vec![b'x'; 64 * 1024]).unwrap();
    let gander = setup.start();
    let id = gander.client().register("raw", "bare");
    let sent = gander.client().put(&format!("/v2/images/{id}/file"));
    sent.header("Content-Type", "application/octet-stream").chunked(b"abc").send().expect(204);
    assert_eq!(images(&gander, "low"), [id.as_str()]);
}

#[test]
fn a_disk_that_may_not_be_written_any_more_is_passed_by() {
    let setup = over(&["broken:9", "low"]);
    let Some(disk) = TinyDisk::mount(setup.path("broken"), 512) else { return };
    let gander = setup.start();
    let first = gander.client().add_raw(b"abc");
    assert_eq!(images(&gander, "broken"), [first.as_str()]);
    disk.read_only(true);
    let second = gander.client().add_raw(b"abc");
    assert_eq!(images(&gander, "low"), [second.as_str()]);
    assert_eq!(gander.client().get_file(&first).expect(200).body, b"abc");
    disk.read_only(false);
}

#[test]
fn one_directory_or_several_but_not_both() {
    let setup = over(&["a", "b:1"]);
    let also = setup.path("images").display().to_string();
    refuses_uploads(setup.set("filesystem_store_datadir", also), "both set");
    // Set to nothing it is not set.
    let gander = over(&["a"]).set("filesystem_store_datadir", "").start();
    let id = gander.client().add_raw(b"abc");
    assert_eq!(images(&gander, "a"), [id.as_str()]);
    let setup = Setup::api("").set(DATADIRS, "");
    setup.start().client().add_raw(b"abc");
}

#[test]
fn directories_that_make_no_sense_disable_uploads() {
    refuses_uploads(over(&["a:1", "b:2", "a:2"]), "twice, with different priorities");
    refuses_uploads(over(&["a:1", "b:high"]), "is no number");
    refuses_uploads(over(&["a:1"]).add(DATADIRS, ":3"), "names no directory");
    // One of them is enough.
    let setup = over(&["a:1", "file:2"]);
    fs::write(setup.path("file"), "").unwrap();
    refuses_uploads(setup, "/file");
}

#[test]
fn a_directory_named_twice_alike_counts_once() {
    let gander = over(&["a:1", "a:1"]).start();
    let id = gander.client().add_raw(b"abc");
    assert_eq!(images(&gander, "a"), [id.as_str()]);
    assert!(gander.log().contains("names a directory twice"));
}

#[test]
fn a_read_only_directory_disables_uploads_at_the_start() {
    let setup = over(&["a:1", "sealed:2"]);
    let Some(disk) = TinyDisk::mount(setup.path("sealed"), 64) else { return };
    disk.read_only(true);
    refuses_uploads(setup, "/sealed");
}

#[test]
fn what_killed_servers_leave_is_removed_from_every_directory() {
    let mut gander = over(&["a", "b:1"]).start();
    let kept = gander.client().add_raw(b"abc");
    // Stored, but not told.
    let (id, mut stream) = half_an_upload(&gander.client());
    let lock = WriteLock::on(gander.database());
    stream.write_all(b"def").unwrap();
    eventually("the data is stored", LIMIT, || gander.path("b").join(&id).exists());
    gander.end(Signal::KILL);
    drop(lock);
    // By a server that chose another directory, and by one whose disk cannot hold files without a name.
    fs::write(gander.path("a").join(&id), "left").unwrap();
    let parts: Vec<PathBuf> =
        ["a", "b"].map(|dir| gander.path(dir).join(format!(".{id}.0123456789abcdef.part"))).into();
    for part in &parts {
        fs::write(part, "left").unwrap();
    }
    gander.start_again();
    assert_eq!(gander.client().status(&id), "queued");
    assert_eq!(images(&gander, "b"), [kept.as_str()]);
    assert!(images(&gander, "a").is_empty());
    let journal = gander.path("a/.journal");
    assert!(journal.is_dir() && entries(&journal).is_empty(), "where it is full last");
    gander.client().put_file(&id, b"again").expect(204);
    assert_eq!(gander.client().get_file(&id).expect(200).body, b"again");
}

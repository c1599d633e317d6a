//! Servers that are killed in the middle of their work leave nothing behind that the next start does not clean up.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{
    Behaviour, Client, Database, Gander, Origin, Setup, WriteLock, entries, eventually, five_kb, minimal_headers,
};

const LIMIT: Duration = Duration::from_secs(15);
/// An entry's file: anybody's id, and something unique.
const UNIQUE: &str = "0123456789abcdef";

fn journal(gander: &Gander) -> PathBuf {
    gander.path("images/.journal")
}

/// Sends the first half of an upload, and waits until it is being received. The rest can be sent later.
fn half_an_upload(http: &Client) -> (String, TcpStream) {
    let id = http.reserve("Image1", &[]);
    let head = String::from_utf8(http.put(&format!("/v1/images/{id}")).data("").head_bytes()).unwrap();
    let mut stream = http.connect();
    stream.write_all(head.replace("Content-Length: 0", "Content-Length: 6").as_bytes()).unwrap();
    stream.write_all(b"abc").unwrap();
    is(http, &id, "saving");
    (id, stream)
}

fn is(http: &Client, id: &str, status: &str) {
    eventually(status, LIMIT, || http.meta(id, "status").as_deref() == Some(status));
}

/// Neither data nor journal entries.
fn nothing_left(gander: &Gander) -> bool {
    entries(&gander.path("images")).is_empty() && entries(&journal(gander)).is_empty()
}

/// Writes an entry that nobody works on.
fn plant(dir: &Path, id: &str, work: &str, location: &Path) {
    fs::create_dir_all(dir).unwrap();
    let text = format!(r#"{{"work":"{work}","locations":["file://{}"]}}"#, location.display());
    fs::write(dir.join(format!("{id}.{UNIQUE}")), text).unwrap();
}

#[test]
fn killed_in_the_middle_of_an_upload() {
    let mut gander = Gander::plain();
    let (id, _stream) = half_an_upload(&gander.client());
    let noted = entries(&journal(&gander));
    assert_eq!(noted.len(), 1);
    assert_eq!(fs::metadata(&noted[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(journal(&gander)).unwrap().permissions().mode() & 0o777, 0o700);
    gander.end(Signal::KILL);
    gander.start_again();
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("killed"));
    assert!(nothing_left(&gander));
}

#[test]
fn killed_in_the_middle_of_a_copy() {
    let mut gander = Gander::plain();
    let origin = Origin::serving(&five_kb());
    origin.set(Behaviour::PauseAfter(100));
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    let request = request.header("X-Glance-API-Copy-From", &origin.url("/images/2"));
    let id = request.send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
    gander.end(Signal::KILL);
    gander.start_again();
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("killed"));
    assert!(nothing_left(&gander));
}

#[test]
fn killed_when_the_data_is_stored_but_the_image_not_active() {
    // Nobody must be able to read the place of the data where locations are encrypted.
    let key = "012345678901234567890123456789ab";
    let mut gander = Setup::api("").set("metadata_encryption_key", key).start();
    let (id, mut stream) = half_an_upload(&gander.client());
    let noted = fs::read_to_string(&entries(&journal(&gander))[0]).unwrap();
    assert!(!noted.contains("file:"), "{noted}");

    let lock = WriteLock::on(gander.database());
    stream.write_all(b"def").unwrap();
    eventually("the data is stored", LIMIT, || gander.path("images").join(&id).exists());
    gander.end(Signal::KILL);
    drop(lock);
    gander.start_again();
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("killed"));
    assert!(nothing_left(&gander));
}

#[test]
fn killed_when_the_record_is_deleted_but_the_data_not_removed() {
    let mut gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    // The cache's entry goes before the data, and waits for this.
    let lock = WriteLock::on(&Database::file(&gander.path("cache/cache.db")));
    let mut stream = gander.client().connect();
    stream.write_all(&gander.client().request("DELETE", &format!("/v1/images/{id}")).head_bytes()).unwrap();
    is(&gander.client(), &id, "deleted");
    gander.end(Signal::KILL);
    drop(lock);
    gander.start_again();
    assert_eq!(gander.rows("SELECT status FROM images WHERE deleted"), ["deleted"]);
    assert!(nothing_left(&gander));
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_an_entry_that_was_left() {
    let mut gander = Gander::plain();
    let http = gander.client();
    let (kept, alive) = (http.add_image("Image1"), http.add_image("Image2"));
    assert!(entries(&journal(&gander)).is_empty());
    gander.end(Signal::KILL);
    for (id, work) in [(&kept, "upload"), (&alive, "delete")] {
        plant(&journal(&gander), id, work, &gander.path("images").join(id));
    }
    gander.start_again();
    for id in [kept, alive] {
        assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("active"));
        assert_eq!(gander.client().download(&id), five_kb());
    }
    assert!(entries(&journal(&gander)).is_empty());
}

#[test]
fn data_of_a_deleted_image_is_removed_and_that_of_a_pending_one_queued() {
    let mut gander = Setup::api("").set("delayed_delete", "True").set("scrub_time", 1000).start();
    let http = gander.client();
    let (pending, gone) = (http.add_image("Image1"), http.reserve("Image2", &[]));
    for id in [&pending, &gone] {
        http.delete(&format!("/v1/images/{id}")).expect(200);
    }
    gander.end(Signal::KILL);
    let images = gander.path("images");
    let data = |id: &str| images.join(id);
    fs::write(data(&gone), "left").unwrap();
    fs::remove_file(gander.path("scrubber").join(&pending)).unwrap();
    for id in [&pending, &gone] {
        plant(&journal(&gander), id, "delete", &data(id));
    }
    gander.start_again();
    assert!(data(&pending).exists() && !data(&gone).exists());
    assert!(gander.path("scrubber").join(&pending).exists());
    assert!(entries(&journal(&gander)).is_empty());
}

#[test]
fn a_deletion_whose_location_nobody_understands_is_over() {
    let mut gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[]);
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    gander.end(Signal::KILL);
    let text = r#"{"work":"delete","locations":["gone+store://somewhere/x", "nowhere"]}"#;
    fs::write(journal(&gander).join(format!("{id}.{UNIQUE}")), text).unwrap();
    gander.start_again();
    assert!(nothing_left(&gander));
    assert!(gander.log().contains("Unknown scheme 'gone+store'"), "{}", gander.log());
}

#[test]
fn what_is_no_entry_is_left_and_half_an_entry_means_nothing() {
    let mut gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    gander.end(Signal::KILL);
    fs::write(journal(&gander).join("README"), "not an entry").unwrap();
    fs::write(journal(&gander).join(format!("{id}.{UNIQUE}")), r#"{"work":"del"#).unwrap();
    gander.start_again();
    assert_eq!(entries(&journal(&gander)), [journal(&gander).join("README")]);
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn what_a_newer_server_noted_is_left_to_it() {
    let mut gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    gander.end(Signal::KILL);
    let notes = [r#"{"work":"import","tasks":[7]}"#, r#"{"work":"upload","places":[]}"#, "[]"];
    let dir = journal(&gander);
    let path = |n: usize| dir.join(format!("{id}.{n:016x}"));
    for (n, note) in notes.iter().enumerate() {
        fs::write(path(n), note).unwrap();
    }
    gander.start_again();
    for (n, note) in notes.iter().enumerate() {
        assert_eq!(fs::read_to_string(path(n)).unwrap(), *note);
    }
    assert_eq!(gander.client().download(&id), five_kb());
    assert!(gander.log().contains("is of a kind that this release does not know"), "{}", gander.log());
}

#[test]
fn the_work_of_a_living_server_is_left_alone() {
    let first = Gander::plain();
    let (id, mut stream) = half_an_upload(&first.client());
    let second = Setup::api("").on(first.database()).set("filesystem_store_datadir", first.path("images").display());
    // One that died before it could begin: the image is another's now.
    plant(&journal(&first), &id, "upload", &first.path("images").join(&id));
    let second = second.start();
    assert_eq!(second.client().meta(&id, "status").as_deref(), Some("saving"));
    stream.write_all(b"def").unwrap();
    is(&second.client(), &id, "active");
    assert_eq!(second.client().download(&id), b"abcdef");
    // Tried again in the background, as long as it may matter.
    eventually("the entries are gone", LIMIT, || entries(&journal(&first)).is_empty());
    assert_eq!(first.client().download(&id), b"abcdef");
}

#[test]
fn a_registry_that_is_down_delays_the_cleaning_up_but_not_the_start() {
    let mut registry = Setup::registry().start();
    let setup = Setup::api("").unset("sql_connection").set("registry_host", "127.0.0.1");
    let mut gander = setup.set("registry_port", registry.port()).start();
    let (id, _stream) = half_an_upload(&gander.client());
    registry.end(Signal::KILL);
    gander.end(Signal::KILL);
    gander.start_again();
    assert_eq!(entries(&journal(&gander)).len(), 1);
    registry.start_again();
    eventually("the entry is gone", LIMIT, || entries(&journal(&gander)).is_empty());
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("killed"));
}

#[test]
fn a_deletion_that_a_registry_heard_half_of_is_finished() {
    let registry = Setup::registry().start();
    let setup = Setup::api("").unset("sql_connection").set("registry_host", "127.0.0.1");
    let mut gander = setup.set("registry_port", registry.port()).start();
    let id = gander.client().add_image("Image1");
    gander.end(Signal::KILL);
    let half = registry.client().put(&format!("/images/{id}"));
    half.json(&serde_json::json!({"image": {"status": "deleted"}})).send().expect(200);
    plant(&journal(&gander), &id, "delete", &gander.path("images").join(&id));
    gander.start_again();
    assert_eq!(registry.rows("SELECT status FROM images WHERE deleted"), ["deleted"]);
    assert!(nothing_left(&gander));
}

#[test]
fn without_a_journal_no_upload_is_taken_but_all_else_goes_on() {
    let setup = Setup::api("");
    let file = setup.path("in-the-way");
    fs::write(&file, "").unwrap();
    let gander = setup.set("upload_journal_dir", file.display()).start();
    assert!(gander.log().contains("so no upload will be taken"), "{}", gander.log());
    let http = gander.client();
    let id = http.reserve("Image1", &[]);
    let refused = http.put(&format!("/v1/images/{id}")).data("abc").send().expect(503).text();
    assert!(!refused.contains("in-the-way") && !refused.contains("journal"), "{refused}");
    assert_eq!(http.meta(&id, "status").as_deref(), Some("queued"));
    assert!(entries(&gander.path("images")).is_empty());
    http.delete(&format!("/v1/images/{id}")).expect(200);
    // Once the fault is mended nobody needs a new start.
    fs::remove_file(&file).unwrap();
    assert_eq!(http.download(&http.add("Image2", b"abc")), b"abc");
}

//! `PUT /v2/images/{id}/stage` (v2-import-and-tasks §2).

use std::fs;
use std::io::{BufReader, Write};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::client::refusal;
use crate::harness::{Client, Gander, Setup, TinyDisk, entries, eventually, five_kb, read_response};

const LIMIT: Duration = Duration::from_secs(15);
const HOSTS: &str = "SELECT value FROM image_properties WHERE name = 'os_glance_stage_host' AND NOT deleted";

/// Queued as if nothing had been, with nothing on staging.
#[track_caller]
fn unstaged(gander: &Gander, id: &str) {
    let image = gander.client().image(id);
    assert_eq!((&image["status"], &image["size"]), (&json!("queued"), &Value::Null));
    assert!(entries(&gander.path("staging")).is_empty() && entries(&gander.path("images/.journal")).is_empty());
}

/// Sends the first bytes of six to be staged, and waits until they are being received.
pub(super) fn half_staged(http: &Client) -> (String, std::net::TcpStream) {
    let id = http.register("raw", "bare");
    let request = http.put(&format!("/v2/images/{id}/stage")).header("Content-Type", "application/octet-stream");
    let mut stream = http.connect();
    stream.write_all(&request.header("Content-Length", "6").head_bytes()).unwrap();
    stream.write_all(b"abc").unwrap();
    eventually("it is being staged", LIMIT, || http.status(&id) == "uploading");
    (id, stream)
}

#[test]
fn staged_data_waits_for_its_import() {
    let gander = Gander::plain();
    let http = gander.client();
    for data in [five_kb(), Vec::new()] {
        // Formats may come later.
        let image = http.post("/v2/images").json(&json!({})).send().expect(201).json();
        let id = image["id"].as_str().unwrap();
        http.put_stage(id, &data).expect(204);
        let image = http.image(id);
        assert_eq!((&image["status"], &image["size"]), (&json!("uploading"), &json!(data.len())));
        assert_eq!((&image["checksum"], &image["virtual_size"]), (&Value::Null, &Value::Null));
        assert_eq!(image.get("os_glance_stage_host"), None);
        assert_eq!(fs::read(gander.path("staging").join(id)).unwrap(), data);
        http.get_file(id).expect(204);
        let text = refusal(http.put_stage(id, b"abc"), 409);
        assert!(text.contains("Image status transition from uploading to uploading is not allowed"), "{text}");
        let text = refusal(http.put_file(id, b"abc"), 409);
        assert!(text.contains("Image status transition from uploading to saving is not allowed"), "{text}");
    }
    assert!(gander.rows(HOSTS).is_empty());
    assert!(entries(&gander.path("images")).is_empty() && entries(&gander.path("images/.journal")).is_empty());
}

#[test]
fn the_host_is_noted_but_not_shown() {
    for (option, other) in [("worker_self_reference_url", Some("http://other")), ("public_endpoint", None)] {
        let setup = Setup::api("").set(option, "http://me:9292");
        let setup = other.into_iter().fold(setup, |setup, url| setup.set("public_endpoint", url));
        let gander = setup.start();
        let http = gander.client();
        let id = http.register("raw", "bare");
        http.put_stage(&id, b"abc").expect(204);
        assert_eq!(gander.rows(HOSTS), ["http://me:9292"]);
        assert_eq!(http.image(&id).get("os_glance_stage_host"), None);
    }
}

#[test]
fn it_is_refused_in_this_order() {
    let setup = Setup::behind_proxy().set("allow_anonymous_access", "True");
    let gander = setup.start();
    let owner = gander.client().acting_as("u", "p", "member,reader");
    let id = owner.register("raw", "bare");
    let request = owner.put(&format!("/v2/images/{id}/stage")).header("Content-Type", "text/plain").body("abc");
    assert!(refusal(request.send(), 415).contains("Invalid content type text/plain"));
    let request = owner.put(&format!("/v2/images/{id}/stage")).header("x-openstack-image-size", "x").data("abc");
    assert!(refusal(request.send(), 400).contains("Invalid or missing image size in request headers."));
    assert!(refusal(gander.client().put_stage(&id, b"abc"), 403).contains("Read-only access"));
    let stranger = gander.client().acting_as("x", "other", "member,reader");
    assert!(refusal(stranger.put_stage(&id, b"abc"), 404).contains(&format!("No image found with ID {id}")));
    let reader = gander.client().acting_as("r", "p", "reader");
    assert!(refusal(reader.put_stage(&id, b"abc"), 403).contains("modify_image"));
    assert_eq!(owner.status(&id), "queued");
    let active = owner.add_raw(b"abc");
    let text = refusal(owner.put_stage(&active, b"abc"), 409);
    assert!(text.contains("Image status transition from active to uploading is not allowed"), "{text}");
    for method in ["GET", "POST", "DELETE"] {
        let answer = owner.request(method, &format!("/v2/images/{id}/stage")).send().expect(405);
        assert_eq!(answer.header("allow"), Some("PUT"));
    }
}

#[test]
fn without_the_method_there_is_no_staging() {
    for methods in ["[]", "[web-download]"] {
        let gander = Setup::api("").set("enabled_import_methods", methods).start();
        let id = gander.client().register("raw", "bare");
        let text = refusal(gander.client().put(&format!("/v2/images/{id}/stage")).body("abc").send(), 404);
        assert!(text.contains("'glance-direct' method is not available at this site."), "{text}");
    }
    // What does not work yet is not promised.
    let created = Gander::plain().client().post("/v2/images").json(&json!({})).send().expect(201);
    assert_eq!(created.header("openstack-image-import-methods"), None);
}

#[test]
fn what_fails_leaves_the_image_queued() {
    let gander = Setup::api("").set("image_size_cap", 1000).start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    for (size, told) in
        [("5", "Size mismatch: expected 5 bytes, got 3 bytes"), ("2", "Size exceeds: expected 2 bytes, got 3 bytes")]
    {
        let request = http.put(&format!("/v2/images/{id}/stage")).header("x-openstack-image-size", size);
        let text = refusal(request.data("abc").send(), 400);
        assert!(text.contains(told), "{text}");
        unstaged(&gander, &id);
    }
    let request = http.put(&format!("/v2/images/{id}/stage")).header("Content-Type", "application/octet-stream");
    let text = refusal(request.chunked(&[b'x'; 1001]).send(), 413);
    assert!(text.contains("The incoming image is too large: "), "{text}");
    unstaged(&gander, &id);
    let foreign = gander.path("staging").join(&id);
    fs::write(&foreign, "foreign").unwrap();
    let text = refusal(http.put_stage(&id, b"abc"), 409);
    assert!(text.contains(&format!("The image {id} has data on staging")), "{text}");
    assert_eq!((http.status(&id).as_str(), fs::read(&foreign).unwrap()), ("queued", b"foreign".to_vec()));
    fs::remove_file(foreign).unwrap();
    http.put_stage(&id, b"abc").expect(204);
}

#[test]
fn a_full_staging_directory_is_413() {
    let setup = Setup::api("");
    let Some(_disk) = TinyDisk::mount(setup.path("staging"), 512) else { return };
    let gander = setup.start();
    let id = gander.client().register("raw", "bare");
    let text = refusal(gander.client().put_stage(&id, &vec![b'x'; 1_000_000]), 413);
    assert!(text.contains("Image storage media is full: "), "{text}");
    unstaged(&gander, &id);
}

#[test]
fn a_disk_that_fails_below_it_is_500() {
    for call in ["rw/writev", "sync/fsync"] {
        let Some(setup) = Setup::api("").breakable() else { return };
        let gander = setup.start();
        let http = gander.client();
        let (id, mut stream) = half_staged(&http);
        // All else that is written in this way was written before, and the answer comes after.
        gander.break_next(call);
        stream.write_all(b"def").unwrap();
        refusal(read_response(&mut BufReader::new(stream), false).unwrap(), 500);
        assert!(gander.log().contains("Input/output error"), "{call}");
        unstaged(&gander, &id);
        http.put_stage(&id, b"abc").expect(204);
    }
}

#[test]
fn a_staging_directory_that_cannot_be_is_503_until_it_can() {
    let setup = Setup::api("");
    fs::write(setup.path("staging"), "in the way").unwrap();
    let gander = setup.start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let text = refusal(http.put_stage(&id, b"abc"), 503);
    assert!(text.contains("Insufficient permissions on image storage media: "), "{text}");
    assert_eq!(http.status(&id), "queued");
    fs::remove_file(gander.path("staging")).unwrap();
    http.put_stage(&id, b"abc").expect(204);
}

#[test]
fn a_deleted_image_takes_its_staged_data_along() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("raw", "bare");
    http.put_stage(&id, b"abc").expect(204);
    http.delete(&format!("/v2/images/{id}")).expect(204);
    assert!(entries(&gander.path("staging")).is_empty());
    // Also if it is being staged.
    let (id, stream) = half_staged(&http);
    http.delete(&format!("/v2/images/{id}")).expect(204);
    read_response(&mut BufReader::new(stream), false).unwrap().expect(410);
    assert!(entries(&gander.path("staging")).is_empty());
    eventually("nothing is noted", LIMIT, || entries(&gander.path("images/.journal")).is_empty());
}

#[test]
fn a_client_that_disconnects_leaves_nothing() {
    let gander = Gander::plain();
    let (id, stream) = half_staged(&gander.client());
    drop(stream);
    eventually("the image is queued", LIMIT, || gander.client().status(&id) == "queued");
    eventually("nothing is noted", LIMIT, || entries(&gander.path("images/.journal")).is_empty());
    unstaged(&gander, &id);
}

#[test]
fn killed_while_it_stages_the_image_is_queued_again() {
    let mut gander = Gander::plain();
    let staged = gander.client().register("raw", "bare");
    gander.client().put_stage(&staged, b"abc").expect(204);
    let (id, _stream) = half_staged(&gander.client());
    gander.end(Signal::KILL);
    gander.start_again();
    let http = gander.client();
    eventually("the image is queued", LIMIT, || http.status(&id) == "queued");
    assert_eq!(http.status(&staged), "uploading");
    assert_eq!(fs::read(gander.path("staging").join(&staged)).unwrap(), b"abc");
    http.put_stage(&id, b"abcdef").expect(204);
}

#[test]
fn orphans_are_removed_at_the_start() {
    let mut gander = Gander::plain();
    let http = gander.client();
    let (kept, gone) = (http.register("raw", "bare"), http.register("raw", "bare"));
    http.put_stage(&kept, b"abc").expect(204);
    http.delete(&format!("/v2/images/{gone}")).expect(204);
    gander.end(Signal::KILL);
    let staging = gander.path("staging");
    let unknown = "71c675ab-d94f-49cd-a114-e12490b328d9";
    for name in [&gone, &format!("{gone}.part"), unknown, "README", &format!("{kept}.qcow2"), ".hidden"] {
        fs::write(staging.join(name), "left").unwrap();
    }
    fs::create_dir(staging.join("72c675ab-d94f-49cd-a114-e12490b328d9")).unwrap();
    gander.start_again();
    let mut expected = [".hidden".to_owned(), "README".to_owned(), kept.clone(), format!("{kept}.qcow2")];
    expected.sort();
    eventually("orphans are gone", LIMIT, || {
        let left: Vec<_> =
            entries(&staging).iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
        left == expected
    });
    assert!(staging.join("72c675ab-d94f-49cd-a114-e12490b328d9").is_dir());
}

#[test]
fn a_staging_uri_that_is_no_directory_stops_the_start() {
    for uri in ["/tmp/staging", "http://host/x", "file://staging"] {
        let outcome = Setup::api("").set("node_staging_uri", uri).run_to_end();
        assert_ne!(outcome.code, Some(0));
        assert!(outcome.stderr.contains("node_staging_uri"), "{}", outcome.stderr);
    }
}

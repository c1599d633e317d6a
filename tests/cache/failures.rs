//! Failing fills and failing disks (v1-cache §3.1): the cache never makes a download fail.

use std::fs;
use std::io::{BufRead, BufReader, Write};

use crate::harness::{
    Behaviour, Gander, Origin, Setup, TinyDisk, entries, five_kb, names, read_response, xattr_supported,
};

/// A caching API, an origin that behaves like this, and an image that is there.
fn with_origin(behaviour: Behaviour) -> (Gander, Origin, String) {
    let gander = Gander::caching();
    let origin = Origin::serving(&five_kb());
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(behaviour);
    (gander, origin, id)
}

#[track_caller]
fn not_cached(gander: &Gander, id: &str) {
    assert!(!gander.path("cache").join(id).exists());
    assert!(!gander.path("cache/incomplete").join(id).exists());
    assert!(gander.client().cached().is_empty());
}

#[test]
fn a_store_that_breaks_off_is_seen_and_not_cached() {
    for behaviour in [Behaviour::CutAfter(0), Behaviour::CutAfter(1000), Behaviour::CutAfter(5119)] {
        let (gander, origin, id) = with_origin(behaviour);
        let answer = gander.client().request("GET", &format!("/v1/images/{id}")).try_send();
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status >= 500 || !answer.complete));
        not_cached(&gander, &id);
        // The next download succeeds and is cached.
        origin.set(Behaviour::Serve);
        assert_eq!(gander.client().download(&id), five_kb());
        assert_eq!(gander.client().cached(), [(id, 0)]);
    }
}

#[test]
fn an_error_page_of_the_origin_is_not_cached() {
    for status in [404, 500] {
        let (gander, origin, id) = with_origin(Behaviour::Status(status));
        assert!(gander.client().get(&format!("/v1/images/{id}")).status >= 400);
        not_cached(&gander, &id);
        origin.set(Behaviour::Serve);
        assert_eq!(gander.client().download(&id), five_kb());
    }
}

#[test]
fn a_wrong_length_of_the_origin_is_not_cached_as_the_image() {
    let (gander, origin, id) = with_origin(Behaviour::Announce(9000));
    let answer = gander.client().request("GET", &format!("/v1/images/{id}")).try_send();
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status >= 500 || !answer.complete));
    not_cached(&gander, &id);
    origin.set(Behaviour::Serve);
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn a_fill_that_cannot_begin_is_a_plain_download() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    // Where a directory was there is now a file: not even root can create an entry below.
    fs::remove_dir_all(gander.path("cache/incomplete")).unwrap();
    fs::write(gander.path("cache/incomplete"), "").unwrap();
    for _ in 0..2 {
        assert_eq!(gander.client().download(&id), five_kb());
    }
    assert!(gander.client().cached().is_empty());
}

#[test]
fn a_cache_directory_that_vanished_is_no_reason_to_fail() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    fs::remove_dir_all(gander.path("cache")).unwrap();
    for _ in 0..2 {
        assert_eq!(gander.client().download(&id), five_kb());
    }
}

#[test]
fn an_entry_that_breaks_during_a_download_is_no_reason_to_fail() {
    let gander = Gander::caching();
    let http = gander.client();
    // More than the buffers between server and client take, and no two blocks alike.
    let data: Vec<u8> = (0..8_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let id = http.add("Image1", &data);
    assert!(http.download(&id) == data);
    let mut stream = http.connect();
    stream.write_all(&http.request("GET", &format!("/v1/images/{id}")).head_bytes()).unwrap();
    let mut answer = BufReader::new(stream);
    assert!(!answer.fill_buf().unwrap().is_empty());
    // Cut in the middle, it would also change on its way: what the kernel is sending are pages of the file itself.
    fs::File::options().write(true).open(gander.path("cache").join(&id)).unwrap().set_len(0).unwrap();
    let answer = read_response(&mut answer, false).unwrap().expect(200);
    assert!(answer.complete && answer.body == data);
    not_cached(&gander, &id);
    assert!(http.download(&id) == data);
    assert_eq!(http.cached(), [(id, 0)]);
}

#[test]
fn stored_data_of_another_size_is_refused_before_its_first_byte() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    let stored = gander.path("images").join(&id);
    fs::File::options().write(true).open(&stored).unwrap().set_len(1000).unwrap();
    gander.client().get(&format!("/v1/images/{id}")).expect(503);
    not_cached(&gander, &id);
    fs::write(&stored, five_kb()).unwrap();
    assert_eq!(gander.client().download(&id), five_kb());
    assert_eq!(gander.client().cached(), [(id, 0)]);
}

#[test]
fn a_broken_index_is_no_reason_to_fail() {
    let gander = Gander::caching();
    let http = gander.client();
    let (cached, fresh) = (http.add_image("Image1"), http.add_image("Image2"));
    http.download(&cached);
    for file in entries(&gander.path("cache")) {
        if file.to_string_lossy().contains(".db") {
            fs::write(file, "this is not a database").unwrap();
        }
    }
    for _ in 0..2 {
        assert_eq!(http.download(&cached), five_kb());
        assert_eq!(http.download(&fresh), five_kb());
    }
    http.delete(&format!("/v1/images/{cached}")).expect(200);
    assert!(!gander.path("cache").join(&cached).exists());
}

#[test]
fn a_server_starts_over_a_broken_index() {
    let mut gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.end(rustix::process::Signal::TERM);
    fs::write(gander.path("cache/cache.db"), "this is not a database").unwrap();
    gander.start_again();
    for _ in 0..2 {
        assert_eq!(gander.client().download(&id), five_kb());
    }
}

#[test]
fn a_full_disk_is_a_plain_download() {
    let setup = Setup::api("cachemanagement").set("image_cache_min_free", 0);
    let Some(disk) = TinyDisk::mount(setup.path("cache"), 256) else { return };
    let gander = setup.start();
    let data = vec![b'x'; 1_000_000];
    let id = gander.client().add("Image1", &data);
    for _ in 0..2 {
        assert!(gander.client().download(&id) == data);
        not_cached(&gander, &id);
    }
    // What fits is still cached.
    let small = gander.client().add_image("Image2");
    assert_eq!(gander.client().download(&small), five_kb());
    assert_eq!(gander.settled(), [small]);
    drop(gander);
    drop(disk);
}

#[test]
fn a_crash_during_a_fill_does_not_block_the_next() {
    let (mut gander, origin, id) = with_origin(Behaviour::PauseAfter(1000));
    let http = gander.client();
    let (path, client) = (format!("/v1/images/{id}"), http.clone());
    let downloading = std::thread::spawn(move || client.request("GET", &path).try_send());
    crate::harness::eventually("the origin was asked", std::time::Duration::from_secs(10), || origin.gets() == 1);
    gander.end(rustix::process::Signal::KILL);
    let _ = downloading.join().unwrap();
    origin.set(Behaviour::Serve);
    gander.start_again();
    assert_eq!(http.download(&id), five_kb());
    assert_eq!(http.cached(), [(id, 0)]);
}

#[test]
fn a_failed_fill_says_why_in_the_xattr_driver() {
    let setup = Setup::api("cachemanagement").set("image_cache_driver", "xattr");
    if !xattr_supported(&setup.path("")) {
        return;
    }
    let gander = setup.start();
    let origin = Origin::serving(&five_kb());
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::CutAfter(1000));
    let _ = gander.client().request("GET", &format!("/v1/images/{id}")).try_send();
    not_cached(&gander, &id);
    for invalid in names(&gander.path("cache/invalid")) {
        assert_eq!(invalid, id);
        assert!(crate::harness::xattr(&gander.path("cache/invalid").join(&id), "user.error").is_some());
    }
}

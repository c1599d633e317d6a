//! Counting hits costs no disk access each (security C28), and nobody notices that it is done later.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::harness::{Gander, Setup, entries, eventually, five_kb, sqlite_rows, xattr, xattr_supported};

fn counting(interval: u32) -> Setup {
    Setup::api("cachemanagement").set("image_cache_hits_interval", interval)
}

/// When each file of the index was written last.
fn written(cache: &Path) -> Vec<(String, SystemTime)> {
    let index = entries(cache).into_iter().filter(|path| path.to_string_lossy().contains(".db"));
    index.map(|path| (path.display().to_string(), fs::metadata(&path).unwrap().modified().unwrap())).collect()
}

fn recorded(gander: &Gander) -> Vec<String> {
    sqlite_rows(&gander.path("cache/cache.db"), "SELECT CAST(hits AS TEXT) FROM cached_images")
}

#[test]
fn hits_are_not_written_one_by_one_but_seen_at_once() {
    let gander = counting(3600).start();
    let http = gander.client();
    let id = http.add_image("Image1");
    http.download(&id);
    assert_eq!(http.cached(), [(id.clone(), 0)]);
    let before = written(&gander.path("cache"));
    assert!(!before.is_empty());
    for _ in 0..100 {
        assert_eq!(http.download(&id), five_kb());
    }
    assert_eq!(written(&gander.path("cache")), before);
    assert_eq!(http.cached(), [(id.clone(), 100)]);
    assert_eq!(recorded(&gander), ["100"], "who lists them has them written");
    let accessed = |answer: serde_json::Value| answer["cached_images"][0]["last_accessed"].clone();
    let (first, second) = (accessed(http.get("/v1/cached_images").json()), {
        http.download(&id);
        accessed(http.get("/v1/cached_images").json())
    });
    assert_ne!(first, second);
}

#[test]
fn attributes_are_not_written_one_by_one_either() {
    let setup = counting(3600).set("image_cache_driver", "xattr");
    if !xattr_supported(&setup.path("")) {
        return;
    }
    let mut gander = setup.start();
    let http = gander.client();
    let id = http.add_image("Image1");
    http.download(&id);
    let entry = gander.path("cache").join(&id);
    let changed = || {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(&entry).unwrap();
        (metadata.ctime(), metadata.ctime_nsec())
    };
    let before = changed();
    for _ in 0..20 {
        http.download(&id);
    }
    assert_eq!(changed(), before);
    assert_eq!(http.cached(), [(id.clone(), 20)]);
    assert_eq!(xattr(&entry, "user.hits").as_deref(), Some("20"));
    http.download(&id);
    gander.end(Signal::TERM);
    assert_eq!(xattr(&entry, "user.hits").as_deref(), Some("21"));
    gander.start_again();
    assert_eq!(gander.client().cached(), [(id, 21)]);
}

#[test]
fn a_server_that_is_stopped_writes_them_first() {
    for signal in [Signal::TERM, Signal::HUP] {
        let mut gander = counting(3600).start();
        let http = gander.client();
        let id = http.add_image("Image1");
        for _ in 0..8 {
            http.download(&id);
        }
        gander.end(signal);
        assert_eq!(recorded(&gander), ["7"]);
        gander.start_again();
        assert_eq!(gander.client().cached(), [(id, 7)]);
    }
}

#[test]
fn a_server_that_is_killed_loses_no_more_than_the_interval() {
    let mut gander = counting(1).start();
    let http = gander.client();
    let id = http.add_image("Image1");
    for _ in 0..6 {
        http.download(&id);
    }
    // Nobody asks for them.
    eventually("the hits are written", Duration::from_secs(10), || recorded(&gander) == ["5"]);
    gander.end(Signal::KILL);
    gander.start_again();
    assert_eq!(gander.client().cached(), [(id.clone(), 5)]);
    for _ in 0..3 {
        assert_eq!(gander.client().download(&id), five_kb());
    }
    gander.end(Signal::KILL);
    gander.start_again();
    let hits = gander.client().cached()[0].1;
    assert!((5..=8).contains(&hits), "{hits}");
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn hits_of_an_entry_that_is_gone_do_not_come_back_with_the_next() {
    let gander = counting(3600).start();
    let http = gander.client();
    let id = http.add_image("Image1");
    for _ in 0..5 {
        http.download(&id);
    }
    http.delete(&format!("/v1/cached_images/{id}")).expect(200);
    assert!(http.cached().is_empty());
    http.download(&id);
    assert_eq!(http.cached(), [(id.clone(), 0)]);
    http.download(&id);
    assert_eq!(http.cached(), [(id, 1)]);
}

/// Hits in memory count when somebody has to go.
#[test]
fn hits_that_are_not_written_yet_protect_an_entry() {
    let gander = counting(3600).set("image_cache_max_size", 3 * 5120).start();
    let http = gander.client();
    let hot = http.add_image("Hot");
    for _ in 0..3 {
        http.download(&hot);
    }
    for _ in 0..5 {
        http.download(&http.add_image("Once"));
    }
    http.download(&hot);
    assert_eq!(gander.verdicts(&hot), ["miss", "hit", "hit", "hit"]);
}

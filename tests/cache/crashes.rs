//! A server that is killed leaves nothing that harms the next one (security C21, C25).

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Behaviour, Gander, Origin, Setup, eventually, names, noise, occupied};

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_fill_cut_by_a_crash_is_gone_when_the_server_is_back() {
    let mut gander = Gander::caching();
    let http = gander.client();
    let data = noise(1, 300_000);
    let origin = Origin::serving(&data);
    let id = http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::PauseAfter(100_000));
    let mut reading = http.request("GET", &format!("/v1/images/{id}")).open();
    reading.take(100_000);
    gander.end(Signal::KILL);
    assert!(!reading.finish().complete);
    assert_eq!(names(&gander.path("cache/incomplete")), [id.as_str()]);
    gander.start_again();
    assert!(names(&gander.path("cache/incomplete")).is_empty());
    assert!(gander.settled().is_empty());
    origin.set(Behaviour::Serve);
    assert!(http.download(&id) == data);
    assert_eq!(gander.verdicts(&id), ["miss", "miss"]);
    assert_eq!(gander.settled(), [id]);
}

#[test]
fn what_a_client_has_seen_whole_outlives_a_crash() {
    for driver in ["sqlite", "xattr", "centralized_db"] {
        let mut gander = Setup::api("cachemanagement").index(driver).start();
        for seed in 0..3 {
            let data = noise(seed, 200_000);
            let id = gander.client().add("Image1", &data);
            assert!(gander.client().download(&id) == data);
            gander.end(Signal::KILL);
            gander.start_again();
            assert!(gander.settled().contains(&id));
            assert!(gander.client().download(&id) == data);
            assert_eq!(gander.verdicts(&id), ["miss", "hit"]);
        }
    }
}

#[test]
fn a_crash_in_a_storm_of_evictions_leaves_a_cache_in_order() {
    for (driver, rounds) in [("sqlite", 3), ("xattr", 2), ("centralized_db", 3)] {
        let setup = Setup::api("cachemanagement").index(driver);
        let mut gander = setup.set("image_cache_max_size", 300_000).start();
        let images: Vec<_> = (0..12)
            .map(|seed| {
                let data = noise(seed, 60_000);
                (gander.client().add("Image1", &data), data)
            })
            .collect();
        for round in 0..rounds {
            let http = gander.client();
            thread::scope(|scope| {
                for client in 0..4 {
                    let (http, images) = (&http, &images);
                    scope.spawn(move || {
                        // Until the server is gone.
                        for step in 0.. {
                            let (id, data) = &images[(step * (client + 1)) % images.len()];
                            let Ok(answer) = http.request("GET", &format!("/v1/images/{id}")).try_send() else { break };
                            assert!(!answer.complete || &answer.body == data);
                        }
                    });
                }
                let downloads = || gander.log().matches("cache miss").count();
                let before = downloads();
                eventually("images come and go", LIMIT, || downloads() > before + 20 + round * 3);
                gander.end(Signal::KILL);
            });
            gander.start_again();
            assert!(names(&gander.path("cache/incomplete")).is_empty());
            gander.settled();
            assert!(occupied(&gander.path("cache")) <= 300_000);
            for (id, data) in &images {
                assert!(&gander.client().download(id) == data);
            }
        }
    }
}

/// The start of one server must not take a living one's file for a dead one's.
#[test]
fn a_server_that_starts_leaves_the_fill_of_another_alone() {
    let one = Gander::caching();
    let mut two =
        Setup::api("cachemanagement").set("image_cache_dir", one.path("cache").display()).on(one.database()).start();
    let data = noise(2, 300_000);
    let origin = Origin::serving(&data);
    let id = one.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::PauseAfter(100_000));
    let mut reading = one.client().request("GET", &format!("/v1/images/{id}")).open();
    reading.take(100_000);
    two.end(Signal::KILL);
    two.start_again();
    assert_eq!(names(&one.path("cache/incomplete")), [id.as_str()]);
    origin.set(Behaviour::Serve);
    assert!(reading.finish().body == data);
    assert_eq!(one.settled(), std::slice::from_ref(&id));
    assert!(two.client().download(&id) == data);
    assert_eq!(origin.gets(), 1);
}

/// Loses all records, so that the files are all there is.
pub(super) fn forget_records(gander: &Gander) {
    for file in crate::harness::entries(&gander.path("cache")) {
        if file.to_string_lossy().contains(".db") {
            std::fs::remove_file(file).unwrap();
        }
    }
    gander.rows("DELETE FROM cached_images");
}

/// Files and records that a crash, or somebody's hand, has set apart are one again after the start.
#[test]
fn index_and_directory_agree_after_a_start_whatever_is_missing() {
    for driver in ["sqlite", "xattr", "centralized_db"] {
        let mut gander = Setup::api("cachemanagement").index(driver).start();
        let http = gander.client();
        let ids: Vec<_> = (0..3).map(|_| http.add_image("Image1")).collect();
        for id in &ids {
            http.download(id);
        }
        gander.end(Signal::KILL);
        let cache = gander.path("cache");
        std::fs::remove_file(cache.join(&ids[0])).unwrap();
        std::fs::write(cache.join("incomplete").join(&ids[1]), "a rest").unwrap();
        forget_records(&gander);
        gander.start_again();
        let mut left = ids[1..].to_vec();
        left.sort();
        assert_eq!(gander.settled(), left);
        for id in &ids {
            http.download(id);
        }
        assert_eq!(gander.settled().len(), 3);
    }
}

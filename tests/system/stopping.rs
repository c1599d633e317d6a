//! Stopping a server that is busy: one deadline for everything, and nothing half-done is left (v1-system §2).

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::slow_clients::{LARGE, stalled_download};
use crate::harness::{Behaviour, Client, Gander, Origin, Setup, entries, eventually, minimal_headers};

const LIMIT: Duration = Duration::from_secs(10);
/// Well above one second of grace, well below a default grace.
const SOON: Duration = Duration::from_secs(8);

/// An upload that sends a byte now and then until it is cut.
fn drip(http: &Client) -> (String, thread::JoinHandle<()>) {
    let id = http.reserve("Image1", &[]);
    let request = http.put(&format!("/v1/images/{id}")).header("Content-Type", "application/octet-stream");
    let mut stream = http.connect();
    stream.write_all(&request.header("Transfer-Encoding", "chunked").head_bytes()).unwrap();
    let dripping = thread::spawn(move || {
        while stream.write_all(b"1\r\nx\r\n").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    is_saving(http, &id);
    (id, dripping)
}

fn is_saving(http: &Client, id: &str) {
    eventually("the image is saving", LIMIT, || http.meta(id, "status").as_deref() == Some("saving"));
}

#[track_caller]
fn killed_after_restart(gander: &mut Gander, id: &str) {
    gander.start_again();
    assert_eq!(gander.client().meta(id, "status").as_deref(), Some("killed"));
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn an_upload_that_outlasts_the_grace_is_cut_and_killed() {
    for signal in [Signal::TERM, Signal::HUP] {
        let mut gander = Setup::api("").set("graceful_shutdown_timeout", 1).start();
        let (id, dripping) = drip(&gander.client());
        let started = Instant::now();
        assert!(gander.end(signal).success());
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        dripping.join().unwrap();
        killed_after_restart(&mut gander, &id);
    }
}

#[test]
fn a_second_signal_cuts_at_once() {
    let mut gander = Gander::plain();
    let (id, dripping) = drip(&gander.client());
    gander.signal(Signal::HUP);
    eventually("the server is stopping", LIMIT, || gander.log().contains("SIGHUP received"));
    let started = Instant::now();
    assert!(gander.end(Signal::HUP).success());
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    dripping.join().unwrap();
    killed_after_restart(&mut gander, &id);
}

#[test]
fn a_copy_that_outlasts_the_grace_is_cut_and_killed() {
    // Of known and of unknown length.
    for behaviour in [Behaviour::PauseAfter(100), Behaviour::Stall] {
        let mut gander = Setup::api("").set("graceful_shutdown_timeout", 1).start();
        let origin = Origin::serving(&[b'x'; 1000]);
        origin.set(behaviour);
        let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
        let request = request.header("X-Glance-API-Copy-From", &origin.url("/images/2"));
        let id = request.send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
        let started = Instant::now();
        assert!(gander.end(Signal::TERM).success());
        assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
        killed_after_restart(&mut gander, &id);
    }
}

#[test]
fn a_download_that_outlasts_the_grace_is_cut() {
    let mut gander = Setup::api("").set("graceful_shutdown_timeout", 1).start();
    let id = gander.client().add("Image1", &vec![b'x'; LARGE]);
    let _stalled = stalled_download(&gander.client(), &id);
    let started = Instant::now();
    assert!(gander.end(Signal::TERM).success());
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    gander.start_again();
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("active"));
}

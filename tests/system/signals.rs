//! Starting, stopping and living through signals (v1-system §2).

use std::io::{BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Behaviour, Gander, Origin, Setup, eventually, five_kb, is_open, read_response};

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn sigterm_ends_the_server() {
    let mut gander = Gander::plain();
    gander.end(Signal::TERM);
    assert!(!is_open(gander.port()));
}

#[test]
fn sighup_lets_a_running_download_finish() {
    let mut gander = Gander::plain();
    let data = vec![b'x'; 300_000];
    let origin = Origin::serving(&data);
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::PauseAfter(100_000));
    let http = gander.client();
    let download = thread::spawn(move || http.download(&id));
    eventually("the origin was asked", LIMIT, || origin.gets() == 1);
    let releasing = thread::spawn(move || {
        // The rest follows only after the server has been told to go.
        thread::sleep(Duration::from_millis(200));
        origin.set(Behaviour::Serve);
        origin
    });
    gander.end(Signal::HUP);
    assert!(download.join().unwrap() == data);
    drop(releasing.join().unwrap());
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let mut gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.end(Signal::KILL);
    gander.start_again();
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("active"));
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn workers_share_images_and_cache() {
    let gander = Setup::api("cachemanagement").set("workers", 2).start();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    for hits in 1..10 {
        assert_eq!(gander.client().download(&id), five_kb());
        assert_eq!(gander.client().cached(), [(id.clone(), hits)]);
    }
}

#[test]
fn a_port_in_use_is_waited_for() {
    let setup = Setup::api("");
    let mut occupant = None;
    // A program that is being started elsewhere in this process may hold, for an instant, the listener that chose the port.
    eventually("the port can be taken", LIMIT, || {
        occupant = TcpListener::bind(("127.0.0.1", setup.port())).ok();
        occupant.is_some()
    });
    let freeing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop(occupant);
    });
    let gander = setup.start();
    freeing.join().unwrap();
    eventually("the server has the port", LIMIT, || {
        gander.client().request("GET", "/v1/images").try_send().is_ok_and(|answer| answer.status == 200)
    });
}

#[test]
fn a_client_that_says_nothing_does_not_hinder_others() {
    let gander = Gander::plain();
    let silent: Vec<_> = (0..50).map(|_| gander.client().connect()).collect();
    let mut slow = gander.client().connect();
    slow.write_all(b"GET /v1/images HT").unwrap();
    gander.client().get("/v1/images").expect(200);
    slow.write_all(b"TP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    read_response(&mut BufReader::new(slow), false).unwrap().expect(200);
    drop(silent);
}

#[test]
fn a_connection_is_closed_when_the_client_wants_it() {
    let gander = Gander::plain();
    let mut stream = gander.client().connect();
    stream.write_all(b"GET /v1/images HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut all = Vec::new();
    // The server closes, as asked.
    stream.read_to_end(&mut all).unwrap();
    assert!(all.starts_with(b"HTTP/1.1 200 OK"));
}

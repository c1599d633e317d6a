//! Clients that are slow, silent, or send before they listen: they are served or cut, and hinder nobody.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};

use crate::harness::{Client, Gander, Setup, entries, eventually, minimal_headers, read_response, skipped};

const LIMIT: Duration = Duration::from_secs(20);

/// Larger than what the sockets of both sides buffer.
pub(super) const LARGE: usize = 64 * 1024 * 1024;

/// A download of which nothing has been read yet.
pub(super) fn stalled_download(http: &Client, id: &str) -> TcpStream {
    let mut stream = http.connect();
    stream.write_all(&http.request("GET", &format!("/v1/images/{id}")).head_bytes()).unwrap();
    stream.peek(&mut [0]).unwrap();
    stream
}

/// An upload in chunks of which the first byte is sent.
fn begin_upload(http: &Client) -> (String, TcpStream) {
    let id = http.reserve("Image1", &[]);
    let request = http.put(&format!("/v1/images/{id}")).header("Content-Type", "application/octet-stream");
    let mut stream = http.connect();
    stream.write_all(&request.header("Transfer-Encoding", "chunked").head_bytes()).unwrap();
    stream.write_all(b"1\r\nx\r\n").unwrap();
    (id, stream)
}

#[test]
fn a_client_that_stops_reading_is_cut() {
    let gander = Setup::api("").set("client_socket_timeout", 1).start();
    let id = gander.client().add("Image1", &vec![b'x'; LARGE]);
    let mut stalled = stalled_download(&gander.client(), &id);
    eventually("the server has given up", LIMIT, || gander.log().contains("nothing moved for 1 seconds"));
    let mut rest = Vec::new();
    let _ = stalled.read_to_end(&mut rest);
    assert!(rest.len() < LARGE, "all {} bytes came", rest.len());
}

#[test]
fn a_slow_reader_is_not_cut() {
    let gander = Setup::api("").set("client_socket_timeout", 1).start();
    let id = gander.client().add("Image1", &vec![b'x'; LARGE]);
    let mut slow = stalled_download(&gander.client(), &id);
    let started = Instant::now();
    let mut block = vec![0; LARGE / 20];
    let mut seen = 0;
    loop {
        match slow.read(&mut block).unwrap() {
            0 => break,
            read => seen += read,
        }
        // Longer than the timeout in all, shorter at a time.
        if started.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(200));
        }
    }
    assert!(seen > LARGE, "{seen}");
}

/// More than the threads of the runtime's blocking pool (512).
const MANY: usize = 600;

#[test]
fn many_slow_uploads_do_not_keep_others_from_the_disk() {
    // A connection and a file for each in the server.
    if getrlimit(Resource::Nofile).current.is_some_and(|limit| limit < 3 * MANY as u64) {
        skipped(&format!("{MANY} uploads at once need more open files than ulimit -n allows"));
        return;
    }
    let gander = Gander::plain();
    let http = gander.client();
    let existing = http.add("Existing", b"abc");
    let (ids, streams): (Vec<_>, Vec<_>) = (0..MANY).map(|_| begin_upload(&http)).unzip();
    let last = &ids[MANY - 1];
    eventually("the last upload has begun", LIMIT, || http.meta(last, "status").as_deref() == Some("saving"));

    assert_eq!(http.download(&existing), b"abc");
    let data = vec![b'y'; 3_000_000];
    assert!(http.download(&http.add("Other", &data)) == data);

    // And they are served to the end themselves.
    for mut stream in streams {
        stream.write_all(b"1\r\ny\r\n0\r\n\r\n").unwrap();
        read_response(&mut BufReader::new(stream), false).unwrap().expect(200);
    }
    assert_eq!(http.download(last), b"xy");
}

#[test]
fn an_upload_that_falls_silent_is_cut_and_killed() {
    let gander = Setup::api("").set("client_socket_timeout", 1).start();
    let http = gander.client();
    let (id, stream) = begin_upload(&http);
    read_response(&mut BufReader::new(stream), false).unwrap().expect(400);
    assert_eq!(http.meta(&id, "status").as_deref(), Some("killed"));
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn an_upload_that_is_only_slow_is_not_cut() {
    let gander = Setup::api("").set("client_socket_timeout", 1).start();
    let http = gander.client();
    let (id, mut stream) = begin_upload(&http);
    for _ in 0..15 {
        // Longer than the timeout in all, shorter at a time.
        thread::sleep(Duration::from_millis(100));
        stream.write_all(b"1\r\nx\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    read_response(&mut BufReader::new(stream), false).unwrap().expect(200);
    assert_eq!(http.download(&id), [b'x'; 16]);
}

#[test]
fn a_refusal_reaches_a_client_that_sends_everything_first() {
    let gander = Gander::plain();
    let http = gander.client();
    let request = http.post("/v1/images").headers(&minimal_headers("Image1")[1..]).header("Content-Type", "text/plain");
    let request = request.header("Content-Length", "30000000");
    let mut stream = http.connect();
    stream.write_all(&request.head_bytes()).unwrap();
    for _ in 0..30 {
        stream.write_all(&vec![b'x'; 1_000_000]).unwrap();
    }
    let text = read_response(&mut BufReader::new(stream), false).unwrap().expect(400).text();
    assert!(text.contains("Content-Type must be application/octet-stream"), "{text}");
}

#[test]
fn a_connection_is_used_again_after_a_refused_upload() {
    let gander = Gander::plain();
    let mut stream = gander.client().connect();
    let head = "POST /v1/images HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n";
    stream.write_all(format!("{head}X-Image-Meta-Name: a\r\nContent-Length: 2000000\r\n\r\n").as_bytes()).unwrap();
    stream.write_all(&vec![b'x'; 2_000_000]).unwrap();
    stream.write_all(b"GET /v1/images HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    read_response(&mut reader, false).unwrap().expect(400);
    read_response(&mut reader, false).unwrap().expect(200);
}

#[test]
fn a_client_that_asks_first_and_is_refused_is_not_told_to_go_on() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").header("Content-Type", "text/plain");
    let request = request.headers(&[("Content-Length", "30000000"), ("Expect", "100-continue")]);
    let mut stream = gander.client().connect();
    stream.write_all(&request.head_bytes()).unwrap();
    let started = Instant::now();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
    assert!(started.elapsed() < Duration::from_secs(5), "the server waited for a body that nobody sends");
}

#[test]
fn an_endless_body_that_nobody_wants_is_cut() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").header("Content-Type", "text/plain");
    let mut stream = gander.client().connect();
    stream.write_all(&request.header("Content-Length", "1000000000000").head_bytes()).unwrap();
    let block = vec![b'x'; 1_000_000];
    // Far more than the server reads of it; a cut connection refuses.
    assert!((0..300).any(|_| stream.write_all(&block).is_err()));
}

//! Images leave as files, not as memory: the kernel sends them, and HTTP/1.1 is none the worse for it.

use std::io::{BufReader, IoSliceMut, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::io::{Errno, ReadWriteFlags, preadv2};
use rustix::net::sockopt;

use super::slow_clients::stalled_download;
use crate::harness::{Client, Gander, Response, Setup, eventually, five_kb, read_response, skipped};

const LIMIT: Duration = Duration::from_secs(20);

/// More than a map and more than a call.
const LARGE: usize = 8 << 20;
/// More than what the sockets of both sides buffer.
const HUGE: usize = 64 << 20;

/// Bytes in which no two stretches look alike.
fn content(len: usize) -> Vec<u8> {
    (0..len.div_ceil(8) as u64).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).take(len).collect()
}

/// An image that is in the cache.
fn cached(http: &Client, data: &[u8]) -> String {
    let id = http.add("Image1", data);
    assert!(http.download(&id) == data);
    assert!(http.cached().iter().any(|(cached, _)| *cached == id));
    id
}

/// Whether the kernel sends files of the temporary directory: only where it can tell what it has in memory.
fn sends_files() -> bool {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"x").unwrap();
    let mut byte = [0];
    let told = preadv2(&file, &mut [IoSliceMut::new(&mut byte)], 0, ReadWriteFlags::NOWAIT);
    let sends = told != Err(Errno::OPNOTSUPP);
    if !sends {
        skipped("the file system of the temporary directory does not tell what is in memory");
    }
    sends
}

/// One connection for several requests.
struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    fn open(http: &Client) -> Self {
        Self { reader: BufReader::new(http.connect()) }
    }

    fn peer(&self) -> SocketAddr {
        self.reader.get_ref().local_addr().unwrap()
    }

    fn send(&mut self, request: &str) {
        self.reader.get_mut().write_all(request.as_bytes()).unwrap();
    }

    fn answer(&mut self, to_head: bool) -> Response {
        let answer = read_response(&mut self.reader, to_head).unwrap();
        assert!(answer.complete, "the answer broke off");
        answer
    }

    fn ask(&mut self, method: &str, path: &str) -> Response {
        self.send(&format!("{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
        self.answer(method == "HEAD")
    }

    /// Ends the connection. How often the server called sendfile on it, and for how many bytes.
    fn end(self, gander: &Gander) -> (u64, u64) {
        let peer = self.peer();
        drop(self);
        sent_to(gander, peer)
    }
}

/// What the server tells of the ended connection of `peer`.
fn sent_to(gander: &Gander, peer: SocketAddr) -> (u64, u64) {
    let words = format!("connection of {peer}: ");
    let mut told = None;
    eventually("the server tells how it sent", LIMIT, || {
        told = gander.log().lines().find_map(|line| Some(line.split_once(&words)?.1.to_owned()));
        told.is_some()
    });
    let told = told.unwrap();
    let (calls, bytes) = told.split_once(" sendfile calls, ").unwrap();
    (calls.parse().unwrap(), bytes.strip_suffix(" bytes").unwrap().parse().unwrap())
}

#[test]
fn a_large_hit_is_sent_by_the_kernel() {
    if !sends_files() {
        return;
    }
    let gander = Gander::caching();
    let http = gander.client();
    // The end is not worth a map.
    let data = content(LARGE + 5000);
    let id = cached(&http, &data);
    let mut connection = Connection::open(&http);
    assert!(connection.ask("GET", &format!("/v1/images/{id}")).expect(200).body == data);
    let (calls, bytes) = connection.end(&gander);
    assert!((4..1000).contains(&calls), "{calls} calls");
    assert_eq!(bytes, LARGE as u64);
}

#[test]
fn without_a_cache_the_file_of_the_store_is_sent() {
    if !sends_files() {
        return;
    }
    let gander = Gander::plain();
    let http = gander.client();
    let data = content(LARGE + 1);
    let id = http.add("Image1", &data);
    let mut connection = Connection::open(&http);
    assert!(connection.ask("GET", &format!("/v1/images/{id}")).expect(200).body == data);
    let (_, bytes) = connection.end(&gander);
    assert_eq!(bytes, LARGE as u64);
}

#[test]
fn what_is_small_is_not() {
    let gander = Gander::caching();
    let http = gander.client();
    let (small, large) = (cached(&http, &five_kb()), cached(&http, &content(LARGE)));
    let mut connection = Connection::open(&http);
    let peer = connection.peer();
    assert!(connection.ask("GET", &format!("/v1/images/{small}")).expect(200).body == five_kb());
    drop(connection);
    let mut later = Connection::open(&http);
    later.ask("GET", &format!("/v1/images/{large}")).expect(200);
    later.end(&gander);
    assert!(!gander.log().contains(&format!("connection of {peer}")));
}

#[test]
fn a_connection_serves_large_and_small_in_turn() {
    if !sends_files() {
        return;
    }
    let gander = Gander::caching();
    let http = gander.client();
    let data = content(LARGE);
    let (large, small) = (cached(&http, &data), cached(&http, &five_kb()));
    let mut connection = Connection::open(&http);
    for _ in 0..3 {
        assert!(connection.ask("GET", &format!("/v1/images/{large}")).expect(200).body == data);
        assert!(connection.ask("GET", &format!("/v1/images/{small}")).expect(200).body == five_kb());
        connection.ask("GET", "/v1/images/none").expect(404);
        assert_eq!(connection.ask("GET", "/v1/images").expect(200).json()["images"].as_array().unwrap().len(), 2);
    }
    let (_, bytes) = connection.end(&gander);
    assert_eq!(bytes, 3 * LARGE as u64);
}

#[test]
fn requests_sent_at_once_are_answered_in_order() {
    if !sends_files() {
        return;
    }
    let gander = Gander::caching();
    let http = gander.client();
    let (first, second) = (content(LARGE), content(LARGE + 3).split_off(3));
    let ids = [cached(&http, &first), cached(&http, &second)];
    let mut connection = Connection::open(&http);
    let get = |id: &String| format!("GET /v1/images/{id} HTTP/1.1\r\nHost: h\r\n\r\n");
    connection.send(&ids.each_ref().map(get).concat());
    assert!(connection.answer(false).expect(200).body == first);
    assert!(connection.answer(false).expect(200).body == second);
    let (_, bytes) = connection.end(&gander);
    assert_eq!(bytes, 2 * LARGE as u64);
}

#[test]
fn a_head_before_a_get_has_no_body() {
    if !sends_files() {
        return;
    }
    let gander = Gander::caching();
    let http = gander.client();
    let data = content(LARGE);
    let path = format!("/v1/images/{}", cached(&http, &data));
    let mut connection = Connection::open(&http);
    let head = connection.ask("HEAD", &path).expect(200);
    assert_eq!(head.header("x-image-meta-size"), Some(LARGE.to_string().as_str()));
    assert!(connection.ask("GET", &path).expect(200).body == data);
    connection.ask("HEAD", &path).expect(200);
    connection.end(&gander);
}

#[test]
fn a_get_may_expect_to_be_told_to_continue() {
    if !sends_files() {
        return;
    }
    let gander = Gander::caching();
    let http = gander.client();
    let data = content(LARGE);
    let id = cached(&http, &data);
    for (length, body) in [("", ""), ("Content-Length: 3\r\n", "abc")] {
        let mut connection = Connection::open(&http);
        connection.send(&format!("GET /v1/images/{id} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n{length}\r\n"));
        assert!(connection.answer(false).expect(200).body == data);
        connection.send(body);
        let (_, bytes) = connection.end(&gander);
        assert_eq!(bytes, LARGE as u64);
    }
}

#[test]
fn a_client_that_leaves_leaves_nothing_open() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = cached(&http, &content(HUGE));
    let entry = format!("cache/{id}");
    let held = || gander.held_files().iter().filter(|line| line.contains(&entry)).count();
    eventually("nobody reads the image", LIMIT, || held() == 0);
    let stalled: Vec<_> = (0..5).map(|_| stalled_download(&http, &id)).collect();
    eventually("five files are open, and mapped", LIMIT, || held() == 10);
    drop(stalled);
    eventually("no file is open", LIMIT, || held() == 0);
}

#[test]
fn a_slow_reader_gets_everything() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = content(LARGE);
    let id = cached(&http, &data);
    let mut stream = http.connect();
    sockopt::set_socket_recv_buffer_size(&stream, 64 * 1024).unwrap();
    stream.write_all(&http.request("GET", &format!("/v1/images/{id}")).head_bytes()).unwrap();
    let (mut all, mut piece) = (Vec::new(), [0; 4099]);
    while let read @ 1.. = stream.read(&mut piece).unwrap() {
        all.extend_from_slice(&piece[..read]);
        thread::yield_now();
    }
    assert!(all.ends_with(&data));
}

#[test]
fn an_eviction_cuts_no_reader() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = content(HUGE);
    let id = cached(&http, &data);
    let reader = stalled_download(&http, &id);
    http.delete(&format!("/v1/cached_images/{id}")).expect(200);
    assert!(!gander.path("cache").join(&id).exists());
    let peer = reader.local_addr().unwrap();
    let answer = read_response(&mut BufReader::new(reader), false).unwrap();
    assert!(answer.complete && answer.body == data);
    assert_eq!(sent_to(&gander, peer).1, HUGE as u64);
}

#[test]
fn a_file_cut_short_under_a_reader_ends_his_connection() {
    let gander = Setup::api("").start();
    let http = gander.client();
    let id = http.add("Image1", &content(HUGE));
    let reader = stalled_download(&http, &id);
    std::fs::File::options().write(true).open(gander.path("images").join(&id)).unwrap().set_len(1000).unwrap();
    let answer = read_response(&mut BufReader::new(reader), false).unwrap();
    assert!(!answer.complete);
    http.get("/v1/images").expect(200);
}

//! HTTP/2, within TLS: to whom it is offered, and that what holds for HTTP/1.1 holds for its streams.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use h2::Reason;
use rustix::process::Signal;
use serde_json::json;

use super::slow_clients::LARGE;
use super::tls::{curl, there_is_curl};
use crate::harness::{
    Behaviour, Certificates, Gander, Http2, Origin, Setup, Wire, entries, eventually, md5, minimal_headers, noise,
    slow_link,
};

const LIMIT: Duration = Duration::from_secs(20);
/// What a client takes ahead unless the test is about that.
const WINDOW: u32 = 1 << 20;
const DATA: [(&str, &str); 1] = [("content-type", "application/octet-stream")];

/// With a cache.
fn setup(certificates: &Certificates) -> Setup {
    Setup::api("cachemanagement").tls(certificates, "good")
}

/// An image whose data lies with `origin`.
fn remote(gander: &Gander, origin: &Origin) -> String {
    let image = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    let image = image.header("X-Image-Meta-Location", &origin.url("/images/1")).send().expect(201).json();
    format!("/v1/images/{}", image["image"]["id"].as_str().unwrap())
}

#[test]
fn clients_that_can_speak_it_do_unless_that_is_turned_off() {
    let Some(certificates) = Certificates::make().filter(|_| there_is_curl()) else { return };
    for (option, value, version) in [
        ("max_concurrent_streams", "100", "2"),
        ("max_concurrent_streams", "0", "1.1"),
        ("http_keepalive", "False", "1.1"),
    ] {
        let gander = Setup::api("").tls(&certificates, "good").set(option, value).start();
        let url = format!("https://127.0.0.1:{}/v1/images", gander.port());
        let told = curl(&certificates, &["--write-out", "%{http_version}", &url]).stdout;
        assert_eq!(told, format!("{}{version}", r#"{"images": []}"#), "{option}");
    }
}

#[test]
fn an_image_lives_by_http2_as_it_does_by_http1() {
    let Some(certificates) = Certificates::make() else { return };
    let setup = setup(&certificates);
    // Its callers have no roles.
    setup.policy(include_str!("../clients/open-policy.json"));
    let gander = setup.start();
    let http = Http2::connect(&gander, &certificates, WINDOW);
    let json = [("content-type", "application/json")];
    let image = json!({"name": "Image1", "disk_format": "raw", "container_format": "bare"}).to_string();
    let image = http.put("POST", "/v2/images", &json, image.as_bytes()).expect(201);
    let path = format!("/v2/images/{}", image.json()["id"].as_str().unwrap());
    assert_eq!(image.header("location"), Some(&*format!("https://127.0.0.1:{}{path}", gander.port())));
    let file = format!("{path}/file");
    let data = noise(1, 9_000_001);
    http.put("PUT", &file, &DATA, &data).expect(204);
    let image = http.get(&path).expect(200).json();
    assert_eq!((&image["status"], &image["checksum"]), (&json!("active"), &json!(md5(&data))));
    for verdict in ["a miss", "a hit"] {
        let answer = http.get(&file).expect(200);
        assert!(answer.complete && answer.body == data, "{verdict}");
        assert_eq!(answer.header("content-length"), Some("9000001"));
        let part = http.ask("GET", &file, &[("range", "bytes=100-8999999")]).expect(206);
        assert!(part.complete && part.body == data[100..9_000_000], "{verdict}");
    }
    // A body that is not expected is noticed though nobody told its length.
    http.put("GET", &path, &[], b"x").expect(400);
    let head = http.ask("HEAD", "/versions", &[]).expect(200);
    assert!(head.complete && head.body.is_empty() && head.header("content-length").unwrap() != "0");
    http.ask("HEAD", "/v2/schemas/image", &[]).expect(405);
    http.ask("DELETE", &path, &[]).expect(204);
    http.get(&path).expect(404);
    assert!(!gander.log().contains("sendfile calls"));
    // All that was one connection.
    assert_eq!(http.get("/v2/images").expect(200).json()["images"], json!([]));
}

#[test]
fn v1_takes_data_of_unknown_length() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = setup(&certificates).start();
    let http = Http2::connect(&gander, &certificates, WINDOW);
    let headers: Vec<_> = minimal_headers("image1").map(|(name, value)| (name.to_lowercase(), value)).to_vec();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, *value)).collect();
    let data = noise(2, 3_000_000);
    let image = http.put("POST", "/v1/images", &headers, &data).expect(201).json();
    let image = &image["image"];
    assert_eq!((&image["status"], &image["size"]), (&json!("active"), &json!(3_000_000)));
    assert!(http.get(&format!("/v1/images/{}", image["id"].as_str().unwrap())).expect(200).body == data);
}

#[test]
fn downloads_share_a_connection_each_at_its_own_pace() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = setup(&certificates).start();
    let images: Vec<_> = (0..8).map(|n| noise(n, 3_000_000 + n as usize)).collect();
    let ids: Vec<_> = images.iter().map(|data| gander.client().add("Image1", data)).collect();
    let http = Http2::connect(&gander, &certificates, 32 * WINDOW);
    let open = |id: &String| http.open("GET", &format!("/v1/images/{id}"), &[]).unwrap();
    let mut coming: Vec<_> = ids.iter().map(open).collect();
    let mut bodies = vec![Vec::new(); images.len()];
    for turn in 0.. {
        let ended = coming.iter_mut().zip(&mut bodies).enumerate().filter_map(|(n, (coming, body))| {
            // Some are read more often than others.
            if turn % (n + 1) != 0 {
                return Some(false);
            }
            http.read(coming).map(|block| body.extend_from_slice(&block.unwrap())).map(|()| false)
        });
        if ended.count() == 0 {
            break;
        }
    }
    assert!(bodies == images);
}

#[test]
fn a_download_that_breaks_off_ends_its_stream_and_no_other() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").start();
    let origin = Origin::serving(&noise(3, 3_000_000));
    let path = remote(&gander, &origin);
    let id = gander.client().add("Image2", &noise(4, 8_000_000));
    origin.set(Behaviour::CutAfter(1_000_000));
    let http = Http2::connect(&gander, &certificates, 16 * WINDOW);
    let other = http.open("GET", &format!("/v1/images/{id}"), &[]).unwrap();
    let mut coming = http.open("GET", &path, &[]).unwrap();
    let mut taken = 0;
    let error = loop {
        match http.read(&mut coming).unwrap() {
            Ok(block) => taken += block.len(),
            Err(error) => break error,
        }
    };
    assert!(error.is_reset() && error.is_remote() && taken <= 1_000_000, "{error} {taken}");
    assert!(http.finish(other).body == noise(4, 8_000_000));
}

#[test]
fn a_refusal_reaches_a_client_that_sends_everything_first() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").start();
    // It has its data already.
    let path = format!("/v1/images/{}", gander.client().add_image("Image1"));
    let http = Http2::connect(&gander, &certificates, WINDOW);
    let data = noise(5, 8_000_000);
    let (answer, mut body) = http.begin("PUT", &path, &DATA, false).unwrap();
    http.send(&mut body, &data, true).unwrap();
    assert_eq!(
        http.finish(http.head(answer).unwrap()).expect(409).header("content-type"),
        Some("text/plain; charset=UTF-8")
    );
    http.get("/v1/images").expect(200);
    if !there_is_curl() {
        return;
    }
    // Curl forgets the answer to what it is told not to send on.
    let file = gander.path("data");
    fs::write(&file, &data).unwrap();
    let (file, url) = (format!("@{}", file.display()), format!("https://127.0.0.1:{}{path}", gander.port()));
    let words = ["--request", "PUT", "--header", "content-type: application/octet-stream", "--data-binary", &file];
    let told = curl(
        &certificates,
        &[&words[..], &["--output", "/dev/null", "--write-out", "%{http_version} %{http_code}", &url]].concat(),
    );
    assert_eq!((told.code, told.stdout.as_str()), (Some(0), "2 409"), "{told:?}");
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").start();
    let id = gander.client().reserve("Image1", &[]);
    let http = Http2::connect(&gander, &certificates, WINDOW);
    let (_answer, mut body) = http.begin("PUT", &format!("/v1/images/{id}"), &DATA, false).unwrap();
    http.send(&mut body, &noise(6, 300_000), false).unwrap();
    eventually("the upload has begun", LIMIT, || gander.client().meta(&id, "status").as_deref() == Some("saving"));
    body.send_reset(Reason::CANCEL);
    eventually("the upload is given up", LIMIT, || gander.client().meta(&id, "status").as_deref() == Some("killed"));
    assert!(entries(&gander.path("images")).is_empty());
    http.get("/v1/images").expect(200);
}

#[test]
fn who_leaves_in_the_middle_does_not_stop_the_fill() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = setup(&certificates).start();
    let data = noise(7, 20_000_000);
    let id = gander.client().add("Image1", &data);
    let http = Http2::connect(&gander, &certificates, 1000);
    let coming = http.open("GET", &format!("/v1/images/{id}"), &[]).unwrap();
    drop(coming);
    eventually("the image is cached", LIMIT, || gander.client().cached().iter().any(|(cached, _)| *cached == id));
    drop(http);
    assert!(gander.client().download(&id) == data);
}

#[test]
fn what_a_cached_file_has_lost_comes_from_the_store() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = setup(&certificates).start();
    // One map, of which the client has taken the beginning.
    let data = noise(12, 3_000_000);
    let id = gander.client().add("Image1", &data);
    let http = Http2::connect(&gander, &certificates, 100_000);
    assert!(http.get(&format!("/v1/images/{id}")).body == data);
    let coming = http.open("GET", &format!("/v1/images/{id}"), &[]).unwrap();
    OpenOptions::new().write(true).open(gander.path("cache").join(&id)).unwrap().set_len(1_500_000).unwrap();
    let answer = http.finish(coming);
    assert!(answer.complete && answer.body == data);
}

#[test]
fn who_is_idle_is_cut() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").set("client_socket_timeout", 1).start();
    let idle = Http2::connect(&gander, &certificates, WINDOW);
    idle.get("/v1/images").expect(200);
    eventually("it is cut", LIMIT, || gander.log().contains("nothing moved for 1 seconds"));
    assert!(idle.open("GET", "/v1/images", &[]).is_err());
}

#[test]
fn a_download_of_which_nothing_is_taken_is_cut_and_no_other() {
    let Some(certificates) = Certificates::make() else { return };
    // Of many frames, and of one.
    for (size, window) in [(1_000_000, 1000), (10_000, 1)] {
        let gander = Setup::api("").tls(&certificates, "good").set("client_socket_timeout", 1).start();
        let id = gander.client().add("Image1", &noise(8, size));
        // Its window is full, and never opened.
        let http = Http2::connect(&gander, &certificates, window);
        let mut stalled = http.open("GET", &format!("/v1/images/{id}"), &[]).unwrap();
        // The connection is not idle meanwhile.
        eventually("it is cut", LIMIT, || {
            http.get("/v1/images").expect(200);
            gander.log().contains("a stream is cut: nothing moved for 1 seconds")
        });
        let error = loop {
            if let Err(error) = http.read(&mut stalled).unwrap() {
                break error;
            }
        };
        assert!(error.is_reset() && error.is_remote(), "{error}");
        http.get("/v1/images").expect(200);
    }
}

#[test]
fn who_is_slow_or_kept_waiting_is_not_cut() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").set("client_socket_timeout", 1).start();
    let data = noise(9, 2_000_000);
    let id = gander.client().add("Image1", &data);
    let path = format!("/v1/images/{id}");
    let http = Http2::connect(&gander, &certificates, 100_000);
    let mut coming = http.open("GET", &path, &[]).unwrap();
    let started = Instant::now();
    let mut body = Vec::new();
    while let Some(block) = http.read(&mut coming) {
        body.extend_from_slice(&block.unwrap());
        // Longer than the timeout in all, shorter at a time.
        if started.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(200));
        }
    }
    assert!(body == data);

    // Who has a slow link takes some of it all the time, but says so only now and then.
    let link = slow_link(gander.port(), Duration::from_millis(250));
    let answer = Http2::connect_by(link, &certificates, WINDOW).get(&path).expect(200);
    assert!(answer.complete && answer.body == data);

    // Where it is the server who has nothing to send, be it the head or the rest of an answer.
    let http = Http2::connect(&gander, &certificates, WINDOW);
    for behaviour in [Behaviour::Stall, Behaviour::PauseAfter(500_000)] {
        let origin = Origin::serving(&data);
        let path = remote(&gander, &origin);
        origin.set(behaviour);
        let (answer, _) = http.begin("GET", &path, &[], true).unwrap();
        thread::sleep(Duration::from_millis(2500));
        origin.set(Behaviour::Serve);
        assert!(http.finish(http.head(answer).unwrap()).body == data, "{behaviour:?}");
    }
}

#[test]
fn an_upload_that_falls_silent_is_cut_and_its_connection_is_not() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").set("client_socket_timeout", 1).start();
    let id = gander.client().reserve("Image1", &[]);
    let http = Http2::connect(&gander, &certificates, WINDOW);
    let (answer, mut body) = http.begin("PUT", &format!("/v1/images/{id}"), &DATA, false).unwrap();
    http.send(&mut body, b"x", false).unwrap();
    http.finish(http.head(answer).unwrap()).expect(400);
    assert_eq!(http.ask("HEAD", &format!("/v1/images/{id}"), &[]).header("x-image-meta-status"), Some("killed"));
}

#[test]
fn what_is_too_much_is_refused() {
    let Some(certificates) = Certificates::make() else { return };
    let setup = Setup::api("").tls(&certificates, "good").set("max_concurrent_streams", 2);
    let gander = setup.set("max_header_line", 2048).start();
    let id = gander.client().add("Image1", &noise(10, LARGE));
    let http = Http2::connect(&gander, &certificates, 1000);
    http.get("/v1/images").expect(200);
    assert_eq!(http.most_streams(), 2);
    // The third waits until there is room for it.
    let mut running: Vec<_> = (0..2).map(|_| http.open("GET", &format!("/v1/images/{id}"), &[]).unwrap()).collect();
    let (third, _) = http.begin("GET", "/v1/images", &[], true).unwrap();
    running.pop();
    assert_eq!(http.head(third).unwrap().head.status, 200);
    drop(running);
    // Headers of four lines of the greatest length.
    let long = "x".repeat(9000);
    match http.open("GET", "/v1/images", &[("x-image-meta-property-long", &long)]) {
        Ok(coming) => assert_eq!(coming.head.status, 431),
        Err(error) => assert!(error.is_reset(), "{error}"),
    }
    http.get("/v1/images").expect(200);
}

/// Begins to speak HTTP/2 without listening.
fn monologue(gander: &Gander, certificates: &Certificates) -> Box<dyn Wire> {
    let mut wire = gander.client().over_tls(&certificates.client(&["h2"], None)).dial().unwrap();
    wire.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    wire
}

const PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0pingping";

#[test]
fn a_stop_does_not_wait_for_who_has_nothing_under_way() {
    let Some(certificates) = Certificates::make() else { return };
    let mut gander = Setup::api("").tls(&certificates, "good").start();
    // One answers nothing, one talks without listening.
    let deaf = Http2::deaf(&gander, &certificates);
    let mut talking = monologue(&gander, &certificates);
    let talk = thread::spawn(move || {
        while talking.write_all(PING).is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let started = Instant::now();
    assert!(gander.end(Signal::HUP).success());
    // The grace is 60 seconds.
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    talk.join().unwrap();
    drop(deaf);
}

#[test]
fn a_stop_waits_for_what_a_client_makes_no_room_for_yet() {
    let Some(certificates) = Certificates::make() else { return };
    // What is left fits into a frame, or does not.
    for size in [64_000, 80_000] {
        let mut gander = Setup::api("").tls(&certificates, "good").start();
        let id = gander.client().add("Image1", &noise(13, size));
        let http = Http2::connect(&gander, &certificates, 50_000);
        let coming = http.open("GET", &format!("/v1/images/{id}"), &[]).unwrap();
        gander.signal(Signal::HUP);
        eventually("the server is stopping", LIMIT, || gander.log().contains("SIGHUP received"));
        // Longer than who has nothing under way is given.
        thread::sleep(Duration::from_secs(5));
        assert!(http.finish(coming).body == noise(13, size), "{size}");
        drop(http);
        assert!(gander.end(Signal::TERM).success());
    }
}

#[test]
fn who_broke_the_rules_is_not_listened_to_for_long() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").start();
    let mut wire = monologue(&gander, &certificates);
    // Data of a request that there is not.
    wire.write_all(b"\0\0\x01\0\0\0\0\0\x01x").unwrap();
    eventually("it is closed", LIMIT, || {
        thread::sleep(Duration::from_millis(100));
        wire.write_all(PING).is_err()
    });
}

#[test]
fn a_stop_lets_streams_finish_and_takes_no_new_ones() {
    let Some(certificates) = Certificates::make() else { return };
    let mut gander = Setup::api("").tls(&certificates, "good").start();
    let data = noise(11, 8_000_000);
    let id = gander.client().add("Image1", &data);
    let path = format!("/v1/images/{id}");
    let http = Http2::connect(&gander, &certificates, WINDOW);
    let idle = Http2::connect(&gander, &certificates, WINDOW);
    idle.get("/v1/images").expect(200);
    let coming = http.open("GET", &path, &[]).unwrap();
    gander.signal(Signal::HUP);
    eventually("the server is stopping", LIMIT, || gander.log().contains("SIGHUP received"));
    eventually("no more is taken", LIMIT, || http.open("GET", "/v1/images", &[]).is_err());
    assert!(http.finish(coming).body == data);
    let started = Instant::now();
    assert!(gander.end(Signal::TERM).success());
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());

    // Who takes the last by a slow link talks meanwhile.
    gander.start_again();
    let link = slow_link(gander.port(), Duration::from_millis(25));
    let http = Http2::connect_by(link, &certificates, WINDOW);
    let coming = http.open("GET", &path, &[]).unwrap();
    gander.signal(Signal::HUP);
    assert!(http.finish(coming).body == data);
    let started = Instant::now();
    drop(http);
    assert!(gander.end(Signal::TERM).success());
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());

    // And one that nobody reads is cut when the time is over.
    gander.configure("graceful_shutdown_timeout", 1);
    gander.start_again();
    let http = Http2::connect(&gander, &certificates, 1000);
    let coming = http.open("GET", &path, &[]).unwrap();
    let started = Instant::now();
    assert!(gander.end(Signal::TERM).success());
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    assert!(!http.finish(coming).complete);
}

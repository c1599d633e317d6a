//! Serving TLS (v1-system §2): who is let in, and that what holds without it holds with it.

use std::fs::{self, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::slow_clients::LARGE;
use crate::harness::{
    Behaviour, Certificates, Client, Gander, Origin, Outcome, Setup, entries, eventually, execute, five_kb, md5,
    minimal_headers, noise, read_response, run, skipped,
};

const LIMIT: Duration = Duration::from_secs(20);

/// A server with cache, behind TLS.
fn caching(certificates: &Certificates) -> Gander {
    Setup::api("cachemanagement").tls(certificates, "good").start()
}

/// Whether there is a curl on this machine; that there is none is told.
pub(super) fn there_is_curl() -> bool {
    let there = Command::new("curl").arg("--version").output().is_ok();
    if !there {
        skipped("no curl");
    }
    there
}

/// What curl says with these words and the authority's certificate.
pub(super) fn curl(certificates: &Certificates, words: &[&str]) -> Outcome {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--cacert"]).arg(certificates.file("ca.pem")).args(words);
    run(&mut curl)
}

fn location(gander: &Gander, path: &str) -> String {
    format!("https://127.0.0.1:{}{path}", gander.port())
}

#[test]
fn an_image_lives_behind_tls_as_it_does_without() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = caching(&certificates);
    let http = gander.client();
    let data = noise(1, 9_000_001);
    let id = http.add("Image1", &data);
    let path = format!("/v1/images/{id}");
    for verdict in ["a miss", "a hit"] {
        assert!(http.download(&id) == data, "{verdict}");
        let part = http.request("GET", &path).header("Range", "bytes=100-8999999").send().expect(206);
        assert!(part.body == data[100..9_000_000] && part.complete, "{verdict}");
        assert_eq!(http.head(&path).expect(200).header("x-image-meta-size"), Some("9000001"));
    }
    assert_eq!(http.cached(), [(id, 1)]);
    // Nothing of it could the kernel send.
    assert!(!gander.log().contains("sendfile calls"));
    http.delete(&path).expect(200);
    http.get(&path).expect(404);
}

#[test]
fn one_connection_serves_several_requests_also_those_sent_ahead() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = caching(&certificates);
    let http = gander.client();
    let data = noise(2, 1_000_000);
    let id = http.add("Image1", &data);
    let ask = |method: &str| {
        let head = http.request(method, &format!("/v1/images/{id}")).head_bytes();
        String::from_utf8(head).unwrap().replace("Connection: close\r\n", "")
    };
    let mut wire = http.dial().unwrap();
    wire.write_all([ask("GET"), ask("HEAD"), ask("GET")].concat().as_bytes()).unwrap();
    let mut reader = BufReader::new(wire);
    for method in ["GET", "HEAD", "GET"] {
        let answer = read_response(&mut reader, method == "HEAD").unwrap().expect(200);
        assert!(method == "HEAD" || answer.body == data);
    }
    // Data that is sent only when it is asked for, and in chunks.
    let queued = http.reserve("Image2", &[]);
    let put = http.put(&format!("/v1/images/{queued}")).header("Content-Type", "application/octet-stream");
    let head = put.headers(&[("Transfer-Encoding", "chunked"), ("Expect", "100-continue")]).head_bytes();
    reader.get_mut().write_all(&head).unwrap();
    let mut go_on = [0; 25];
    reader.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    reader.get_mut().write_all(b"3\r\nabc\r\n0\r\n\r\n").unwrap();
    read_response(&mut reader, false).unwrap().expect(200);
    assert_eq!(http.download(&queued), b"abc");
}

#[test]
fn links_begin_with_https() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").start();
    let http = gander.client();
    let versions = http.get("/").expect(300).json();
    assert_eq!(versions["versions"][0]["links"][0]["href"], location(&gander, "/v2/"));
    let image = http.post("/v1/images").headers(&minimal_headers("Image1")).body(five_kb()).send().expect(201);
    let id = image.json()["image"]["id"].as_str().unwrap().to_owned();
    assert_eq!(image.header("location"), Some(&*location(&gander, &format!("/v1/images/{id}"))));
    let image = http.post("/v2/images").json(&serde_json::json!({"name": "Image2"})).send().expect(201);
    let id = image.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(image.header("location"), Some(&*location(&gander, &format!("/v2/images/{id}"))));
}

#[test]
fn clients_that_check_take_the_good_certificate_and_no_other() {
    let Some(certificates) = Certificates::make().filter(|_| there_is_curl()) else { return };
    // What curl says of each; of a certificate of version 1 it takes the name from the subject, as all did in 2012.
    for (name, code) in [("good", 0), ("other-name", 60), ("self-signed", 60), ("version-1", 0)] {
        let gander = Setup::api("").tls(&certificates, name).start();
        // Signed with SHA-1.
        let words = ["--ciphers", "DEFAULT@SECLEVEL=0", &location(&gander, "/v1/images")];
        let outcome = curl(&certificates, &words);
        assert_eq!(outcome.code, Some(code), "{name}: {outcome:?}");
        assert!(code != 0 || outcome.stdout == r#"{"images": []}"#, "{name}: {outcome:?}");
        let unchecked = curl(&certificates, &["--insecure", &location(&gander, "/v1/images")]);
        assert_eq!(unchecked.stdout, r#"{"images": []}"#, "{name}: {unchecked:?}");
    }
}

#[test]
fn old_and_new_versions_of_tls_are_spoken_and_none_older() {
    let Some(certificates) = Certificates::make().filter(|_| there_is_curl()) else { return };
    let gander = Setup::api("").tls(&certificates, "good").start();
    for (version, spoken) in [("1.1", false), ("1.2", true), ("1.3", true)] {
        let only = format!("--tlsv{version}");
        let words = [&only, "--tls-max", version, "--ciphers", "DEFAULT@SECLEVEL=0", &location(&gander, "/v1/images")];
        let outcome = curl(&certificates, &words);
        assert_eq!(outcome.code == Some(0), spoken, "{version}: {outcome:?}");
    }
}

#[test]
fn with_ca_file_clients_must_prove_who_they_are() {
    let Some(certificates) = Certificates::make() else { return };
    let setup = Setup::api("").tls(&certificates, "good");
    let gander = setup.set("ca_file", certificates.file("ca.pem").display()).start();
    let showing = |name| gander.client().over_tls(&certificates.client(&[], name));
    showing(Some("client")).get("/v1/images").expect(200);
    for refused in [None, Some("foreign-client")] {
        assert!(showing(refused).request("GET", "/v1/images").try_send().is_err(), "{refused:?}");
    }
}

#[test]
fn files_that_cannot_be_used_keep_the_server_from_starting() {
    let Some(certificates) = Certificates::make() else { return };
    let at = |name: &str| certificates.file(name).display().to_string();
    fs::write(certificates.file("none.pem"), "no certificate\n").unwrap();
    fs::write(certificates.file("bad.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let locked = ["pkey", "-aes256", "-passout", "pass:secret", "-in", &at("good.key"), "-out", &at("locked.key")];
    assert_eq!(run(Command::new("openssl").args(locked)).code, Some(0));
    for (cert, key, ca, told) in [
        ("gone.pem", "good.key", "ca.pem", ["cert_file", "gone.pem: No such file"]),
        ("none.pem", "good.key", "ca.pem", ["cert_file", "none.pem: no certificate in it"]),
        ("bad.pem", "good.key", "ca.pem", ["cert_file", "bad.pem: "]),
        ("good.key", "good.key", "ca.pem", ["cert_file", "good.key: no certificate in it"]),
        ("good.pem", "gone.key", "ca.pem", ["key_file", "gone.key: No such file"]),
        ("good.pem", "good.pem", "ca.pem", ["key_file", "good.pem: no key in it"]),
        ("good.pem", "locked.key", "ca.pem", ["key_file", "locked.key: no key in it, or an encrypted one"]),
        ("good.pem", "client.key", "ca.pem", ["key_file", "client.key: it is not the key of "]),
        ("version-1.pem", "client.key", "ca.pem", ["key_file", "client.key: it is not the key of "]),
        ("good.pem", "good.key", "gone.pem", ["ca_file", "gone.pem: No such file"]),
        ("good.pem", "good.key", "none.pem", ["ca_file", "none.pem: no certificate in it"]),
        ("good.pem", "good.key", "bad.pem", ["ca_file", "bad.pem: "]),
    ] {
        let setup = Setup::api("").set("cert_file", at(cert)).set("key_file", at(key)).set("ca_file", at(ca));
        let outcome = setup.run_to_end();
        assert_eq!(outcome.code, Some(1), "{cert} {key} {ca}: {outcome:?}");
        assert!(told.iter().all(|word| outcome.stderr.contains(word)), "{cert} {key} {ca}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    }
}

#[test]
fn without_a_certificate_ca_file_keeps_the_server_from_starting() {
    let outcome = Setup::api("").set("ca_file", "/etc/ca.pem").run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("ca_file: is for TLS, which needs cert_file and key_file"), "{}", outcome.stderr);
}

#[test]
fn who_does_not_speak_tls_is_turned_away_and_hinders_nobody() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").start();
    let plain = Client::new("127.0.0.1", gander.port());
    plain.request("GET", "/v1/images").try_send().unwrap_err();
    let mut noise_maker = plain.connect();
    noise_maker.write_all(&noise(3, 100_000)).ok();
    let _silent = plain.connect();
    gander.client().get("/v1/images").expect(200);
}

#[test]
fn who_says_nothing_is_cut_before_and_after_tls_is_agreed_on() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").set("client_socket_timeout", 1).start();
    let started = Instant::now();
    let mut silent = gander.client().connect();
    assert_eq!(silent.read(&mut [0]).unwrap_or(0), 0);
    let mut idle = gander.client().dial().unwrap();
    idle.flush().unwrap();
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest);
    assert!(rest.is_empty());
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
}

#[test]
fn who_takes_nothing_is_cut_and_who_is_slow_is_not() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").set("client_socket_timeout", 1).start();
    let http = gander.client();
    let id = http.add("Image1", &vec![b'x'; LARGE]);
    let path = format!("/v1/images/{id}");
    let stalled = http.request("GET", &path).open();
    eventually("the server has given up", LIMIT, || gander.log().contains("nothing moved for 1 seconds"));
    assert!(!stalled.finish().complete);

    let mut slow = http.request("GET", &path).open();
    let started = Instant::now();
    // Longer than the timeout in all, shorter at a time.
    while started.elapsed() < Duration::from_secs(3) {
        slow.take(LARGE / 40);
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(slow.finish().complete);
}

#[test]
fn a_download_that_breaks_off_does_not_look_complete() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = Setup::api("").tls(&certificates, "good").start();
    let http = gander.client();
    let origin = Origin::serving(&noise(4, 3_000_000));
    let location = origin.url("/images/1");
    let image = http.post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    let image = image.header("X-Image-Meta-Location", &location).send().expect(201).json();
    origin.set(Behaviour::CutAfter(1_000_000));
    let path = format!("/v1/images/{}", image["image"]["id"].as_str().unwrap());
    let answer = http.get(&path).expect(200);
    assert!(!answer.complete && answer.body.len() <= 1_000_000, "{}", answer.body.len());
}

#[test]
fn what_a_cached_file_has_lost_comes_from_the_store() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = caching(&certificates);
    let http = gander.client();
    let data = noise(5, LARGE);
    let id = http.add("Image1", &data);
    assert!(http.download(&id) == data);
    let reading = http.request("GET", &format!("/v1/images/{id}")).open();
    // Far behind what is on its way already.
    let entry = OpenOptions::new().write(true).open(gander.path("cache").join(&id)).unwrap();
    entry.set_len(LARGE as u64 - 3_000_000).unwrap();
    let answer = reading.finish();
    assert!(answer.complete && md5(&answer.body) == md5(&data));
    // It is no entry any more.
    assert!(!entries(&gander.path("cache")).contains(&gander.path("cache").join(&id)));
}

#[test]
fn a_stop_waits_for_a_download_but_not_for_who_has_not_begun() {
    let Some(certificates) = Certificates::make() else { return };
    let mut gander = Setup::api("").tls(&certificates, "good").start();
    let http = gander.client();
    let data = noise(6, LARGE);
    let id = http.add("Image1", &data);
    let mut reading = http.request("GET", &format!("/v1/images/{id}")).open();
    reading.take(1000);
    gander.signal(Signal::HUP);
    eventually("the server is stopping", LIMIT, || gander.log().contains("SIGHUP received"));
    assert!(reading.finish().body == data);
    assert!(gander.end(Signal::HUP).success());

    gander.start_again();
    let _silent = gander.client().connect();
    let _idle = gander.client().dial().unwrap();
    gander.client().get("/v1/images").expect(200);
    let started = Instant::now();
    assert!(gander.end(Signal::HUP).success());
    // The grace is 60 seconds.
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
}

#[test]
fn a_registry_serves_tls_as_well() {
    let Some(certificates) = Certificates::make() else { return };
    let registry = Setup::registry().tls(&certificates, "good").start();
    let api = Setup::api("").unset("sql_connection").set("registry_host", "127.0.0.1");
    let api = api.set("registry_port", registry.port()).set("registry_client_protocol", "https");
    let api = api.set("registry_client_ca_file", certificates.file("ca.pem").display()).start();
    let id = api.client().add_image("Image1");
    assert_eq!(registry.client().get(&format!("/images/{id}")).expect(200).json()["image"]["name"], "Image1");
    assert_eq!(api.client().download(&id), five_kb());
}

#[test]
fn the_cache_is_managed_behind_tls() {
    let Some(certificates) = Certificates::make() else { return };
    let gander = caching(&certificates);
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    let list = format!("glance-cache-manage --host=https://127.0.0.1 --port={} --insecure list-cached", gander.port());
    let outcome = execute(&list);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains(&id), "{outcome:?}");
}

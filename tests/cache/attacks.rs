//! Hazards of security §2 that no other file here proves.

use std::fs;
use std::io::{BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use super::crashes::forget_records;
use crate::harness::{Behaviour, Gander, Origin, Setup, TRUSTED_CACHING, five_kb, names, noise, read_response};

/// Security C1: each rule that guards a download is asked on hits as on misses, before the first byte.
#[test]
fn a_denied_download_is_denied_alike_hit_or_miss() {
    let gander = Setup::api("").paste(TRUSTED_CACHING).start();
    let http = gander.client().acting_as("u1", "t1", "Member");
    let (warm, cold) = (http.add_image("Image1"), http.add_image("Image2"));
    http.download(&warm);
    for rule in ["get_image", "download_image"] {
        gander.set_policy(&format!(r#"{{"default": [], "{rule}": [["role:nobody"]]}}"#));
        for range in ["bytes=0-", "bytes=0-4"] {
            let ask = |id: &str| http.request("GET", &format!("/v1/images/{id}")).header("Range", range).send();
            let (hit, miss) = (ask(&warm).expect(403), ask(&cold).expect(403));
            assert_eq!(hit.body, miss.body, "{rule}");
            assert!(!hit.text().contains("****"));
        }
    }
    assert_eq!(names(&gander.path("cache")), [warm]);
}

/// Security C8: only what is active is served, whatever lies in the cache.
#[test]
fn an_image_that_is_not_active_is_not_served_from_a_planted_entry() {
    let gander = Setup::api("cachemanagement").set("delayed_delete", "True").start();
    let http = gander.client();
    let queued = http.reserve("queued", &[]);
    let pending = http.add_image("pending_delete");
    http.delete(&format!("/v1/images/{pending}")).expect(200);
    let killed = http.reserve("killed", &[]);
    http.put(&format!("/v1/images/{killed}")).header("X-Image-Meta-Checksum", "0").data(five_kb()).send().expect(400);
    let saving = http.reserve("saving", &[]);
    let mut uploading = http.connect();
    let upload = http.put(&format!("/v1/images/{saving}")).header("Content-Type", "application/octet-stream");
    uploading.write_all(&upload.header("Content-Length", "5120").head_bytes()).unwrap();
    uploading.write_all(b"*****").unwrap();
    for id in [&queued, &pending, &killed, &saving] {
        fs::write(gander.path("cache").join(id), five_kb()).unwrap();
        for range in ["bytes=0-4", "bytes=0-"] {
            let answer = http.request("GET", &format!("/v1/images/{id}")).header("Range", range).send();
            assert_eq!(answer.status, 404, "{}", answer.text());
        }
        http.get(&format!("/v1/images/{id}")).expect(404);
    }
}

/// Security C9: who may not manage the cache neither fills it nor learns what is in it.
#[test]
fn who_may_not_manage_the_cache_does_not_queue() {
    let gander = Setup::api("").paste(TRUSTED_CACHING);
    gander.policy(r#"{"default": [], "manage_image_cache": [["role:admin"]]}"#);
    let gander = gander.start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let other = gander.client().acting_as("u2", "t2", "Member");
    let id = owner.add_private("Image1");
    owner.download(&id);
    for (method, path) in [
        ("PUT", format!("/v1/queued_images/{id}")),
        ("GET", "/v1/queued_images".to_owned()),
        ("GET", "/v1/cached_images".to_owned()),
        ("DELETE", format!("/v1/cached_images/{id}")),
        ("DELETE", "/v1/cached_images".to_owned()),
    ] {
        let answer = other.request(method, &path).send().expect(403);
        assert!(!answer.text().contains(&id), "{method} {path}");
    }
    assert_eq!(names(&gander.path("cache")), [id]);
    assert!(names(&gander.path("cache/queue")).is_empty());
}

/// Security C11: only a regular file is an entry, and what else lies there is no reason to fail or to wait.
#[test]
fn what_is_planted_in_the_directory_is_not_served() {
    let gander = Gander::caching();
    let http = gander.client();
    let canary = gander.path("canary");
    fs::write(&canary, vec![b'!'; 5120]).unwrap();
    let plant = |what, path: &Path| match what {
        "a link" => symlink(&canary, path).unwrap(),
        "a link to nowhere" => symlink("/nonexistent", path).unwrap(),
        "a pipe" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        _ => fs::create_dir(path).unwrap(),
    };
    for place in ["cache", "cache/incomplete"] {
        for what in ["a link", "a link to nowhere", "a pipe", "a directory"] {
            let id = http.add_image("Image1");
            plant(what, &gander.path(place).join(&id));
            for _ in 0..2 {
                assert_eq!(http.download(&id), five_kb(), "{what} in {place}");
            }
            let part = http.request("GET", &format!("/v1/images/{id}")).header("Range", "bytes=0-4").send();
            assert_eq!(part.expect(206).body, b"*****", "{what} in {place}");
            http.delete(&format!("/v1/images/{id}")).expect(200);
        }
    }
    assert_eq!(fs::read(canary).unwrap(), vec![b'!'; 5120]);
}

/// Security C11: a huge sparse file is an entry of the wrong size.
#[test]
fn a_huge_sparse_file_is_not_served() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add_image("Image1");
    fs::File::create(gander.path("cache").join(&id)).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(http.download(&id), five_kb());
    assert_eq!(fs::metadata(gander.path("cache").join(&id)).unwrap().len(), 5120);
}

/// Security C11: a cache that everybody can poison is not used, neither read nor filled, and the operator is told.
#[test]
fn a_directory_that_everybody_may_write_is_not_used() {
    for dir in ["cache", "cache/incomplete"] {
        let setup = Setup::api("cachemanagement");
        fs::create_dir_all(setup.path(dir)).unwrap();
        fs::set_permissions(setup.path(dir), fs::Permissions::from_mode(0o777)).unwrap();
        let gander = setup.start();
        let id = gander.client().add_image("Image1");
        fs::write(gander.path("cache").join(&id), vec![b'!'; 5120]).unwrap();
        assert_eq!(gander.client().download(&id), five_kb());
        assert_eq!(gander.verdicts(&id), ["disabled"]);
        let log = gander.log();
        assert!(log.lines().any(|line| line.contains("cache") && line.contains("everybody")), "{log}");
    }
}

/// Security C11.
#[test]
fn what_the_cache_makes_is_its_owners_only() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    let mode = |name: &str| fs::metadata(gander.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&format!("cache/{id}")), 0o600);
    for dir in ["cache", "cache/incomplete", "cache/invalid", "cache/queue"] {
        assert_eq!(mode(dir), 0o700, "{dir}");
    }
}

/// Security C16: however an image is asked for, it is one entry and the same bytes.
#[test]
fn variants_of_a_request_are_one_entry() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(1, 10_000);
    let id = http.add("Image1", &data);
    let path = format!("/v1/images/{id}");
    for (name, value) in [
        ("Accept-Encoding", "gzip, deflate, br"),
        ("If-None-Match", "\"abc\""),
        ("If-Modified-Since", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("Cache-Control", "no-cache"),
        ("TE", "trailers"),
    ] {
        let answer = http.request("GET", &path).header(name, value).send().expect(200);
        assert!(answer.complete && answer.body == data, "{name}");
        assert!(answer.header("content-encoding").is_none());
    }
    for query in ["?prefer=store2", "?x=../../y", "?Range=bytes=0-4", "?%00"] {
        let answer = http.get(&format!("{path}{query}")).expect(200);
        assert!(answer.complete && answer.body == data, "{query}");
    }
    for odd in [format!("{path};x=1"), format!("//v1/images/{id}"), format!("/v1/images//{id}"), format!("{path}%00")] {
        let answer = http.get(&odd);
        assert!(answer.status >= 300 || answer.body == data, "{odd}: {}", answer.status);
    }
    let upper = http.get(&format!("/v1/images/{}", id.to_uppercase()));
    assert!(upper.status == 404 || upper.body == data);
    assert_eq!(gander.settled(), [id]);
}

/// Security C29: the body of a download's request is no second request, and the connection is still in step.
#[test]
fn a_body_of_a_download_is_not_taken_for_a_request() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add_image("Image1");
    http.download(&id);
    let smuggled = format!("DELETE /v1/images/{id} HTTP/1.1\r\nHost: h\r\n\r\n");
    let request = format!(
        "GET /v1/images/{id} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{smuggled}\
         GET /v1/images/{id} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        smuggled.len()
    );
    let mut stream = http.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answers = BufReader::new(stream);
    let first = read_response(&mut answers, false).unwrap().expect(200);
    assert_eq!(first.body, five_kb());
    if let Ok(second) = read_response(&mut answers, false) {
        assert_eq!(second.expect(200).body, five_kb());
    }
    assert_eq!(http.download(&id), five_kb());
}

/// Security C30: nothing of a deleted image stays on the disk of the cache, under no name.
#[test]
fn a_deleted_image_leaves_no_bytes_in_the_directory() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(2, 5000);
    let ids = [http.add("Image1", &data), http.add("Image2", &data)];
    for id in &ids {
        http.download(id);
        http.put(&format!("/v1/queued_images/{id}")).send().expect(200);
    }
    http.delete(&format!("/v1/images/{}", ids[0])).expect(200);
    http.delete("/v1/cached_images").expect(200);
    for dir in ["cache", "cache/incomplete", "cache/invalid"] {
        assert!(names(&gander.path(dir)).is_empty(), "{dir}");
    }
}

/// Security C33: a clock that was wrong once does not decide who goes for ever.
#[test]
fn times_to_come_do_not_protect_entries_that_nobody_reads() {
    for driver in ["sqlite", "xattr", "centralized_db"] {
        let setup = Setup::api("cachemanagement").index(driver);
        nobody_is_protected(setup.set("image_cache_max_size", 3 * 5120).start());
    }
}

fn nobody_is_protected(mut gander: Gander) {
    let http = gander.client();
    let [old, used] = [http.add_image("Old"), http.add_image("Used")];
    http.download(&old);
    gander.end(rustix::process::Signal::KILL);
    let next_year = fs::FileTimes::new().set_modified(SystemTime::now() + Duration::from_secs(31_536_000));
    let entry = fs::File::options().write(true).open(gander.path("cache").join(&old)).unwrap();
    entry.set_times(next_year.set_accessed(SystemTime::UNIX_EPOCH)).unwrap();
    forget_records(&gander);
    gander.start_again();
    for _ in 0..2 {
        http.download(&used);
    }
    for _ in 0..2 {
        http.download(&http.add_image("Once"));
    }
    assert!(!names(&gander.path("cache")).contains(&old), "the entry that nobody read is the first to go");
    assert!(names(&gander.path("cache")).contains(&used));
}

/// Security C3: rights are asked for again also by who has the image half.
#[test]
fn a_right_withdrawn_during_a_fill_is_gone_for_the_next_part() {
    let gander = Setup::api("").paste(TRUSTED_CACHING).start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let member = gander.client().acting_as("u2", "t2", "Member");
    let data = noise(3, 300_000);
    let origin = Origin::serving(&data);
    let location = origin.url("/images/2");
    let private = [("X-Image-Meta-Location", location.as_str()), ("X-Image-Meta-Is-Public", "False")];
    let id = owner
        .post("/v1/images")
        .header("X-Image-Meta-Name", "Image1")
        .headers(&private)
        .headers(&[("X-Image-Meta-Disk-Format", "raw"), ("X-Image-Meta-Container-Format", "ovf")]);
    let id = id.send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
    owner.put(&format!("/v1/images/{id}/members/t2")).send().expect(204);
    origin.set(Behaviour::PauseAfter(100_000));
    let mut reading = member.request("GET", &format!("/v1/images/{id}")).open();
    reading.take(1000);
    owner.delete(&format!("/v1/images/{id}/members/t2")).expect(204);
    for range in ["bytes=0-9", "bytes=0-"] {
        member.request("GET", &format!("/v1/images/{id}")).header("Range", range).send().expect(404);
    }
    origin.set(Behaviour::Serve);
    let answer = thread::spawn(move || reading.finish()).join().unwrap();
    assert!(answer.complete && answer.body == data, "what was begun with the right is finished");
    member.get(&format!("/v1/images/{id}")).expect(404);
}

/// Security C5: also who deletes an image through another server of this directory ends its fill.
#[test]
fn a_deletion_through_another_server_ends_a_fill() {
    let one = Gander::caching();
    let two =
        Setup::api("cachemanagement").set("image_cache_dir", one.path("cache").display()).on(one.database()).start();
    let data = noise(4, 300_000);
    let origin = Origin::serving(&data);
    for (method, path) in [("DELETE", "cached_images"), ("DELETE", "images")] {
        let id = one.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
        origin.set(Behaviour::PauseAfter(100_000));
        let mut reading = one.client().request("GET", &format!("/v1/images/{id}")).open();
        reading.take(100_000);
        two.client().request(method, &format!("/v1/{path}/{id}")).send().expect(200);
        origin.set(Behaviour::Serve);
        let answer = reading.finish();
        assert!(answer.complete && answer.body == data);
        assert!(one.settled().is_empty(), "{path}");
    }
}

/// Security C13: whatever size was claimed, an answer is as long as it says, and nothing is padded or cut to fit.
#[test]
fn a_claimed_size_makes_no_answer_longer_or_shorter() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(5, 5120);
    let origin = Origin::with_ranges(&data);
    for claimed in ["0", "1", "5119", "5120", "5121", "1000000"] {
        let location = origin.url("/images/2");
        let id = http.reserve("Image1", &[("X-Image-Meta-Location", &location), ("X-Image-Meta-Size", claimed)]);
        for _ in ["part", "miss", "part", "hit"] {
            let get = || http.request("GET", &format!("/v1/images/{id}"));
            for (request, part) in [(get(), &data[..]), (get().header("Range", "bytes=5110-"), &data[5110..])] {
                let Ok(answer) = request.try_send() else { continue };
                let whole = answer.complete && answer.status < 300;
                assert!(!whole || answer.body == part || answer.body == data, "{claimed}: {}", answer.status);
            }
        }
        gander.settled();
    }
}

/// Security C27: for who may not see an image nobody looks into the cache.
#[test]
fn a_stranger_cannot_tell_what_is_cached() {
    let gander = Setup::api("").paste(TRUSTED_CACHING).start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let stranger = gander.client().acting_as("u2", "t2", "Member");
    let (warm, cold) = (owner.add_private("Image1"), owner.add_private("Image2"));
    owner.download(&warm);
    let unknown = "71c675ab-d94f-49cd-a114-e12490b328d9";
    let answers = [&warm, &cold, unknown].map(|id| {
        let answer = stranger.get(&format!("/v1/images/{id}")).expect(404);
        answer.text().replace(id, "ID")
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(gander.verdicts(&warm), ["miss"]);
    assert_eq!(owner.cached(), [(warm, 0)]);
}

//! Wrong bytes never become an entry and never pass for the image (promise P7; security C6, C12, C14).

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::harness::{Client, Gander, Origin, Outcome, Setup, execute, minimal_headers, names, noise, xattr_supported};

/// Inverts one byte in the middle of a file.
fn flip(path: &Path) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let offset = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[!byte[0]], offset).unwrap();
}

fn verify(gander: &Gander) -> Outcome {
    let conf = gander.cache_conf(&[("verbose", "True")]);
    execute(&format!("bin/gander cache --config-file {} verify", conf.display()))
}

#[track_caller]
fn is_cut(http: &Client, id: &str, data: &[u8]) {
    let Ok(answer) = http.request("GET", &format!("/v1/images/{id}")).try_send() else { return };
    let cut = !answer.complete && answer.body.len() < data.len();
    assert!(cut || answer.status >= 500, "{} with {} bytes", answer.status, answer.body.len());
}

/// Security C14.
#[test]
fn wrong_bytes_of_the_store_are_cut_and_not_cached() {
    let gander = Gander::caching();
    let http = gander.client();
    for len in [1, 5000, 300_000] {
        let data = noise(1, len);
        let id = http.add("Image1", &data);
        flip(&gander.path("images").join(&id));
        for _ in 0..2 {
            is_cut(&http, &id, &data);
            assert!(gander.settled().is_empty());
        }
        let log = gander.log();
        let told = log.lines().any(|line| line.contains(&id) && line.contains("digest") && line.contains("ERROR"));
        assert!(told, "an operator is told");
        flip(&gander.path("images").join(&id));
        assert!(http.download(&id) == data);
        assert_eq!(gander.settled(), std::slice::from_ref(&id));
        http.delete(&format!("/v1/images/{id}")).expect(200);
    }
}

/// Security C12, C13.
#[test]
fn an_entry_of_another_size_is_replaced() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(2, 300_000);
    let id = http.add("Image1", &data);
    let entry = gander.path("cache").join(&id);
    assert!(http.download(&id) == data);
    let resize = |len| fs::File::options().write(true).open(&entry).unwrap().set_len(len).unwrap();
    let damage = |what| match what {
        "truncated" => resize(1000),
        "emptied" => resize(0),
        "grown" => resize(300_001),
        _ => {
            fs::write(gander.path("another"), "another file").unwrap();
            fs::rename(gander.path("another"), &entry).unwrap();
        }
    };
    for what in ["truncated", "emptied", "grown", "replaced"] {
        damage(what);
        let part = http.request("GET", &format!("/v1/images/{id}")).header("Range", "bytes=999-1001").send();
        assert!(part.status == 206 && part.body == data[999..1002], "{what}");
        http.download(&id);
        damage(what);
        assert!(http.download(&id) == data, "{what}");
        assert!(fs::read(&entry).unwrap() == data, "{what}");
        assert_eq!(gander.settled(), std::slice::from_ref(&id), "{what}");
    }
}

#[test]
fn verifying_drops_what_is_damaged_and_keeps_what_is_good() {
    let gander = Gander::caching();
    let http = gander.client();
    let ids: Vec<_> = (0..3).map(|seed| http.add(&format!("Image{seed}"), &noise(seed, 600_000))).collect();
    for id in &ids {
        http.download(id);
    }
    let outcome = verify(&gander);
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 1), "{outcome:?}");
    assert!(outcome.stdout.contains("3 good") && outcome.stdout.contains("0 dropped"), "{outcome:?}");

    flip(&gander.path("cache").join(&ids[1]));
    let outcome = verify(&gander);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("2 good") && outcome.stdout.contains("1 dropped"), "{outcome:?}");
    let mut kept = vec![ids[0].clone(), ids[2].clone()];
    kept.sort();
    assert_eq!(gander.settled(), kept);
    assert!(http.download(&ids[1]) == noise(1, 600_000));
    assert!(fs::read_to_string(gander.path("cache.log")).unwrap().contains(&ids[1]));
}

#[test]
fn options_may_follow_the_command() {
    let gander = Gander::caching();
    let conf = gander.cache_conf(&[]);
    let outcome = execute(&format!("bin/gander cache verify --config-file {}", conf.display()));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn verifying_an_empty_cache_is_fine() {
    let gander = Gander::caching();
    let outcome = verify(&gander);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("0 good") && outcome.stdout.contains("0 dropped"), "{outcome:?}");
}

#[test]
fn verifying_drops_what_was_deleted_elsewhere() {
    let here = Gander::caching();
    let there = Setup::api("cachemanagement")
        .on(here.database())
        .set("filesystem_store_datadir", here.path("images").display())
        .start();
    let ids = [here.client().add_image("Image1"), here.client().add_image("Image2")];
    for id in &ids {
        here.client().download(id);
    }
    there.client().delete(&format!("/v1/images/{}", ids[0])).expect(200);
    // Never served (security C4), but still there.
    here.client().get(&format!("/v1/images/{}", ids[0])).expect(404);
    let outcome = verify(&here);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("1 good") && outcome.stdout.contains("1 dropped"), "{outcome:?}");
    assert_eq!(here.settled(), [ids[1].clone()]);
}

#[test]
fn verifying_fails_when_nobody_can_judge() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    let below_a_file = format!("sqlite:///{}", gander.path("server.log/glance.sqlite").display());
    let conf = gander.cache_conf(&[("sql_connection", &below_a_file)]);
    let outcome = execute(&format!("bin/gander cache --config-file {} verify", conf.display()));
    assert!(outcome.code.is_some_and(|code| code != 0), "{outcome:?}");
    assert_eq!(names(&gander.path("cache")), [id]);
}

/// Security C6: one id, two images of one size; the second server finds the entry of the first one's.
#[test]
fn the_entry_of_an_image_that_had_the_same_id_is_not_served() {
    let old = Gander::caching();
    if !xattr_supported(&old.path("")) {
        return;
    }
    let add = |http: &Client, data: &[u8]| {
        let request = http.post("/v1/images").headers(&minimal_headers("Image1"));
        let request = request.header("X-Image-Meta-Id", "71c675ab-d94f-49cd-a114-e12490b328d9");
        request.body(data).send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned()
    };
    let id = add(&old.client(), &noise(1, 50_000));
    assert!(old.client().download(&id) == noise(1, 50_000));
    let new = Setup::api("cachemanagement").set("image_cache_dir", old.path("cache").display()).start();
    assert_eq!(add(&new.client(), &noise(2, 50_000)), id);
    let part = new.client().request("GET", &format!("/v1/images/{id}")).header("Range", "bytes=7-9").send();
    assert_eq!(part.expect(206).body, noise(2, 50_000)[7..10]);
    assert!(new.client().download(&id) == noise(2, 50_000));
    assert!(fs::read(old.path("cache").join(&id)).unwrap() == noise(2, 50_000));
}

/// Security C32: of an image without a checksum the cache knows by itself what its bytes were.
#[test]
fn verifying_needs_no_checksum_of_the_image() {
    let gander = Gander::caching();
    if !xattr_supported(&gander.path("")) {
        return;
    }
    let http = gander.client();
    let origin = Origin::serving(&noise(3, 50_000));
    let ids: Vec<_> =
        (0..2).map(|_| http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))])).collect();
    for id in &ids {
        assert!(http.download(id) == noise(3, 50_000));
    }
    flip(&gander.path("cache").join(&ids[0]));
    let outcome = verify(&gander);
    assert!(outcome.stdout.contains("1 good") && outcome.stdout.contains("1 dropped"), "{outcome:?}");
    assert_eq!(gander.settled(), [ids[1].clone()]);
}

//! What the two drivers leave on disk (v1-cache §2, §6, §7), so that a warm cache survives a change of server.

use std::fs;

use rustix::fs::{XattrFlags, setxattr};

use crate::harness::{Gander, Setup, five_kb, names, sqlite_rows, xattr, xattr_supported};

fn xattr_gander() -> Option<Gander> {
    let setup = Setup::api("cachemanagement").set("image_cache_driver", "xattr");
    xattr_supported(&setup.path("")).then(|| setup.start())
}

#[test]
fn the_directories_are_made_at_the_start() {
    let gander = Gander::caching();
    for dir in ["cache", "cache/incomplete", "cache/invalid", "cache/queue"] {
        assert!(gander.path(dir).is_dir(), "{dir}");
    }
}

#[test]
fn sqlite_keeps_a_row_per_entry() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add_image("Image1");
    http.download(&id);
    let database = gander.path("cache/cache.db");
    let query = "SELECT image_id, CAST(hits AS TEXT), CAST(size AS TEXT), CAST(last_accessed = 0 AS TEXT), \
                 CAST(last_modified > 1330000000 AS TEXT) FROM cached_images";
    assert_eq!(sqlite_rows(&database, query), [format!("{id}|0|5120|1|1")]);
    http.download(&id);
    // Whoever asks for the records has the hits written first.
    assert_eq!(http.cached(), [(id.clone(), 1)]);
    assert_eq!(sqlite_rows(&database, query), [format!("{id}|1|5120|0|1")]);
    http.delete(&format!("/v1/images/{id}")).expect(200);
    assert!(sqlite_rows(&database, query).is_empty());
}

#[test]
fn the_table_has_the_columns_that_are_known() {
    let gander = Gander::caching();
    let columns = "SELECT name, type FROM pragma_table_info('cached_images')";
    let known =
        ["image_id|TEXT", "last_accessed|REAL", "last_modified|REAL", "size|INTEGER", "hits|INTEGER", "checksum|TEXT"];
    assert_eq!(sqlite_rows(&gander.path("cache/cache.db"), columns), known);
}

#[test]
fn the_database_can_have_another_name() {
    let gander = Setup::api("cachemanagement").set("image_cache_sqlite_db", "index.db").start();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert!(gander.path("cache/index.db").is_file());
    assert!(!gander.path("cache/cache.db").exists());
    // The index is not an entry.
    let deleted = gander.client().delete("/v1/cached_images").expect(200).json();
    assert_eq!(deleted["num_deleted"], 1);
    assert!(gander.path("cache/index.db").is_file());
}

#[test]
fn a_record_of_the_sqlite_driver_has_float_times() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    let record = gander.client().get("/v1/cached_images").expect(200).json()["cached_images"][0].clone();
    assert_eq!(record["last_accessed"].as_f64(), Some(0.0));
    assert!(record["last_modified"].as_f64().unwrap() > 1_330_000_000.0);
    assert_eq!(record["size"], 5120);
    gander.client().download(&id);
    let record = gander.client().get("/v1/cached_images").expect(200).json()["cached_images"][0].clone();
    assert!(record["last_accessed"].as_f64().unwrap() > 1_330_000_000.0);
}

#[test]
fn xattr_keeps_the_hits_on_the_file() {
    let Some(gander) = xattr_gander() else { return };
    let id = gander.client().add_image("Image1");
    let file = gander.path("cache").join(&id);
    for hits in 0..3 {
        gander.client().download(&id);
        assert_eq!(gander.client().cached(), [(id.clone(), hits)]);
        assert_eq!(xattr(&file, "user.hits"), Some(hits.to_string()));
    }
    assert!(!gander.path("cache/cache.db").exists());
    assert!(!gander.path("cache/checkme").exists());
}

#[test]
fn a_record_of_the_xattr_driver_has_dates() {
    let Some(gander) = xattr_gander() else { return };
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    let record = gander.client().get("/v1/cached_images").expect(200).json()["cached_images"][0].clone();
    assert_eq!(record["image_id"], id);
    assert_eq!(record["size"], 5120);
    for field in ["last_accessed", "last_modified"] {
        let text = record[field].as_str().unwrap();
        assert!(chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").is_ok(), "{text}");
    }
}

#[test]
fn an_entry_of_another_xattr_server_keeps_its_hits() {
    let Some(gander) = xattr_gander() else { return };
    let id = gander.client().add_image("Image1");
    let file = gander.path("cache").join(&id);
    fs::write(&file, five_kb()).unwrap();
    setxattr(&file, "user.hits", b"41", XattrFlags::empty()).unwrap();
    assert_eq!(gander.client().cached(), [(id.clone(), 41)]);
    gander.client().download(&id);
    assert_eq!(gander.client().cached(), [(id, 42)]);
    assert_eq!(xattr(&file, "user.hits").as_deref(), Some("42"));
}

#[test]
fn the_xattr_driver_can_queue_and_forget() {
    let Some(gander) = xattr_gander() else { return };
    let id = gander.client().add_image("Image1");
    gander.client().put(&format!("/v1/queued_images/{id}")).send().expect(200);
    assert_eq!(names(&gander.path("cache/queue")), [id]);
    assert_eq!(gander.client().delete("/v1/queued_images").expect(200).json()["num_deleted"], 1);
    assert!(names(&gander.path("cache/queue")).is_empty());
}

#[test]
fn an_unknown_driver_is_sqlite() {
    let gander = Setup::api("cachemanagement").set("image_cache_driver", "papyrus").start();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert_eq!(gander.client().cached(), [(id, 0)]);
    assert!(gander.path("cache/cache.db").is_file());
    assert!(gander.log().contains("papyrus"), "{}", gander.log());
}

#[test]
fn the_cache_directory_is_made_with_its_parents() {
    let setup = Setup::api("cachemanagement");
    let deep = setup.path("a/b/c");
    let gander = setup.set("image_cache_dir", deep.display()).start();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert!(deep.join(id).is_file());
}

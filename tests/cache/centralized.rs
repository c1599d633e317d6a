//! The driver whose index is in the service's database (operations §7.2), which nodes have in common.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use testdb::Kind;

use crate::harness::{Client, Gander, Held, Setup, TRUSTED_CACHING, eventually, execute, five_kb, names, sqlite_rows};

const LIMIT: Duration = Duration::from_secs(20);
const ROWS: &str = "SELECT node_reference_url, image_id, hits FROM cached_images JOIN node_reference \
                    ON node_reference.node_reference_id = cached_images.node_reference_id ORDER BY 1, 2";

/// A node that believes who is asking.
fn setup() -> Setup {
    Setup::api("").paste(TRUSTED_CACHING).index("centralized_db")
}

fn admin(node: &Gander) -> Client {
    node.client().acting_as("boss", "p", "admin,member,reader")
}

/// Another node of the same images.
fn beside(one: &Gander) -> Setup {
    setup().on(one.database()).set("filesystem_store_datadir", one.path("images").display())
}

fn name(node: &Gander) -> String {
    format!("http://127.0.0.1:{}", node.port())
}

fn row(node: &Gander, id: &str, hits: u32) -> String {
    format!("{}|{id}|{hits}", name(node))
}

fn cached_by(http: &Client, id: &str) -> Value {
    http.get(&format!("/v2/cache/nodes/{id}")).expect(200).json()
}

/// Neither has the index anything to write but what is asked for.
fn counting(interval: u32) -> Setup {
    setup().set("image_cache_hits_interval", interval)
}

#[test]
fn an_entry_is_a_row_of_its_node() {
    let gander = setup().start();
    let http = admin(&gander);
    assert_eq!(gander.rows("SELECT node_reference_url FROM node_reference"), [name(&gander)]);
    let id = http.add_image("Image1");
    http.download(&id);
    let new = "SELECT image_id, hits, size FROM cached_images WHERE last_accessed = last_modified AND checksum IS NULL";
    assert_eq!(gander.rows(new), [format!("{id}|0|5120")]);
    http.download(&id);
    assert_eq!(http.cached(), [(id.clone(), 1)]);
    assert_eq!(gander.rows(ROWS), [row(&gander, &id, 1)]);
    assert!(!gander.path("cache/cache.db").exists());
    http.delete(&format!("/v1/images/{id}")).expect(200);
    assert!(gander.rows(ROWS).is_empty());
}

#[test]
fn a_record_shows_that_it_is_a_row() {
    let gander = setup().start();
    let http = admin(&gander);
    let id = http.add_image("Image1");
    let before = chrono::Utc::now().timestamp() as f64;
    http.download(&id);
    let number: i64 = gander.rows("SELECT id FROM cached_images")[0].parse().unwrap();
    for path in ["/v2/cache", "/v2/cached_images"] {
        let record = http.get(path).expect(200).json()["cached_images"][0].clone();
        assert_eq!((&record["id"], &record["image_id"]), (&json!(number), &json!(id)));
        assert_eq!((&record["hits"], &record["size"]), (&json!(0), &json!(5120)));
        assert!(record.as_object().unwrap().contains_key("checksum") && record["checksum"].is_null());
        for time in ["last_accessed", "last_modified"] {
            let seconds = record[time].as_f64().unwrap();
            // MySQL rounds to whole seconds.
            assert!((before - 1.0..before + 60.0).contains(&seconds), "{time}: {seconds}");
        }
    }
    let record = http.get("/v1/cached_images").expect(200).json()["cached_images"][0].clone();
    assert!(record["last_accessed"].is_f64() && record.get("id").is_none());
}

/// Glance's of today, where all is there that it needs; without, of 2012.
#[test]
fn it_is_the_default_where_node_and_database_are_known() {
    let gander = Setup::api("cachemanagement").set("worker_self_reference_url", "http://here").start();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert_eq!(gander.rows(ROWS), [format!("http://here|{id}|0")]);
    assert!(!gander.path("cache/cache.db").exists());
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert!(gander.path("cache/cache.db").exists() && gander.rows(ROWS).is_empty());
}

#[test]
fn it_is_refused_where_they_are_not() {
    let long = format!("http://{}", "x".repeat(250));
    for (setup, option) in [
        (setup().unset("worker_self_reference_url"), "worker_self_reference_url must be set for"),
        (setup().unset("sql_connection"), "[database] connection must be set for"),
        (setup().set("worker_self_reference_url", long), "worker_self_reference_url: more than 255 characters"),
    ] {
        let outcome = setup.run_to_end();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.contains(option), "{outcome:?}");
    }
}

#[test]
fn hits_are_seen_at_once_and_written_behind() {
    let mut gander = counting(3600).start();
    let http = admin(&gander);
    let id = http.add_image("Image1");
    for _ in 0..=20 {
        assert_eq!(http.download(&id), five_kb());
    }
    assert_eq!(gander.rows(ROWS), [row(&gander, &id, 0)]);
    assert_eq!(http.cached(), [(id.clone(), 20)]);
    assert_eq!(gander.rows(ROWS), [row(&gander, &id, 20)], "who lists them has them written");
    http.download(&id);
    gander.end(Signal::TERM);
    assert_eq!(gander.rows(ROWS), [row(&gander, &id, 21)]);
    gander.configure("image_cache_hits_interval", 1);
    gander.start_again();
    admin(&gander).download(&id);
    // Nobody asks for them.
    eventually("the hit is written", LIMIT, || gander.rows(ROWS) == [row(&gander, &id, 22)]);
    gander.end(Signal::KILL);
    gander.start_again();
    assert_eq!(admin(&gander).cached(), [(id, 22)]);
}

#[test]
fn nodes_leave_each_others_rows_alone() {
    let one = setup().start();
    let mut two = beside(&one).start();
    let ids = [admin(&one).add_image("Image1"), admin(&one).add_image("Image2")];
    for (node, times) in [(&one, 2), (&two, 4)] {
        for id in &ids {
            (0..times).for_each(|_| assert_eq!(admin(node).download(id), five_kb()));
        }
        assert!(admin(node).cached().iter().all(|(_, hits)| *hits == times - 1));
    }
    assert_eq!(admin(&one).cached().len(), 2);
    let mut both = [name(&one), name(&two)];
    both.sort();
    assert_eq!(cached_by(&admin(&one), &ids[0]), json!(both));
    admin(&one).delete(&format!("/v2/cache/{}", ids[0])).expect(204);
    assert_eq!(cached_by(&admin(&two), &ids[0]), json!([name(&two)]));
    admin(&one).delete("/v2/cache").expect(204);
    assert!(admin(&one).cached().is_empty());
    two.end(Signal::KILL);
    two.start_again();
    assert!(admin(&two).cached().iter().all(|(_, hits)| *hits == 3));
    assert_eq!(cached_by(&admin(&one), &ids[1]), json!([name(&two)]));
    // It is gone everywhere, though this node has not heard of it; its entry is in nobody's way.
    admin(&one).delete(&format!("/v2/images/{}", ids[0])).expect(204);
    admin(&two).get(&format!("/v2/images/{}/file", ids[0])).expect(404);
    assert_eq!(admin(&two).cached().len(), 2);
    admin(&two).delete(&format!("/v2/cache/{}", ids[0])).expect(204);
    assert_eq!(admin(&two).cached(), [(ids[1].clone(), 3)]);
    assert_eq!(one.rows(ROWS), [row(&two, &ids[1], 3)]);
}

#[test]
fn nodes_are_told_of_images_that_are_there() {
    let gander = setup().start();
    let id = admin(&gander).add_image("Image1");
    assert_eq!(cached_by(&admin(&gander), &id), json!([]));
    for unknown in ["71c675ab-d94f-49cd-a114-e12490b328d9", "rubbish"] {
        let text = admin(&gander).get(&format!("/v2/cache/nodes/{unknown}")).expect(404).text();
        assert!(text.contains(&format!("Image {unknown} not found.")), "{text}");
    }
}

#[test]
fn rows_and_files_that_are_alone_are_mended_at_the_start() {
    let mut gander = setup().start();
    let other = beside(&gander).start();
    let http = admin(&gander);
    let [kept, lost, found] = ["Kept", "Lost", "Found"].map(|name| http.add_image(name));
    for id in [&kept, &lost, &kept, &found, &found] {
        http.download(id);
    }
    admin(&other).download(&lost);
    gander.end(Signal::TERM);
    fs::remove_file(gander.path("cache").join(&lost)).unwrap();
    gander.rows(&format!("DELETE FROM cached_images WHERE image_id = '{found}'"));
    gander.start_again();
    let mut expected = [(kept.clone(), 1), (found.clone(), 0)];
    expected.sort();
    assert_eq!(admin(&gander).cached(), expected);
    assert_eq!(names(&gander.path("cache")).len(), 2);
    assert_eq!(cached_by(&admin(&gander), &lost), json!([name(&other)]));
    // What is in it is served from there, and counted.
    admin(&gander).download(&found);
    assert!(admin(&gander).cached().contains(&(found, 1)));
}

/// Operations §7.5.
#[test]
fn the_index_in_a_file_is_taken_over_with_its_hits() {
    let mut gander = setup().set("image_cache_driver", "sqlite").start();
    let http = admin(&gander);
    let ids = [http.add_image("Image1"), http.add_image("Image2")];
    for id in [&ids[0], &ids[1], &ids[0], &ids[0]] {
        http.download(id);
    }
    let before = http.get("/v2/cache").expect(200).json();
    assert!(gander.rows(ROWS).is_empty());
    gander.end(Signal::TERM);
    gander.configure("image_cache_driver", "centralized_db");
    gander.start_again();
    let mut after = admin(&gander).get("/v2/cache").expect(200).json();
    for record in after["cached_images"].as_array_mut().unwrap() {
        record.as_object_mut().unwrap().retain(|key, _| key != "id" && key != "checksum");
    }
    if gander.database().kind() == Kind::Mysql {
        // Its times are whole seconds.
        let hits = |list: &Value| -> Vec<_> {
            list["cached_images"].as_array().unwrap().iter().map(|record| record["hits"].clone()).collect()
        };
        assert_eq!(hits(&after), hits(&before));
    } else {
        assert_eq!(after, before);
    }
    assert!(sqlite_rows(&gander.path("cache/cache.db"), "SELECT image_id FROM cached_images").is_empty());
    gander.end(Signal::TERM);
    gander.start_again();
    assert_eq!(admin(&gander).cached().len(), 2);
}

/// Makes the index unusable, and usable again, while downloads go on.
fn without_the_table(gander: &Gander, meanwhile: impl FnOnce()) {
    gander.rows("ALTER TABLE cached_images RENAME TO away");
    meanwhile();
    gander.rows("ALTER TABLE away RENAME TO cached_images");
}

#[test]
fn an_index_that_is_away_fails_no_download_and_agrees_when_it_is_back() {
    let gander = counting(1).start();
    let http = admin(&gander);
    let [hot, old, new] = ["Hot", "Old", "New"].map(|name| http.add_image(name));
    for id in [&hot, &old, &hot] {
        http.download(id);
    }
    assert_eq!(http.cached().len(), 2);
    without_the_table(&gander, || {
        for id in [&hot, &new, &new, &hot] {
            assert_eq!(http.download(id), five_kb());
        }
        assert_eq!(gander.verdicts(&new), ["miss", "hit"]);
        http.delete(&format!("/v2/cache/{old}")).expect(204);
        let mut there = [hot.clone(), new.clone()];
        there.sort();
        assert_eq!(names(&gander.path("cache")), there);
        // The directory tells what there is.
        assert_eq!(http.cached().into_iter().map(|(id, _)| id).collect::<Vec<_>>(), there);
    });
    let mut rows = [row(&gander, &hot, 3), row(&gander, &new, 1)];
    rows.sort();
    // Nobody asks for them.
    eventually("the index is back, with all hits", LIMIT, || gander.rows(ROWS) == rows);
    let mut cached = [(hot, 3), (new, 1)];
    cached.sort();
    assert_eq!(http.cached(), cached);
}

/// Keeps everybody else from the index, but not from the records of images, until it is dropped.
fn locked(gander: &Gander) -> Held {
    let mut lock = Held::to(gander.database());
    for statement in match gander.database().kind() {
        Kind::Sqlite => &["BEGIN IMMEDIATE"] as &[&str],
        Kind::Mysql => &["LOCK TABLES cached_images WRITE"],
        Kind::Postgresql => &["BEGIN", "LOCK TABLE cached_images IN ACCESS EXCLUSIVE MODE"],
    } {
        lock.rows(statement).unwrap();
    }
    lock
}

#[test]
fn a_database_that_does_not_answer_keeps_nobody_waiting_for_long() {
    let gander = counting(1).start();
    let http = admin(&gander);
    let ids: Vec<_> = (0..8).map(|_| http.add_image("Image1")).collect();
    let lock = locked(&gander);
    let started = std::time::Instant::now();
    for id in &ids {
        assert_eq!(http.download(id), five_kb());
        assert_eq!(http.download(id), five_kb());
        assert_eq!(gander.verdicts(id), ["miss", "hit"]);
    }
    // Each would have to wait by itself otherwise.
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    drop(lock);
    eventually("the index is back, with all images", LIMIT, || gander.rows(ROWS).len() == ids.len());
    eventually("and with their hits", LIMIT, || http.cached().iter().all(|(_, hits)| *hits == 1));
}

#[test]
fn a_server_starts_while_its_index_is_away() {
    let mut gander = setup().start();
    let http = admin(&gander);
    let id = http.add_image("Image1");
    http.download(&id);
    http.download(&id);
    gander.end(Signal::TERM);
    let lock = locked(&gander);
    gander.start_again();
    assert_eq!(admin(&gander).download(&id), five_kb());
    drop(lock);
    eventually("the hit is counted", LIMIT, || admin(&gander).cached() == [(id.clone(), 2)]);
}

#[test]
fn the_tools_need_the_same_options() {
    let gander = setup().start();
    for (option, hidden) in
        [("sql_connection", "[database] connection"), ("worker_self_reference_url", "worker_self_reference_url")]
    {
        let conf = gander.cache_conf(&[(option, "")]);
        for tool in ["pruner", "cleaner", "prefetcher", "queue-image"] {
            let outcome = execute(&format!("bin/glance-cache-{tool} --config-file {}", conf.display()));
            assert_eq!(outcome.code, Some(1), "{outcome:?}");
            assert!(outcome.stderr.contains(&format!("{hidden} must be set for image_cache_driver")), "{outcome:?}");
        }
    }
}

#[test]
fn its_images_can_be_managed_by_the_command() {
    let gander = Setup::api("cachemanagement").index("centralized_db").start();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    let manage = |words: &str| {
        let outcome = execute(&format!("bin/glance-cache-manage --host 127.0.0.1 --port {} -f {words}", gander.port()));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.stdout
    };
    assert!(manage("list-cached").contains(&id));
    manage(&format!("delete-cached-image {id}"));
    assert!(gander.rows(ROWS).is_empty() && !gander.path("cache").join(&id).exists());
}

//! `glance-cache-prefetcher`, `-pruner`, `-cleaner` and `-queue-image` (v1-cache §8, §11.1).

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::harness::{Gander, Origin, Setup, execute, five_kb, names, xattr_supported};

/// Runs a tool that says nothing and succeeds.
#[track_caller]
fn run_tool(name: &str, conf: &Path, arguments: &str) {
    let outcome = execute(&format!("bin/glance-cache-{name} --config-file {} {arguments}", conf.display()));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout.trim(), "", "{outcome:?}");
}

/// Runs a test once with each driver that works here.
fn with_each_driver(test: impl Fn(Gander)) {
    for driver in ["sqlite", "xattr", "centralized_db"] {
        let setup = Setup::api("cachemanagement").index(driver);
        if driver != "xattr" || xattr_supported(&setup.path("")) {
            test(setup.start());
        }
    }
}

#[test]
fn the_prefetcher_caches_what_is_queued() {
    with_each_driver(|gander| {
        let http = gander.client();
        let origin = Origin::serving(&five_kb());
        let local = http.add_image("Image1");
        let remote = http.reserve("Image2", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
        let unqueued = http.add_image("Image3");
        for id in [&local, &remote] {
            http.put(&format!("/v1/queued_images/{id}")).send().expect(200);
        }
        run_tool("prefetcher", &gander.cache_conf(&[]), "");
        assert!(http.queued().is_empty());
        let mut expected = [(local.clone(), 0), (remote, 0)];
        expected.sort();
        let mut cached = http.cached();
        cached.sort();
        assert_eq!(cached, expected);
        assert!(!gander.path("cache").join(unqueued).exists());
        assert_eq!(fs::read(gander.path("cache").join(local)).unwrap(), five_kb());
    });
}

#[test]
fn the_prefetcher_leaves_what_it_cannot_cache_queued() {
    let gander = Gander::caching();
    let http = gander.client();
    let queued = http.reserve("Image1", &[]);
    let good = http.add_image("Image2");
    let unknown = "71c675ab-d94f-49cd-a114-e12490b328d9";
    for id in [queued.as_str(), unknown, &good] {
        fs::write(gander.path("cache/queue").join(id), "").unwrap();
    }
    run_tool("prefetcher", &gander.cache_conf(&[]), "");
    assert_eq!(http.cached(), [(good, 0)]);
    let mut left = http.queued();
    left.sort();
    let mut expected = [queued, unknown.to_owned()];
    expected.sort();
    assert_eq!(left, expected);
    let log = fs::read_to_string(gander.path("cache.log")).unwrap();
    assert!(log.contains(&format!("No metadata found for image '{unknown}'")), "{log}");
    assert!(log.contains("is not active. Not caching."), "{log}");
}

#[test]
fn the_prefetcher_leaves_queued_what_the_cache_does_not_keep() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add_image("Image1");
    http.put(&format!("/v1/queued_images/{id}")).send().expect(200);
    // Not even root can move a file over a directory.
    fs::create_dir(gander.path("cache").join(&id)).unwrap();
    run_tool("prefetcher", &gander.cache_conf(&[]), "");
    assert_eq!(http.queued(), std::slice::from_ref(&id));
    let log = fs::read_to_string(gander.path("cache.log")).unwrap();
    assert!(log.contains(&format!("Failed to cache image '{id}': the cache did not keep it")), "{log}");
}

#[test]
fn the_prefetcher_is_done_with_what_is_cached_already() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add_image("Image1");
    http.download(&id);
    fs::write(gander.path("cache/queue").join(&id), "").unwrap();
    run_tool("prefetcher", &gander.cache_conf(&[]), "");
    assert!(http.queued().is_empty());
    assert_eq!(http.cached(), [(id, 0)]);
}

#[test]
fn the_prefetcher_has_nothing_to_do_for_an_empty_queue() {
    let gander = Gander::caching();
    run_tool("prefetcher", &gander.cache_conf(&[]), "");
    assert!(gander.client().cached().is_empty());
}

#[test]
fn the_pruner_removes_what_was_not_read_for_longest() {
    with_each_driver(|gander| {
        let http = gander.client();
        let ids: Vec<_> = (0..6).map(|x| http.add(&format!("Image{x}"), &[b'x'; 1024])).collect();
        for id in &ids {
            http.download(id);
        }
        // Entries are read in another order than they were written.
        let order = [3, 1, 5, 0, 4, 2];
        for x in order {
            http.download(&ids[x]);
        }
        // Whoever asks for the records has the hits written to the index, where the tools find them.
        http.cached();
        run_tool("pruner", &gander.cache_conf(&[("image_cache_max_size", "3072")]), "");
        let mut expected: Vec<_> = order[3..].iter().map(|x| ids[*x].clone()).collect();
        expected.sort();
        assert_eq!(names(&gander.path("cache")), expected);
        let mut cached: Vec<_> = http.cached().into_iter().map(|(id, _)| id).collect();
        cached.sort();
        assert_eq!(cached, expected);
    });
}

#[test]
fn the_pruner_keeps_what_fits() {
    with_each_driver(|gander| {
        let id = gander.client().add_image("Image1");
        gander.client().download(&id);
        run_tool("pruner", &gander.cache_conf(&[("image_cache_max_size", "5120")]), "");
        assert_eq!(names(&gander.path("cache")), [id]);
        run_tool("pruner", &gander.cache_conf(&[("image_cache_max_size", "5119")]), "");
        assert!(names(&gander.path("cache")).is_empty());
    });
}

#[test]
fn the_pruner_bears_files_that_nobody_recorded() {
    let gander = Gander::caching();
    fs::write(gander.path("cache/71c675ab-d94f-49cd-a114-e12490b328d9"), "x".repeat(5000)).unwrap();
    run_tool("pruner", &gander.cache_conf(&[("image_cache_max_size", "1000")]), "");
}

#[test]
fn the_cleaner_removes_invalid_and_stalled_files() {
    with_each_driver(|gander| {
        let id = gander.client().add_image("Image1");
        gander.client().download(&id);
        let [bad, stalled, young] =
            ["11111111", "22222222", "33333333"].map(|x| format!("{x}-d94f-49cd-a114-e12490b328d9"));
        fs::write(gander.path("cache/invalid").join(&bad), "x").unwrap();
        fs::write(gander.path("cache/incomplete").join(&stalled), "x").unwrap();
        fs::write(gander.path("cache/incomplete").join(&young), "x").unwrap();
        let long_ago = fs::FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(5000));
        let file = fs::File::options().write(true).open(gander.path("cache/incomplete").join(&stalled)).unwrap();
        file.set_times(long_ago).unwrap();

        run_tool("cleaner", &gander.cache_conf(&[("image_cache_stall_time", "3600")]), "");
        assert!(names(&gander.path("cache/invalid")).is_empty());
        assert_eq!(names(&gander.path("cache/incomplete")), [young]);

        run_tool("cleaner", &gander.cache_conf(&[("image_cache_stall_time", "0")]), "");
        assert!(names(&gander.path("cache/incomplete")).is_empty());
        assert_eq!(names(&gander.path("cache")), [id]);
    });
}

#[test]
fn the_queue_tool_queues_what_is_active() {
    let gander = Gander::caching();
    let http = gander.client();
    let ids = [http.add_image("Image1"), http.add_image("Image2")];
    run_tool("queue-image", &gander.cache_conf(&[]), &ids.join(" "));
    let mut queued = http.queued();
    queued.sort();
    let mut expected = ids.to_vec();
    expected.sort();
    assert_eq!(queued, expected);
}

#[test]
fn the_queue_tool_does_not_queue_what_it_cannot_cache() {
    let gander = Gander::caching();
    let inactive = gander.client().reserve("Image1", &[]);
    for id in [inactive.as_str(), "71c675ab-d94f-49cd-a114-e12490b328d9", "../../x", "cache.db"] {
        execute(&format!("bin/glance-cache-queue-image --config-file {} {id}", gander.cache_conf(&[]).display()));
    }
    assert!(gander.client().queued().is_empty());
    assert!(!gander.path("x").exists());
}

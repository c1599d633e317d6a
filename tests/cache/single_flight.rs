//! A cold image is read from its store once, however many ask for it at once, and nobody depends on another (security
//! C17, C18, C24).

use std::thread;
use std::time::Duration;

use crate::harness::{Behaviour, Client, Gander, Origin, Reading, Setup, eventually, execute, names, noise};

const LIMIT: Duration = Duration::from_secs(20);

/// Registers the image of an origin; its id.
fn remote(http: &Client, origin: &Origin) -> String {
    http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))])
}

fn open(http: &Client, id: &str) -> Reading {
    let reading = http.request("GET", &format!("/v1/images/{id}")).open();
    assert_eq!(reading.head.status, 200);
    reading
}

#[track_caller]
fn finished(reading: Reading, data: &[u8]) {
    let answer = reading.finish();
    assert!(answer.complete && answer.body == data, "{} of {} bytes", answer.body.len(), data.len());
}

/// Whether nothing of the image is in the cache directory.
fn no_trace(gander: &Gander, id: &str) -> bool {
    ["cache", "cache/incomplete", "cache/invalid"].iter().all(|dir| !gander.path(dir).join(id).exists())
}

#[test]
fn sixty_four_clients_ask_the_origin_once_and_read_while_it_sends() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(1, 300_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    origin.set(Behaviour::PauseAfter(100_000));
    let mut clients: Vec<_> = (0..64).map(|_| open(&http, &id)).collect();
    for client in &mut clients {
        client.take(100_000);
    }
    origin.set(Behaviour::Serve);
    for client in clients {
        finished(client, &data);
    }
    assert_eq!(origin.gets(), 1);
    assert_eq!(gander.settled(), std::slice::from_ref(&id));
    let mut verdicts = gander.verdicts(&id);
    verdicts.sort();
    assert_eq!(verdicts, [vec!["filling"; 63], vec!["miss"]].concat());
}

#[test]
fn clients_that_come_at_the_same_moment_are_one_fill_as_well() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(2, 50_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    let barrier = std::sync::Barrier::new(64);
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                barrier.wait();
                assert!(http.download(&id) == data);
            });
        }
    });
    assert_eq!(origin.gets(), 1);
}

#[test]
fn a_client_that_does_not_read_slows_nobody() {
    let gander = Gander::caching();
    let http = gander.client();
    // More than the buffers between server and client take.
    let data = noise(3, 32_000_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    let idle = open(&http, &id);
    assert!(http.download(&id) == data);
    assert_eq!(gander.settled(), std::slice::from_ref(&id));
    // Nor is anything lost for him, entry or not.
    http.delete(&format!("/v1/cached_images/{id}")).expect(200);
    finished(idle, &data);
    assert_eq!(origin.gets(), 1);
}

#[test]
fn the_client_that_began_the_fill_can_go() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(4, 300_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    origin.set(Behaviour::PauseAfter(100_000));
    let mut first = open(&http, &id);
    first.take(30_000);
    let others: Vec<_> = (0..9).map(|_| open(&http, &id)).collect();
    drop(first);
    origin.set(Behaviour::Serve);
    for other in others {
        finished(other, &data);
    }
    assert_eq!(origin.gets(), 1);
    assert_eq!(gander.settled(), [id]);
}

#[test]
fn a_fill_that_everybody_left_is_finished() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(5, 300_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    origin.set(Behaviour::PauseAfter(100_000));
    for mut client in [open(&http, &id), open(&http, &id)] {
        client.take(1000);
    }
    origin.set(Behaviour::Serve);
    eventually("the image is cached", LIMIT, || names(&gander.path("cache")) == [id.as_str()]);
    gander.settled();
    assert!(http.download(&id) == data);
    assert_eq!(origin.gets(), 1);
}

#[test]
fn a_fill_that_everybody_left_can_be_given_up() {
    let gander = Setup::api("cachemanagement").set("image_cache_finish_abandoned", "false").start();
    let http = gander.client();
    let data = noise(6, 3_000_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    origin.set(Behaviour::PauseAfter(100_000));
    for mut client in [open(&http, &id), open(&http, &id)] {
        client.take(1000);
    }
    // The origin trickles on, and never comes to the end.
    let mut sent = 100_000;
    eventually("nothing is left", LIMIT, || {
        sent += 1000;
        assert!(sent < data.len(), "the fill went on");
        origin.set(Behaviour::PauseAfter(sent));
        no_trace(&gander, &id)
    });
    assert!(http.cached().is_empty());
    // A fill that somebody reads goes on, whoever leaves.
    origin.set(Behaviour::PauseAfter(100_000));
    let mut leaving = open(&http, &id);
    let staying = open(&http, &id);
    leaving.take(1000);
    drop(leaving);
    origin.set(Behaviour::Serve);
    finished(staying, &data);
    assert_eq!(gander.settled(), [id]);
}

#[test]
fn a_broken_store_is_read_on_from_where_it_broke() {
    let data = noise(7, 400_000);
    for origin in [Origin::with_ranges(&data), Origin::serving(&data)] {
        let gander = Gander::caching();
        let http = gander.client();
        let id = remote(&http, &origin);
        let broken = [Behaviour::CutAfter(100_001), Behaviour::Status(503), Behaviour::Status(500)];
        origin.script(&[broken.as_slice(), &[Behaviour::CutAfter(300_000)]].concat());
        assert!(http.download(&id) == data);
        let again = "bytes=100001-";
        assert_eq!(origin.asked(), ["", again, again, again, "bytes=300000-"]);
        assert_eq!(gander.settled(), std::slice::from_ref(&id));
        assert!(http.download(&id) == data);
        assert_eq!(origin.gets(), 5);
    }
}

#[test]
fn a_store_that_stays_broken_is_a_broken_answer_and_no_more() {
    let gander = Setup::api("cachemanagement").set("image_cache_fill_retries", "2").start();
    let http = gander.client();
    let data = noise(8, 300_000);
    let origin = Origin::with_ranges(&data);
    let id = remote(&http, &origin);
    origin.set(Behaviour::PauseAfter(100_000));
    let clients: Vec<_> = (0..8).map(|_| open(&http, &id)).collect();
    origin.script(&[Behaviour::Status(503); 2]);
    origin.set(Behaviour::CutAfter(100_000));
    for client in clients {
        let answer = client.finish();
        assert!(!answer.complete && data.starts_with(&answer.body), "{} bytes", answer.body.len());
    }
    assert_eq!(origin.asked(), ["", "bytes=100000-", "bytes=100000-"]);
    eventually("no fill runs", LIMIT, || names(&gander.path("cache/incomplete")).is_empty());
    assert!(names(&gander.path("cache")).is_empty() && http.cached().is_empty());
    origin.set(Behaviour::Serve);
    assert!(http.download(&id) == data);
    assert_eq!(gander.settled(), [id]);
}

#[test]
fn a_store_whose_image_changes_its_size_meanwhile_is_never_a_whole_answer() {
    let gander = Setup::api("cachemanagement").set("image_cache_fill_retries", "2").start();
    let http = gander.client();
    let data = noise(9, 300_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    origin.script(&[Behaviour::CutAfter(100_000)]);
    origin.set(Behaviour::Announce(299_999));
    let answer = http.request("GET", &format!("/v1/images/{id}")).open().finish();
    assert!(!answer.complete && data.starts_with(&answer.body));
    eventually("no fill runs", LIMIT, || names(&gander.path("cache/incomplete")).is_empty());
    assert!(names(&gander.path("cache")).is_empty());
}

#[test]
fn two_servers_on_one_directory_do_not_both_fill() {
    let one = Gander::caching();
    let two =
        Setup::api("cachemanagement").set("image_cache_dir", one.path("cache").display()).on(one.database()).start();
    let data = noise(10, 300_000);
    let origin = Origin::serving(&data);
    let id = remote(&one.client(), &origin);
    origin.set(Behaviour::PauseAfter(100_000));
    let mut filling = open(&one.client(), &id);
    filling.take(100_000);
    origin.script(&[Behaviour::Serve]);
    // The other one serves meanwhile, and leaves the fill alone.
    assert!(two.client().download(&id) == data);
    assert_eq!(two.verdicts(&id), ["elsewhere"]);
    assert_eq!(names(&one.path("cache/incomplete")), [id.as_str()]);
    assert!(names(&one.path("cache")).is_empty());
    origin.set(Behaviour::Serve);
    finished(filling, &data);
    let gets = origin.gets();
    assert!(two.client().download(&id) == data);
    assert_eq!((gets, origin.gets()), (2, 2));
    assert_eq!(one.settled(), [id]);
}

#[test]
fn the_prefetcher_leaves_a_running_fill_alone() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(11, 300_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    http.put(&format!("/v1/queued_images/{id}")).send().expect(200);
    origin.set(Behaviour::PauseAfter(100_000));
    let mut filling = open(&http, &id);
    filling.take(100_000);
    let conf = gander.cache_conf(&[]);
    let outcome = execute(&format!("bin/glance-cache-prefetcher --config-file {}", conf.display()));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(origin.gets(), 1);
    // Nor does somebody's wish disturb it.
    http.put(&format!("/v1/queued_images/{id}")).send().expect(200);
    origin.set(Behaviour::Serve);
    finished(filling, &data);
    assert_eq!(gander.settled(), [id]);
    assert!(http.queued().is_empty());
}

#[test]
fn a_download_does_not_wait_for_the_prefetcher() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(12, 300_000);
    let origin = Origin::serving(&data);
    let id = remote(&http, &origin);
    http.put(&format!("/v1/queued_images/{id}")).send().expect(200);
    origin.set(Behaviour::PauseAfter(100_000));
    let conf = gander.cache_conf(&[]);
    let prefetcher =
        thread::spawn(move || execute(&format!("bin/glance-cache-prefetcher --config-file {}", conf.display())));
    eventually("the prefetcher fills", LIMIT, || origin.gets() == 1);
    origin.script(&[Behaviour::Serve]);
    assert!(http.download(&id) == data);
    assert_eq!(gander.verdicts(&id), ["elsewhere"]);
    origin.set(Behaviour::Serve);
    assert_eq!(prefetcher.join().unwrap().code, Some(0));
    assert_eq!(gander.settled(), [id]);
    assert!(http.queued().is_empty());
}

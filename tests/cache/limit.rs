//! The cache never exceeds its limit, keeps what is missed most, and never costs a download (promise P5; security C19,
//! C20, C22, C23).

use std::fs;
use std::thread;

use crate::harness::{
    Behaviour, Client, FIVE_KB, Gander, Origin, Sampler, Setup, TinyDisk, execute, five_kb, names, noise, occupied,
};

const STORM_LIMIT: u64 = 500_000;

fn limited(bytes: u64) -> Setup {
    Setup::api("cachemanagement").set("image_cache_max_size", bytes)
}

/// Runs pruner and cleaner, which tell in the log what they did.
#[track_caller]
fn nothing_to_do(gander: &Gander, limit: u64) {
    let before = names(&gander.path("cache"));
    let limit = limit.to_string();
    let conf = gander.cache_conf(&[
        ("image_cache_max_size", limit.as_str()),
        ("image_cache_stall_time", "0"),
        ("verbose", "True"),
    ]);
    for tool in ["pruner", "cleaner"] {
        let outcome = execute(&format!("bin/glance-cache-{tool} --config-file {}", conf.display()));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    let log = fs::read_to_string(gander.path("cache.log")).unwrap();
    assert!(log.contains("pruned 0 images, 0 bytes"), "{log}");
    assert!(log.contains("cleaned 0 invalid and 0 stalled images"), "{log}");
    assert_eq!(names(&gander.path("cache")), before);
}

/// Downloads from six clients, each in its own order, of images that are several times the limit.
fn storm(http: &Client, images: &[(String, Vec<u8>)]) {
    thread::scope(|scope| {
        for client in 0..6 {
            scope.spawn(move || {
                for step in 0..images.len() {
                    let (id, data) = &images[(step * (2 * client + 1) + client) % images.len()];
                    assert!(&http.download(id) == data);
                }
            });
        }
    });
}

/// Security C20.
#[test]
fn a_storm_never_exceeds_the_limit() {
    for driver in ["sqlite", "xattr", "centralized_db"] {
        let gander = limited(STORM_LIMIT).index(driver).start();
        let http = gander.client();
        let images: Vec<_> = (1..=24)
            .map(|seed: u64| {
                let data = noise(seed, 5000 * seed as usize);
                (http.add("Image1", &data), data)
            })
            .collect();
        let sampler = Sampler::watching(gander.path("cache"));
        storm(&http, &images);
        let cached = gander.settled();
        let (most, samples) = sampler.most();
        assert!(most <= STORM_LIMIT, "{most} bytes seen in {samples} samples");
        assert!(most > STORM_LIMIT / 2 && samples > 20 && !cached.is_empty(), "{most} bytes in {samples} samples");
        nothing_to_do(&gander, STORM_LIMIT);
    }
}

/// Nobody knows how long the images will be before they end.
#[test]
fn a_storm_of_images_of_unknown_size_never_exceeds_the_limit() {
    let gander = limited(STORM_LIMIT).start();
    let http = gander.client();
    let origins: Vec<_> = (1..=12)
        .map(|seed: u64| {
            let data = noise(seed, 30_000 * seed as usize);
            let origin = Origin::serving(&data);
            origin.set(Behaviour::NoLength);
            let location = origin.url("/images/2");
            let id = http.reserve("Image1", &[("X-Image-Meta-Location", &location), ("X-Image-Meta-Size", "0")]);
            (origin, (id, data))
        })
        .collect();
    let images: Vec<_> = origins.iter().map(|(_, image)| image.clone()).collect();
    let sampler = Sampler::watching(gander.path("cache"));
    storm(&http, &images);
    gander.settled();
    let (most, samples) = sampler.most();
    assert!(most <= STORM_LIMIT, "{most} bytes seen in {samples} samples");
    nothing_to_do(&gander, STORM_LIMIT);
}

/// Two servers share the directory and the limit.
#[test]
fn two_servers_together_do_not_exceed_the_limit() {
    let one = limited(STORM_LIMIT).start();
    let two = limited(STORM_LIMIT)
        .set("image_cache_dir", one.path("cache").display())
        .on(one.database())
        .set("filesystem_store_datadir", one.path("images").display())
        .start();
    let images: Vec<_> = (1..=20)
        .map(|seed: u64| {
            let data = noise(seed, 6000 * seed as usize);
            (one.client().add("Image1", &data), data)
        })
        .collect();
    let sampler = Sampler::watching(one.path("cache"));
    thread::scope(|scope| {
        for http in [one.client(), two.client()] {
            let images = &images;
            scope.spawn(move || storm(&http, images));
        }
    });
    one.settled();
    let (most, samples) = sampler.most();
    assert!(most <= STORM_LIMIT, "{most} bytes seen in {samples} samples");
    nothing_to_do(&one, STORM_LIMIT);
}

/// Security C22.
#[test]
fn a_flood_of_images_read_once_does_not_wash_out_the_hot_ones() {
    for (driver, flood) in [("sqlite", 200), ("xattr", 50), ("centralized_db", 50)] {
        let gander = limited(20 * FIVE_KB as u64).index(driver).start();
        let http = gander.client();
        let hot: Vec<_> = (0..10).map(|_| http.add_image("Hot")).collect();
        for _ in 0..3 {
            for id in &hot {
                http.download(id);
            }
        }
        for _ in 0..flood {
            http.download(&http.add_image("Once"));
        }
        let mut hits = 0;
        for id in &hot {
            http.download(id);
            hits += usize::from(gander.verdicts(id).last().unwrap() == "hit");
        }
        assert!(hits >= 9, "{hits} of 10 with {driver}");
    }
}

/// What was hot once does not keep out what is hot now.
#[test]
fn what_was_loved_once_makes_room_in_the_end() {
    let gander = limited(20 * FIVE_KB as u64).start();
    let http = gander.client();
    for generation in 0..3 {
        let hot: Vec<_> = (0..15).map(|_| http.add_image("Hot")).collect();
        for id in hot.iter().flat_map(|id| [id; 3]).chain(&hot) {
            http.download(id);
        }
        let hits = hot.iter().filter(|id| gander.verdicts(id).last().unwrap() == "hit").count();
        assert!(hits >= 14, "{hits} of 15 in generation {generation}");
    }
}

#[test]
fn an_image_larger_than_the_limit_is_served_and_evicts_nothing() {
    let gander = limited(10_000).start();
    let http = gander.client();
    let small = http.add_image("Image1");
    http.download(&small);
    let data = noise(1, 10_001);
    let large = http.add("Image2", &data);
    let origin = Origin::serving(&data);
    let remote = http.reserve("Image3", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::NoLength);
    let unknown = http.reserve("Image4", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    for id in [&large, &remote] {
        origin.set(Behaviour::Serve);
        for _ in 0..2 {
            assert!(http.download(id) == data);
        }
        assert_eq!(gander.verdicts(id), ["too_big", "too_big"]);
    }
    assert_eq!(gander.settled(), std::slice::from_ref(&small));
    // Only its end tells that it is too large; room may have been made for what seemed to fit.
    origin.set(Behaviour::NoLength);
    assert!(http.download(&unknown) == data);
    assert!(!gander.settled().contains(&unknown));
    assert!(occupied(&gander.path("cache")) <= 10_000);
    nothing_to_do(&gander, 10_000);
}

#[test]
fn an_image_of_just_the_limit_is_cached() {
    let gander = limited(10_000).start();
    let http = gander.client();
    for seed in 0..3 {
        let data = noise(seed, 10_000);
        let id = http.add("Image1", &data);
        for _ in 0..2 {
            assert!(http.download(&id) == data);
        }
        assert_eq!(gander.verdicts(&id), ["miss", "hit"]);
        assert_eq!(gander.settled(), [id]);
    }
}

#[test]
fn a_limit_of_nothing_caches_nothing() {
    let gander = limited(0).start();
    let id = gander.client().add_image("Image1");
    for _ in 0..2 {
        assert_eq!(gander.client().download(&id), five_kb());
    }
    assert!(gander.settled().is_empty());
}

#[test]
fn the_disk_is_not_filled_below_its_floor() {
    let gander = Setup::api("cachemanagement").set("image_cache_min_free", 1_u64 << 60).start();
    let http = gander.client();
    let id = http.add_image("Image1");
    for _ in 0..2 {
        assert_eq!(http.download(&id), five_kb());
    }
    assert_eq!(gander.verdicts(&id), ["no_space", "no_space"]);
    assert!(gander.settled().is_empty());
}

#[test]
fn a_floor_that_cannot_be_reached_evicts_nothing() {
    let mut gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    gander.end(rustix::process::Signal::TERM);
    gander.configure("image_cache_min_free", 1_u64 << 60);
    gander.start_again();
    let other = gander.client().add_image("Image2");
    assert_eq!(gander.client().download(&other), five_kb());
    assert_eq!(gander.verdicts(&other), ["no_space"]);
    assert_eq!(gander.settled(), [id]);
}

#[test]
fn what_is_to_stay_free_on_a_small_disk_stays_free() {
    let setup = Setup::api("cachemanagement").set("image_cache_min_free", 500_000);
    let Some(disk) = TinyDisk::mount(setup.path("cache"), 1000) else { return };
    let gander = setup.start();
    let http = gander.client();
    for seed in 0..12 {
        let data = noise(seed, 90_000);
        let id = http.add("Image1", &data);
        assert!(http.download(&id) == data);
        assert_eq!(gander.verdicts(&id), ["miss"]);
        let system = rustix::fs::statvfs(gander.path("cache")).unwrap();
        let free = system.f_bavail * system.f_frsize;
        // The index grows, too: it is not what the floor is about.
        assert!(free > 470_000, "{free} bytes free");
    }
    assert!(gander.settled().len() >= 3);
    drop(gander);
    drop(disk);
}

/// Security C23.
#[test]
fn an_entry_evicted_under_a_reader_is_read_to_its_end() {
    let gander = limited(40_000_000).start();
    let http = gander.client();
    // More than the buffers between server and client take.
    let (data, other) = (noise(1, 32_000_000), noise(2, 20_000_000));
    let (id, evicting) = (http.add("Image1", &data), http.add("Image2", &other));
    http.download(&id);
    let mut reading = http.request("GET", &format!("/v1/images/{id}")).open();
    reading.take(1000);
    assert!(http.download(&evicting) == other);
    assert_eq!(gander.settled(), [evicting]);
    let answer = reading.finish();
    assert!(answer.complete && answer.body == data);
    assert_eq!(gander.verdicts(&id), ["miss", "hit"]);
}

/// Security C20.
#[test]
fn a_disk_that_is_too_small_is_a_plain_download() {
    let setup = Setup::api("cachemanagement").set("image_cache_min_free", 0);
    let Some(disk) = TinyDisk::mount(setup.path("cache"), 512) else { return };
    let gander = setup.start();
    let http = gander.client();
    let data = noise(1, 2_000_000);
    let origin = Origin::serving(&data);
    let large = http.add("Image1", &data);
    let remote = http.reserve("Image2", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    let unknown =
        http.reserve("Image3", &[("X-Image-Meta-Location", &origin.url("/images/2")), ("X-Image-Meta-Size", "0")]);
    for (id, behaviour) in [(&large, Behaviour::Serve), (&remote, Behaviour::Serve), (&unknown, Behaviour::NoLength)] {
        origin.set(behaviour);
        for _ in 0..2 {
            assert!(http.download(id) == data);
            assert!(gander.settled().is_empty());
        }
    }
    // What fits is cached, again and again.
    for seed in 0..10 {
        let small = http.add("Image4", &noise(seed, 100_000));
        http.download(&small);
        assert!(http.download(&small) == noise(seed, 100_000));
        assert_eq!(gander.verdicts(&small), ["miss", "hit"]);
    }
    drop(gander);
    drop(disk);
}

/// Security C19.
#[test]
fn no_more_images_are_filled_at_a_time_than_configured() {
    let gander = Setup::api("cachemanagement").set("image_cache_max_fills", 2).start();
    let http = gander.client();
    let data = noise(1, 100_000);
    let origin = Origin::serving(&data);
    let ids: Vec<_> =
        (0..4).map(|_| http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))])).collect();
    origin.set(Behaviour::PauseAfter(1000));
    let mut readings: Vec<_> = ids.iter().map(|id| http.request("GET", &format!("/v1/images/{id}")).open()).collect();
    for reading in &mut readings {
        reading.take(1000);
    }
    assert_eq!(names(&gander.path("cache/incomplete")).len(), 2);
    origin.set(Behaviour::Serve);
    for reading in readings {
        let answer = reading.finish();
        assert!(answer.complete && answer.body == data);
    }
    assert_eq!(gander.settled().len(), 2);
}

/// Security C19: many who ask and go fill no disk and leave nothing behind.
#[test]
fn aborted_downloads_leave_nothing_above_the_limit() {
    let gander = limited(200_000).start();
    let http = gander.client();
    let ids: Vec<_> = (0..40).map(|seed| http.add("Image1", &noise(seed, 50_000))).collect();
    let sampler = Sampler::watching(gander.path("cache"));
    for id in &ids {
        drop(http.request("GET", &format!("/v1/images/{id}")).open());
    }
    gander.settled();
    let (most, samples) = sampler.most();
    assert!(most <= 200_000, "{most} bytes seen in {samples} samples");
    nothing_to_do(&gander, 200_000);
}

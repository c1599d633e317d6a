//! Everything at once: downloads, parts, deletions, evictions and crashes, by chance but from a seed.
//!
//! `GANDER_TORTURE_SEED` chooses another course of events, `GANDER_TORTURE_SECONDS` how long it goes on. Every body that
//! looks complete is compared with the image, whatever happens to the server meanwhile; what is not complete, or no
//! success, must have a reason: the image was deleted, its origin broke, or the server was killed.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{
    Behaviour, Client, Dice, Gander, Origin, Response, Sampler, Setup, execute, names, noise, occupied, option,
};

const LIMIT: u64 = 400_000;
const WORKERS: u64 = 4;
const IMAGES: usize = 14;

/// An image as it was made.
struct Made {
    id: String,
    data: Vec<u8>,
    /// Where it lies, if not in the server's own store.
    origin: Option<Origin>,
    /// Somebody has asked for its deletion.
    doomed: AtomicBool,
}

impl Made {
    fn path(&self) -> String {
        format!("/v1/images/{}", self.id)
    }
}

/// What all see.
struct World {
    seed: u64,
    over: AtomicBool,
    images: Mutex<Vec<Arc<Made>>>,
    /// What happened how often.
    tally: Mutex<BTreeMap<&'static str, u64>>,
}

/// A server as its clients see it. There are two on one directory, of which only one is killed.
struct Side<'a> {
    world: &'a World,
    http: Client,
    /// Odd while the server is down; another number after each crash.
    epoch: &'a AtomicU64,
}

impl Side<'_> {
    fn note(&self, what: &'static str) {
        *self.world.tally.lock().unwrap().entry(what).or_default() += 1;
    }

    /// Whether nothing has happened to the server since it was `epoch`.
    fn quiet_since(&self, epoch: u64) -> bool {
        epoch.is_multiple_of(2) && self.epoch.load(Ordering::SeqCst) == epoch
    }

    /// A new image, in the server's store or at an origin; `None` if the server was killed over it.
    fn make(&self, dice: &mut Dice) -> Option<Arc<Made>> {
        let epoch = self.epoch.load(Ordering::SeqCst);
        let len = [1, 4096, 65_536, 50_000 + dice.roll(100_000), 150_000, 410_000][dice.roll(6)];
        let data = noise(dice.roll(1_000_000) as u64, len);
        let origin = (dice.roll(2) == 0).then(|| Origin::with_ranges(&data));
        let headers = crate::harness::minimal_headers("Image1");
        let request = self.http.post("/v1/images");
        let request = match &origin {
            Some(origin) => request.headers(&headers[1..]).header("X-Image-Meta-Location", &origin.url("/images/2")),
            None => request.headers(&headers).body(&data),
        };
        let answer = request.try_send();
        if !self.quiet_since(epoch) {
            return None;
        }
        let id = answer.unwrap().expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
        Some(Arc::new(Made { id, data, origin, doomed: AtomicBool::new(false) }))
    }

    fn any(&self, dice: &mut Dice) -> Arc<Made> {
        let images = self.world.images.lock().unwrap();
        // The first ones are more popular.
        let place = dice.roll(images.len()).min(dice.roll(images.len()));
        Arc::clone(&images[place])
    }

    /// Looks at the answer to a download of `data`, which is the image or a part of it.
    fn judge(&self, what: &'static str, made: &Made, data: &[u8], answer: io::Result<Response>, epoch: u64) {
        let status = if what == "part" { 206 } else { 200 };
        // In this order: who is doomed after the answer may have been so before.
        let excused = !self.quiet_since(epoch) || made.doomed.load(Ordering::SeqCst);
        let flaky = made.origin.is_some();
        match answer {
            Ok(answer) if answer.status == status && answer.complete => {
                assert!(answer.body == data, "seed {}: {what} of {}: wrong bytes", self.world.seed, made.id);
                self.note(what);
            }
            Ok(answer) if answer.status == status => {
                assert!(data.starts_with(&answer.body), "seed {}: {what} of {}: wrong bytes", self.world.seed, made.id);
                assert!(excused || flaky, "seed {}: {what} of {} broke off", self.world.seed, made.id);
                self.note("broken off");
            }
            Ok(answer) => {
                let excused = excused || (flaky && answer.status >= 500);
                assert!(
                    excused,
                    "seed {}: {what} of {}: {} {}",
                    self.world.seed,
                    made.id,
                    answer.status,
                    answer.text()
                );
                self.note("refused");
            }
            Err(error) => {
                assert!(excused || flaky, "seed {}: {what} of {}: {error}", self.world.seed, made.id);
                self.note("no answer");
            }
        }
    }

    fn step(&self, dice: &mut Dice) {
        let epoch = self.epoch.load(Ordering::SeqCst);
        if !epoch.is_multiple_of(2) {
            // Down for a moment.
            thread::sleep(Duration::from_millis(5));
            return;
        }
        let made = self.any(dice);
        if let Some(origin) = &made.origin {
            let cut = Behaviour::CutAfter(dice.roll(made.data.len()));
            match dice.roll(8) {
                0 => origin.script(&[cut]),
                1 => origin.script(&[cut, Behaviour::Status(503)]),
                2 => origin.script(&[Behaviour::Status(500)]),
                _ => {}
            }
        }
        let get = self.http.request("GET", &made.path());
        match dice.roll(20) {
            0..=7 => self.judge("whole", &made, &made.data, get.try_send(), epoch),
            8..=12 => {
                let first = dice.roll(made.data.len());
                let last = first + dice.roll(made.data.len() - first);
                let answer = get.header("Range", &format!("bytes={first}-{last}")).try_send();
                self.judge("part", &made, &made.data[first..=last], answer, epoch);
            }
            13 => {
                // Nobody may be there.
                let _ = self.http.try_connect().and_then(|mut stream| stream.write_all(&get.head_bytes()));
                self.note("left");
            }
            14 | 15 => self.manage("DELETE", &format!("/v1/cached_images/{}", made.id), epoch),
            16 => self.manage("PUT", &format!("/v1/queued_images/{}", made.id), epoch),
            17 => self.manage("GET", "/v1/cached_images", epoch),
            _ => self.replace(dice),
        }
    }

    fn manage(&self, method: &'static str, path: &str, epoch: u64) {
        let answer = self.http.request(method, path).try_send();
        if self.quiet_since(epoch) {
            answer.unwrap().expect(200);
        }
        self.note(method);
    }

    /// Deletes an image and makes another in its place.
    fn replace(&self, dice: &mut Dice) {
        let Some(fresh) = self.make(dice) else { return };
        let place = dice.roll(IMAGES);
        let old = std::mem::replace(&mut self.world.images.lock().unwrap()[place], fresh);
        old.doomed.store(true, Ordering::SeqCst);
        let epoch = self.epoch.load(Ordering::SeqCst);
        let answer = self.http.request("DELETE", &old.path()).try_send();
        if self.quiet_since(epoch) {
            answer.unwrap().expect(200);
            // Gone for everybody from this moment on.
            let again = self.http.request("GET", &old.path()).try_send();
            assert!(!self.quiet_since(epoch) || again.unwrap().status == 404, "seed {}: deleted", self.world.seed);
        }
        self.note("replaced");
    }
}

#[test]
fn torture() {
    let (seed, seconds) = (option("GANDER_TORTURE_SEED", 1), option("GANDER_TORTURE_SECONDS", 20));
    println!("seed {seed}, {seconds} s");
    let setup = Setup::api("cachemanagement").set("image_cache_max_size", LIMIT);
    let setup = setup.set("image_cache_hits_interval", 1).set("image_cache_fill_retries", 2);
    let mut gander = setup.start();
    let neighbour = Setup::api("cachemanagement")
        .set("image_cache_max_size", LIMIT)
        .set("image_cache_dir", gander.path("cache").display())
        .on(gander.database())
        .set("filesystem_store_datadir", gander.path("images").display())
        .start();
    let (epoch, quiet) = (AtomicU64::new(0), AtomicU64::new(0));
    let world = World { seed, over: AtomicBool::new(false), images: Mutex::default(), tally: Mutex::default() };
    let mut dice = Dice::new(seed);
    for _ in 0..IMAGES {
        let side = Side { world: &world, http: gander.client(), epoch: &epoch };
        let made = side.make(&mut dice).unwrap();
        world.images.lock().unwrap().push(made);
    }
    let sampler = Sampler::watching(gander.path("cache"));
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let world = &world;
            let (http, epoch) = if worker == 0 { (neighbour.client(), &quiet) } else { (gander.client(), &epoch) };
            scope.spawn(move || {
                let side = Side { world, http, epoch };
                let mut dice = Dice::new(seed ^ (worker + 1).wrapping_mul(0x0100_0000_01B3));
                while !world.over.load(Ordering::SeqCst) {
                    side.step(&mut dice);
                }
            });
        }
        let end = Instant::now() + Duration::from_secs(seconds);
        let conf = gander.cache_conf(&[("image_cache_max_size", &LIMIT.to_string())]);
        while Instant::now() < end {
            thread::sleep(Duration::from_millis(500 + dice.roll(1500) as u64));
            execute(&format!("bin/glance-cache-prefetcher --config-file {}", conf.display()));
            epoch.fetch_add(1, Ordering::SeqCst);
            gander.end(Signal::KILL);
            gander.start_again();
            epoch.fetch_add(1, Ordering::SeqCst);
        }
        world.over.store(true, Ordering::SeqCst);
    });
    gander.end(Signal::KILL);
    gander.start_again();
    let (most, samples) = sampler.most();
    println!("{:?}; at most {most} bytes in {samples} samples", world.tally.lock().unwrap());
    assert!(most <= LIMIT, "seed {seed}: {most} bytes");
    in_order(&gander, &world);
}

/// What is left after the last start has an owner, and every image is still itself.
fn in_order(gander: &Gander, world: &World) {
    let http = gander.client();
    gander.settled();
    assert!(occupied(&gander.path("cache")) <= LIMIT);
    for file in names(&gander.path("images")) {
        let owner = http.head(&format!("/v1/images/{file}"));
        let owned = owner.status == 200 && owner.header("x-image-meta-deleted") == Some("False");
        assert!(owned, "seed {}: images/{file} has no owner: {}", world.seed, owner.status);
    }
    for made in &*world.images.lock().unwrap() {
        made.origin.iter().for_each(|origin| origin.script(&[]));
        assert!(http.download(&made.id) == made.data, "seed {}", world.seed);
    }
    gander.settled();
    let tally = world.tally.lock().unwrap();
    for what in ["whole", "part", "replaced", "DELETE", "PUT"] {
        assert!(tally.contains_key(what), "seed {}: no {what}", world.seed);
    }
}

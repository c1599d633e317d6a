//! Everything at once that brings, moves or removes images' data by v2, with crashes, by chance but from a seed.
//!
//! `GANDER_TORTURE_SEED` chooses another course of events, `GANDER_UPLOAD_TORTURE_SECONDS` how long it goes on. There are
//! two servers, of which one is killed again and again. After each crash everybody rests for a moment, and all must be in
//! order: what was acknowledged is there, no image waits for an upload that nobody makes, and every file has an owner.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Client, Dice, Gander, Response, Setup, eventually, md5, names, noise, option, read_response};

const WORKERS: u64 = 6;
const SLOTS: usize = 5;
const LIMIT: Duration = Duration::from_secs(30);
const TYPE: &str = "application/octet-stream";

/// What all see.
struct World {
    seed: u64,
    over: AtomicBool,
    /// Odd while one of the servers is down; another number after each crash.
    epoch: AtomicU64,
    /// Held by whoever does something; by one alone while everything is looked at.
    turn: RwLock<()>,
    /// The images that things happen to.
    slots: Mutex<Vec<String>>,
    /// Every image there ever was.
    made: Mutex<BTreeSet<String>>,
    /// Image → MD5 of the data that the client was told is kept.
    kept: Mutex<BTreeMap<String, String>>,
    /// What happened how often.
    tally: Mutex<BTreeMap<String, u64>>,
}

/// A server as one of its clients sees it.
struct Side<'a> {
    world: &'a World,
    http: Client,
    /// This one is killed now and then.
    mortal: bool,
}

impl Side<'_> {
    /// Notes what came of a request. Refusals are right as often as not, but nothing may be the fault of a server that
    /// nobody has killed.
    fn judge(&self, what: &str, answer: io::Result<Response>, epoch: u64) -> Option<Response> {
        let excused = self.mortal && (!epoch.is_multiple_of(2) || self.world.epoch.load(Ordering::SeqCst) != epoch);
        let (outcome, answer) = match answer {
            Ok(answer) => (answer.status.to_string(), Some(answer)),
            Err(_) => {
                // Down for a moment.
                thread::sleep(Duration::from_millis(5));
                ("no answer".to_owned(), None)
            }
        };
        let fine = answer.as_ref().is_some_and(|answer| answer.status < 500);
        assert!(fine || excused, "seed {}: {what}: {:?}", self.world.seed, answer.map(|answer| answer.text()));
        *self.world.tally.lock().unwrap().entry(format!("{what} {outcome}")).or_default() += 1;
        answer
    }

    /// Registers an image in place of another, which is given back.
    fn replace(&self, place: usize, epoch: u64) -> Option<String> {
        let body = json!({"name": "Image1", "disk_format": "raw", "container_format": "bare"});
        let answer = self.judge("POST", self.http.post("/v2/images").json(&body).try_send(), epoch)?;
        let id = answer.expect(201).json()["id"].as_str().unwrap().to_owned();
        self.world.made.lock().unwrap().insert(id.clone());
        let mut slots = self.world.slots.lock().unwrap();
        if place == slots.len() {
            slots.push(id);
            return None;
        }
        Some(std::mem::replace(&mut slots[place], id))
    }

    /// Sends data, all of it or a part.
    fn send(&self, path: &str, data: &[u8], dice: &mut Dice) -> io::Result<Option<Response>> {
        let request = self.http.put(path).header("Content-Type", TYPE);
        let mut stream = self.http.try_connect()?;
        stream.write_all(&request.header("Content-Length", &data.len().to_string()).head_bytes())?;
        let half = dice.roll(data.len());
        // A refusal may arrive before all of it is sent.
        let _ = stream.write_all(&data[..half]);
        // So that there is something to cut.
        thread::sleep(Duration::from_millis(dice.roll(30) as u64));
        if dice.roll(5) == 0 {
            return Ok(None);
        }
        let _ = stream.write_all(&data[half..]);
        read_response(&mut BufReader::new(stream), false).map(Some)
    }

    fn bring(&self, id: &str, what: &str, dice: &mut Dice, epoch: u64) {
        let data = noise(dice.roll(1000) as u64, 1 + dice.roll(50_000));
        let answer = match self.send(&format!("/v2/images/{id}/{what}"), &data, dice) {
            Ok(None) => return,
            Ok(Some(answer)) => Ok(answer),
            Err(error) => Err(error),
        };
        let answer = self.judge(what, answer, epoch);
        if what == "file" && answer.is_some_and(|answer| answer.status == 204) {
            let before = self.world.kept.lock().unwrap().insert(id.to_owned(), md5(&data));
            assert_eq!(before, None, "seed {}: {id} has taken data twice", self.world.seed);
        }
    }

    fn step(&self, dice: &mut Dice) {
        let _turn = self.world.turn.read().unwrap();
        let epoch = self.world.epoch.load(Ordering::SeqCst);
        let place = dice.roll(SLOTS);
        let id = self.world.slots.lock().unwrap()[place].clone();
        let path = format!("/v2/images/{id}");
        let act = |action: &str| self.http.post(&format!("{path}/actions/{action}")).try_send();
        match dice.roll(16) {
            0..=4 => self.bring(&id, "file", dice, epoch),
            5..=7 => self.bring(&id, "stage", dice, epoch),
            8 => drop(self.judge("deactivate", act("deactivate"), epoch)),
            9 => drop(self.judge("reactivate", act("reactivate"), epoch)),
            10..=12 => {
                let (name, value) = match dice.roll(3) {
                    0 => ("owner", json!(format!("p{}", dice.roll(9)))),
                    1 => ("visibility", json!(["private", "shared", "public"][dice.roll(3)])),
                    _ => ("name", json!(format!("Image{}", dice.roll(9)))),
                };
                let patch = json!([{"op": "replace", "path": format!("/{name}"), "value": value}]);
                let request = self.http.request("PATCH", &path);
                let request = request.header("Content-Type", "application/openstack-images-v2.1-json-patch");
                self.judge("PATCH", request.body(patch.to_string()).try_send(), epoch);
            }
            13 => {
                let answer = self.judge("GET", self.http.request("GET", &format!("{path}/file")).try_send(), epoch);
                let whole = answer.filter(|answer| answer.status == 200 && answer.complete);
                if let Some(answer) = whole {
                    assert_eq!(answer.header("content-md5"), Some(md5(&answer.body).as_str()), "{}", self.world.seed);
                }
            }
            _ => {
                let Some(old) = self.replace(place, epoch) else { return };
                // From here on nobody can count on it.
                self.judge("DELETE", self.http.request("DELETE", &format!("/v2/images/{old}")).try_send(), epoch);
            }
        }
    }
}

/// Where everything is.
struct Places {
    images: PathBuf,
    journal: PathBuf,
    staging: PathBuf,
}

impl Places {
    /// What is not in order, if anything is.
    fn faults(&self, http: &Client, world: &World) -> Vec<String> {
        let mut faults = Vec::new();
        let (mut stored, mut staged) = (BTreeSet::new(), BTreeSet::new());
        let mut made = world.made.lock().unwrap();
        for id in made.clone() {
            let answer = http.get(&format!("/v2/images/{id}"));
            if answer.status == 404 {
                made.remove(&id);
                continue;
            }
            let image = answer.expect(200).json();
            let status = image["status"].as_str().unwrap();
            match status {
                "active" | "deactivated" => drop(stored.insert(id.clone())),
                "uploading" if image["size"] != Value::Null => drop(staged.insert(id.clone())),
                "queued" => {}
                _ => faults.push(format!("{id} is {status}, of size {}", image["size"])),
            }
            if let Some(sum) = world.kept.lock().unwrap().get(&id)
                && image["checksum"] != **sum
            {
                faults.push(format!("{id} is {status}, but its data was acknowledged"));
            }
            if stored.contains(&id) {
                // An admin may read deactivated images.
                let data = http.get(&format!("/v2/images/{id}/file")).expect(200).body;
                if image["checksum"] != *md5(&data) {
                    faults.push(format!("{id} is not what its checksum says"));
                }
            }
        }
        for (dir, owners) in [(&self.images, stored), (&self.staging, staged), (&self.journal, BTreeSet::new())] {
            let files: BTreeSet<String> = names(dir).into_iter().collect();
            let wrong = files.symmetric_difference(&owners);
            faults.extend(wrong.map(|name| format!("{name} in {} is nobody's, or missing", dir.display())));
        }
        faults
    }

    /// All comes into order without anybody's help.
    fn in_order(&self, http: &Client, world: &World) {
        let mut faults = Vec::new();
        let end = Instant::now() + LIMIT;
        eventually("everything is in order", LIMIT + LIMIT, || {
            faults = self.faults(http, world);
            assert!(Instant::now() < end, "seed {}: {faults:#?}", world.seed);
            faults.is_empty()
        });
    }
}

fn admin(gander: &Gander) -> Client {
    gander.client().acting_as("a", "a", "admin,member,reader")
}

#[test]
fn torture() {
    let (seed, seconds) = (option("GANDER_TORTURE_SEED", 1), option("GANDER_UPLOAD_TORTURE_SECONDS", 8));
    println!("seed {seed}, {seconds} s");
    let mut gander = Setup::behind_proxy().start();
    let at = |name: &str| gander.path(name);
    let places = Places { images: at("images"), journal: at("images/.journal"), staging: at("staging") };
    let neighbour = Setup::behind_proxy()
        .on(gander.database())
        .set("filesystem_store_datadir", places.images.display())
        .set("node_staging_uri", format!("file://{}", places.staging.display()))
        .start();
    let world = World {
        seed,
        over: AtomicBool::new(false),
        epoch: AtomicU64::new(0),
        turn: RwLock::default(),
        slots: Mutex::default(),
        made: Mutex::default(),
        kept: Mutex::default(),
        tally: Mutex::default(),
    };
    let mut dice = Dice::new(seed);
    for place in 0..SLOTS {
        Side { world: &world, http: admin(&gander), mortal: false }.replace(place, 0);
    }
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let mortal = worker % 3 != 0;
            let side = Side { world: &world, http: admin(if mortal { &gander } else { &neighbour }), mortal };
            scope.spawn(move || {
                let mut dice = Dice::new(seed ^ (worker + 1).wrapping_mul(0x0100_0000_01B3));
                while !side.world.over.load(Ordering::SeqCst) {
                    side.step(&mut dice);
                }
            });
        }
        // Also if something is not in order: then nobody goes on.
        let _over = Over(&world.over);
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end {
            thread::sleep(Duration::from_millis(200 + dice.roll(800) as u64));
            world.epoch.fetch_add(1, Ordering::SeqCst);
            gander.end(Signal::KILL);
            // Sometimes others are at work while it cleans up.
            let rest = (dice.roll(2) == 0).then(|| world.turn.write().unwrap());
            gander.start_again();
            let rest = rest.unwrap_or_else(|| world.turn.write().unwrap());
            places.in_order(&admin(&gander), &world);
            world.epoch.fetch_add(1, Ordering::SeqCst);
            drop(rest);
        }
    });
    let tally = world.tally.lock().unwrap();
    println!("{tally:?}");
    for what in ["file 204", "stage 204", "PATCH 200", "DELETE 204", "deactivate 204", "reactivate 204"] {
        assert!(tally.contains_key(what), "seed {seed}: no {what}");
    }
}

/// Ends it all when dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

//! Lost connections and deadlocks: what was acknowledged is there, and nothing is left half-done.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testdb::Kind;

use super::SERVERS;
use crate::harness::{Client, Database, Dice, Held, Response, Setup, eventually, option};

const LIMIT: Duration = Duration::from_secs(30);
const WRITERS: u64 = 4;
/// What the log says if the connection was lost while the database was committing.
const UNCERTAIN: &str = "it is not known whether the change was made";

/// Ends a connection of somebody else to the database, chosen by chance.
fn cut_one(database: &Database, own: &mut Held, dice: &mut Dice) -> bool {
    let name = database.server().name();
    let others = match database.kind() {
        Kind::Mysql => {
            format!("SELECT id FROM information_schema.processlist WHERE db = '{name}' AND id <> CONNECTION_ID()")
        }
        _ => format!("SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"),
    };
    let others = own.rows(&others).unwrap();
    let Some(one) = (!others.is_empty()).then(|| &others[dice.roll(others.len())]) else { return false };
    own.rows(&match database.kind() {
        Kind::Mysql => format!("KILL CONNECTION {one}"),
        _ => format!("SELECT pg_terminate_backend({one})"),
    })
    // It may have ended meanwhile.
    .is_ok()
}

#[derive(Default)]
struct Tally {
    requests: AtomicU64,
    uncertain: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

impl Tally {
    /// Notes an answer; whether it says that all is done.
    fn judge(&self, what: &str, answer: &Response) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if answer.status < 500 {
            return answer.status < 300;
        }
        if answer.status == 503 {
            self.uncertain.fetch_add(1, Ordering::Relaxed);
        } else {
            self.wrong.lock().unwrap().push(format!("{what}: {} {}", answer.status, answer.text()));
        }
        false
    }
}

/// Makes, changes, fills and deletes images until it is over. Returns, of those that live, the last number that was
/// acknowledged and the last that was tried.
fn write(http: &Client, over: &AtomicBool, tally: &Tally) -> BTreeMap<String, (u64, u64)> {
    let mut kept = BTreeMap::new();
    while !over.load(Ordering::Relaxed) {
        let made =
            http.post("/v2/images").json(&json!({"disk_format": "raw", "container_format": "bare", "n": "0"})).send();
        if !tally.judge("create", &made) {
            continue;
        }
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/v2/images/{id}");
        let mut acknowledged = 0;
        for n in 1..=5 {
            let change = json!([{"op": "replace", "path": "/n", "value": n.to_string()}]);
            let patch =
                http.request("PATCH", &path).header("Content-Type", "application/openstack-images-v2.1-json-patch");
            if tally.judge("patch", &patch.body(change.to_string()).send()) {
                acknowledged = n;
            }
        }
        let data = http.put(&format!("{path}/file")).header("Content-Type", "application/octet-stream");
        tally.judge("upload", &data.body(b"abc").send());
        tally.judge("show", &http.get(&path));
        tally.judge("list", &http.get("/v2/images?limit=5"));
        let deleted = kept.len() % 2 == 1 && http.delete(&path).status < 500;
        if !deleted {
            kept.insert(id, (acknowledged, 5));
        }
    }
    kept
}

fn judge(http: &Client, kept: &BTreeMap<String, (u64, u64)>) {
    for (id, (acknowledged, tried)) in kept {
        let image = http.get(&format!("/v2/images/{id}"));
        if image.status == 404 {
            // Its deletion was not acknowledged, but done.
            continue;
        }
        let image = image.expect(200).json();
        let n: u64 = image["n"].as_str().unwrap().parse().unwrap();
        assert!((*acknowledged..=*tried).contains(&n), "{id}: {acknowledged} was acknowledged, it is {n}");
        if image["status"] == "active" {
            assert_eq!(http.get(&format!("/v2/images/{id}/file")).expect(200).body, b"abc");
        }
    }
}

#[test]
fn lost_connections_lose_nothing_else() {
    let (seed, seconds) = (option("GANDER_CUTS_SEED", 1), option("GANDER_CUTS_SECONDS", 5));
    for kind in SERVERS {
        let Some(database) = Database::of_server(kind) else { continue };
        let gander = Setup::api("").on(&database).start();
        let (over, tally) = (AtomicBool::new(false), Tally::default());
        let mut cuts = 0_u64;
        let kept: Vec<_> = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|_| {
                    let http = gander.client();
                    let (over, tally) = (&over, &tally);
                    scope.spawn(move || write(&http, over, tally))
                })
                .collect();
            let (mut own, mut dice, end) =
                (Held::to(&database), Dice::new(seed), Instant::now() + Duration::from_secs(seconds));
            while Instant::now() < end {
                cuts += u64::from(cut_one(&database, &mut own, &mut dice));
                thread::sleep(Duration::from_millis(dice.roll(30) as u64));
            }
            over.store(true, Ordering::Relaxed);
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let requests = tally.requests.load(Ordering::Relaxed);
        let uncertain = tally.uncertain.load(Ordering::Relaxed);
        println!("{kind:?}, seed {seed}: {requests} requests, {cuts} cuts, {uncertain} uncertain");
        let wrong = tally.wrong.into_inner().unwrap();
        assert!(wrong.is_empty(), "{kind:?}, seed {seed}: {wrong:#?}");
        let told = gander.log().matches(UNCERTAIN).count() as u64;
        assert!(uncertain <= told, "{kind:?}, seed {seed}: {uncertain} times 503, of which the log explains {told}");
        assert!(requests > 50 && cuts > 20 && uncertain * 10 < requests, "{kind:?}: {requests} {cuts} {uncertain}");
        let stuck = "SELECT id, status FROM images WHERE status NOT IN ('queued', 'active', 'deleted')";
        eventually("no image is stuck", LIMIT, || database.rows(stuck).is_empty());
        kept.iter().for_each(|kept| judge(&gander.client(), kept));
    }
}

/// Somebody else holds the properties of an image and wants its row; a change has the row and wants the properties.
#[test]
fn a_change_outlives_a_deadlock() {
    for kind in SERVERS {
        let Some(database) = Database::of_server(kind) else { continue };
        let gander = Setup::api("").on(&database).start();
        let http = gander.client();
        let id = http.post("/v2/images").json(&json!({"n": "0"})).send().expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut other = Held::to(&database);
        if kind == Kind::Postgresql {
            // Whoever looks first is the victim.
            other.rows("SET deadlock_timeout = '60s'").unwrap();
        }
        other.rows("BEGIN").unwrap();
        other.rows(&format!("UPDATE image_properties SET value = '1' WHERE image_id = '{id}'")).unwrap();
        // MariaDB ends the transaction that has done the least.
        for n in 0..20 {
            let row = format!("('{n}', '2020-01-01 00:00:00', false)");
            other
                .rows(&format!("INSERT INTO metadef_resource_types (name, created_at, protected) VALUES {row}"))
                .unwrap();
        }
        let change = {
            let (http, id) = (http.clone(), id.clone());
            thread::spawn(move || {
                let change = json!([{"op": "replace", "path": "/n", "value": "2"}]);
                let patch = http.request("PATCH", &format!("/v2/images/{id}"));
                let patch = patch.header("Content-Type", "application/openstack-images-v2.1-json-patch");
                patch.body(change.to_string()).send()
            })
        };
        let waiting = match kind {
            Kind::Mysql => {
                "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND command <> 'Sleep' \
                 AND id <> CONNECTION_ID() AND time_ms > 20"
            }
            _ => "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        };
        let mut watcher = Held::to(&database);
        eventually("the change waits", LIMIT, || !watcher.rows(waiting).unwrap().is_empty());
        let won = other.rows(&format!("UPDATE images SET name = 'other' WHERE id = '{id}'"));
        println!("{kind:?}: the other {won:?}");
        let _ = other.rows("COMMIT");
        change.join().unwrap().expect(200);
        let image: Value = http.get(&format!("/v2/images/{id}")).expect(200).json();
        assert_eq!(image["n"], "2", "{kind:?}");
        assert!(won.is_ok(), "{kind:?}: the change was not the victim: {won:?}");
    }
}

//! Lost connections, deadlocks, and servers that crash or hang: what was acknowledged is there, and nothing is left half-done.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testdb::Kind;

use super::SERVERS;
use crate::harness::{Client, Database, Dice, Held, Response, Setup, eventually, minimal_headers, option};

const LIMIT: Duration = Duration::from_secs(30);
const WRITERS: u64 = 4;
/// What the log says if the connection was lost while the database was committing, or if it hung for too long.
const UNCERTAIN: [&str; 3] =
    ["it is not known whether the change was made", "the database did not answer in", "pool timed out"];

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

/// Locks the newest images in the order that is not ours, so that the database has to break deadlocks.
fn cross(database: &Database, over: &AtomicBool, mut dice: Dice) {
    let mut other = Held::to(database);
    while !over.load(Ordering::Relaxed) {
        let mut crossed = || -> sqlx::Result<()> {
            let newest = other.rows("SELECT id FROM images WHERE deleted = false ORDER BY created_at DESC LIMIT 4")?;
            let Some(id) = (!newest.is_empty()).then(|| &newest[dice.roll(newest.len())]) else { return Ok(()) };
            other.rows("BEGIN")?;
            other.rows(&format!("UPDATE image_properties SET updated_at = updated_at WHERE image_id = '{id}'"))?;
            thread::sleep(Duration::from_millis(dice.roll(10) as u64));
            other.rows(&format!("UPDATE images SET updated_at = updated_at WHERE id = '{id}'"))?;
            other.rows("COMMIT").map(drop)
        };
        if crossed().is_err() {
            // The victim, or cut.
            other = Held::to(database);
        }
    }
}

/// How many deadlocks the server has broken.
fn deadlocks(database: &Database) -> u64 {
    let told = match database.kind() {
        Kind::Mysql => database.rows("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"),
        _ => database.rows("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"),
    };
    told[0].rsplit('|').next().unwrap().parse().unwrap()
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

    /// Waits for so many more requests.
    fn more(&self, requests: u64) {
        let wanted = self.requests.load(Ordering::Relaxed) + requests;
        eventually("there are more requests", LIMIT, || self.requests.load(Ordering::Relaxed) >= wanted);
    }
}

/// What was acknowledged of an image.
#[derive(Debug, Default)]
struct Kept {
    id: String,
    /// The last number.
    number: u64,
    member: bool,
    tag: bool,
    data: bool,
}

/// The highest number that is tried.
const NUMBERS: u64 = 5;

fn patch(http: &Client, id: &str, number: u64) -> Response {
    let change = json!([{"op": "replace", "path": "/n", "value": number.to_string()}]);
    let patch = http.request("PATCH", &format!("/v2/images/{id}"));
    patch.header("Content-Type", "application/openstack-images-v2.1-json-patch").body(change.to_string()).send()
}

/// Makes, changes, fills and deletes images by v2 until it is over. Returns those that live.
fn write_v2(http: &Client, over: &AtomicBool, tally: &Tally) -> Vec<Kept> {
    let mut all = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let made =
            http.post("/v2/images").json(&json!({"disk_format": "raw", "container_format": "bare", "n": "0"})).send();
        if !tally.judge("create", &made) {
            continue;
        }
        let mut kept = Kept { id: made.json()["id"].as_str().unwrap().to_owned(), ..Kept::default() };
        let path = format!("/v2/images/{}", kept.id);
        for number in 1..=NUMBERS {
            if tally.judge("patch", &patch(http, &kept.id, number)) {
                kept.number = number;
            }
        }
        let share = http.post(&format!("{path}/members")).json(&json!({"member": "m"})).send();
        kept.member = tally.judge("share", &share);
        kept.tag = tally.judge("tag", &http.put(&format!("{path}/tags/t")).send());
        let data = http.put(&format!("{path}/file")).header("Content-Type", "application/octet-stream");
        kept.data = tally.judge("upload", &data.body(b"abc").send());
        tally.judge("show", &http.get(&path));
        tally.judge("list", &http.get("/v2/images?limit=5"));
        if all.len() % 2 == 0 || !tally.judge("delete", &http.delete(&path)) {
            all.push(kept);
        }
    }
    all
}

/// The same by v1, which brings the data at once.
fn write_v1(http: &Client, over: &AtomicBool, tally: &Tally) -> Vec<Kept> {
    let mut all = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let made = http.post("/v1/images").headers(&minimal_headers("v1")).body(b"abc").send();
        if !tally.judge("v1 create", &made) {
            continue;
        }
        let mut kept = Kept { data: true, ..Kept::default() };
        kept.id = made.json()["image"]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/images/{}", kept.id);
        for number in 1..=NUMBERS {
            let change = http.put(&path).header("X-Image-Meta-Property-N", &number.to_string()).send();
            if tally.judge("v1 update", &change) {
                kept.number = number;
            }
        }
        kept.member = tally.judge("v1 share", &http.put(&format!("{path}/members/m")).send());
        tally.judge("v1 list", &http.get("/v1/images/detail?limit=5"));
        if all.len() % 2 == 0 || !tally.judge("v1 delete", &http.delete(&path)) {
            all.push(kept);
        }
    }
    all
}

/// What was acknowledged is there. An image that is gone was to be deleted, though nobody heard that it is.
fn is_there(http: &Client, kept: &Kept) {
    let path = format!("/v2/images/{}", kept.id);
    let answer = http.get(&path);
    if answer.status == 404 {
        return;
    }
    let image = answer.expect(200).json();
    let number = image["n"].as_str().map_or(0, |number| number.parse().unwrap());
    assert!((kept.number..=NUMBERS).contains(&number), "{kept:?}: {image}");
    assert!(!kept.tag || image["tags"] == json!(["t"]), "{kept:?}: {image}");
    assert!(!kept.data || image["status"] == "active", "{kept:?}: {image}");
    let members = http.get(&format!("/v1/images/{}/members", kept.id)).expect(200).json();
    assert!(!kept.member || members["members"][0]["member_id"] == "m", "{kept:?}: {members}");
    if image["status"] == "active" {
        assert_eq!(http.get(&format!("{path}/file")).expect(200).body, b"abc", "{kept:?}");
    }
}

/// Writes while something is done to the database, and judges what comes of it. The number of requests, and of those
/// whose outcome nobody knows.
fn storm(database: &Database, setup: Setup, disturb: impl FnOnce(&Tally)) -> (u64, u64) {
    let kind = database.kind();
    let gander = setup.on(database).start();
    let (over, tally) = (AtomicBool::new(false), Tally::default());
    let all: Vec<Vec<Kept>> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let http = gander.client();
                let (over, tally) = (&over, &tally);
                let write = if writer % 2 == 0 { write_v2 } else { write_v1 };
                scope.spawn(move || write(&http, over, tally))
            })
            .collect();
        disturb(&tally);
        over.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let (requests, uncertain) = (tally.requests.into_inner(), tally.uncertain.into_inner());
    let wrong = tally.wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{kind:?}: {wrong:#?}");
    let log = gander.log();
    let told: u64 = UNCERTAIN.iter().map(|words| log.matches(words).count() as u64).sum();
    assert!(uncertain <= told, "{kind:?}: {uncertain} times 503, of which the log explains {told}: {log}");
    // By v1, an upload of which nobody knows how it ended leaves an image that is `killed`.
    let stuck = "SELECT id, status FROM images WHERE status NOT IN ('queued', 'active', 'deleted', 'killed')";
    eventually("no image is stuck", LIMIT, || database.rows(stuck).is_empty());
    all.iter().flatten().for_each(|kept| is_there(&gander.client(), kept));
    (requests, uncertain)
}

#[test]
fn lost_connections_and_deadlocks_lose_nothing_else() {
    let (seed, seconds) = (option("GANDER_CUTS_SEED", 1), option("GANDER_CUTS_SECONDS", 5));
    for kind in SERVERS {
        let Some(database) = Database::of_server(kind) else { continue };
        let mut cuts = 0_u64;
        let before = deadlocks(&database);
        let (requests, uncertain) = storm(&database, Setup::api(""), |_| {
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                for number in 0..2 {
                    let (database, over) = (&database, &over);
                    scope.spawn(move || cross(database, over, Dice::new(seed + number)));
                }
                let (mut own, mut dice) = (Held::to(&database), Dice::new(seed));
                let end = Instant::now() + Duration::from_secs(seconds);
                while Instant::now() < end {
                    cuts += u64::from(cut_one(&database, &mut own, &mut dice));
                    thread::sleep(Duration::from_millis(dice.roll(30) as u64));
                }
                over.store(true, Ordering::Relaxed);
            });
        });
        let broken = deadlocks(&database) - before;
        println!("{kind:?}, seed {seed}: {requests} requests, {cuts} cuts, {broken} deadlocks, {uncertain} uncertain");
        assert!(requests > 50 && cuts > 20 && broken > 0 && uncertain * 10 < requests, "{kind:?}: {requests} {cuts}");
    }
}

/// With patience, which is an option.
fn patient() -> Setup {
    let setup = Setup::api("").set("database.use_db_reconnect", true).set("database.db_max_retries", -1);
    setup.set("database.db_inc_retry_interval", false)
}

#[test]
fn a_server_that_crashes_and_comes_back_loses_nothing_else() {
    for kind in SERVERS {
        let Some(database) = Database::alone(kind, false) else { continue };
        let (requests, uncertain) = storm(&database, patient(), |tally| {
            for _ in 0..2 {
                tally.more(50);
                database.server().server_shall("restart").unwrap();
            }
            tally.more(50);
        });
        println!("{kind:?}: {requests} requests, {uncertain} uncertain");
        assert!(uncertain <= 2 * WRITERS, "{kind:?}: {uncertain}");
    }
}

#[test]
fn a_server_that_hangs_is_waited_for() {
    let seconds = option("GANDER_HANG_SECONDS", 3);
    for kind in SERVERS {
        let Some(database) = Database::alone(kind, false) else { continue };
        let (requests, uncertain) = storm(&database, Setup::api(""), |tally| {
            tally.more(50);
            database.server().server_shall("hang").unwrap();
            thread::sleep(Duration::from_secs(seconds));
            database.server().server_shall("wake").unwrap();
            tally.more(50);
        });
        println!("{kind:?}: {requests} requests, {uncertain} uncertain");
        assert!(uncertain == 0 || seconds > 20, "{kind:?}: {uncertain}");
    }
}

#[test]
fn a_server_that_hangs_is_not_waited_for_for_ever() {
    for kind in SERVERS {
        let Some(database) = Database::alone(kind, false) else { continue };
        let gander = Setup::api("").on(&database).set("database.pool_timeout", 1).start();
        let http = gander.client();
        let id = http.add_image("x");
        database.server().server_shall("hang").unwrap();
        let asked = Instant::now();
        http.get("/v2/images").expect(503);
        patch(&http, &id, 1).expect(503);
        assert!(asked.elapsed() < Duration::from_secs(20), "{kind:?}: {:?}", asked.elapsed());
        database.server().server_shall("wake").unwrap();
        eventually("the database is asked again", LIMIT, || http.get(&format!("/v2/images/{id}")).status == 200);
        http.delete(&format!("/v2/images/{id}")).expect(204);
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
            thread::spawn(move || patch(&http, &id, 2))
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

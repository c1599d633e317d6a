//! Gander answers as Glance did: each file `exchanges/NAME.json` holds requests and what a real Glance (of the release
//! that `exchanges/glance.py` names) answered to them; `exchanges/record` asks it again.
//!
//! Where the specification asks for another answer, the step says it (`expect_instead`) and why. Descriptions in schemas
//! and the explanations of the validator are free text and not compared; neither are identifiers and times that the
//! server chose.

mod answer;
mod compare;
mod request;
mod script;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Client, Gander, Origin, Setup};

use answer::Normal;
use compare::differences;
use script::{Common, Script, Step};

/// What the web server holds that images may come from.
const ORIGIN_DATA: [u8; 5120] = [0; 5120];

/// Names `host:port` of a server to ask instead of Gander, a real Glance: its own answers are then expected.
const ENDPOINT: &str = "GANDER_EXCHANGES_ENDPOINT";
/// The directory of that server.
const WORK: &str = "GANDER_EXCHANGES_WORK";

macro_rules! files {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_file_is_replayed() {
            let tests = BTreeSet::from([$(stringify!($name).to_owned()),*]);
            let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
            let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
            let mut names: BTreeSet<_> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
            assert!(names.remove("setup"));
            assert_eq!(names, tests);
        }
    };
}

files!(
    actions,
    cache,
    cache_management,
    create,
    data,
    delete,
    discovery,
    discovery_plain,
    errors,
    info,
    info_no_import,
    inspection,
    list,
    location_api,
    locations,
    members,
    patch,
    quotas,
    schemas,
    show,
    stage,
    storage_quota,
    stores,
    tags,
);

/// Where the files are.
fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/v2/exchanges"))
}

/// Plays a file against a fresh server, and tells all differences at once.
fn replay(name: &str) {
    let common: Common = read("setup");
    let script: Script = read(name);
    let glance = env::var(ENDPOINT).ok();
    let gander = glance.is_none().then(|| start(&common, &script));
    let client = match (&glance, &gander) {
        (Some(authority), _) => {
            let (host, port) = authority.split_once(':').unwrap();
            Client::new(host, port.parse().unwrap())
        }
        (None, gander) => gander.as_ref().unwrap().client(),
    };
    let origin = Origin::serving(&ORIGIN_DATA);
    let mut names = Normal::new(&script.variables);
    names.set("host", &client.authority());
    names.set("origin", origin.url("").trim_start_matches("http://"));
    let work = gander.as_ref().map(|gander| gander.path("").display().to_string()).or_else(|| env::var(WORK).ok());
    names.set("work", work.as_deref().unwrap_or_default().trim_end_matches('/'));

    let mut report = Vec::new();
    for step in &script.steps {
        if glance.is_none() && (is_later(&step.path) || is_told_by_the_database(&step.path)) {
            continue;
        }
        let answer = play(&client, &common, &mut names, step);
        let expected = step.expect_instead.as_ref().filter(|_| glance.is_none());
        let found = match expected {
            Some(instead) => differences(instead, &answer, false),
            None if glance.is_none() => differences(&everywhere(&step.answer, &answer), &answer, true),
            None => differences(&step.answer, &answer, true),
        };
        if !found.is_empty() {
            let why = expected.map_or(String::new(), |_| format!("\n    (another answer than Glance's: {})", step.why));
            let call = format!("{} {} {}", step.who, step.method, step.path);
            report.push(format!("* {}: {call}{why}\n    {}", step.name, found.join("\n    ")));
        }
    }
    let wrong = report.len();
    assert!(wrong == 0, "{name}.json: {wrong} of {} steps differ\n{}", script.steps.len(), report.join("\n"));
}

/// A recorded answer, but for what Gander does otherwise everywhere: it has no ways of import to tell of, and answers of its
/// may have a request id where Glance's have none.
fn everywhere(recorded: &Value, found: &Value) -> Value {
    let mut expected = recorded.clone();
    if let Some(headers) = expected.get_mut("headers").and_then(Value::as_object_mut) {
        headers.remove("OpenStack-image-import-methods");
    }
    if expected["request_id"] == false && found.get("request_id").is_none() {
        expected.as_object_mut().unwrap().remove("request_id");
    }
    if let Some(methods) = expected.pointer_mut("/json/import-methods/value") {
        *methods = Value::Array(Vec::new());
    }
    expected
}

/// Imports and their tasks are not there yet.
fn is_later(path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let import = path.ends_with("/import") && !path.ends_with("/info/import");
    import || path.starts_with("/v2/tasks") || path.ends_with("/tasks")
}

/// Where NULLs come in an order, and whether case matters, is the database's (database §6, §8); Glance's answers were
/// recorded on SQLite. What follows from such an answer is left out, too.
fn is_told_by_the_database(path: &str) -> bool {
    let decided = ["sort=", "sort_key=", "name=BEE", "${next}"].iter().any(|part| path.contains(part));
    decided && testdb::Kind::chosen() != testdb::Kind::Sqlite
}

/// The answer to a step; asked for again while it is not yet what the step waits for.
fn play(client: &Client, common: &Common, names: &mut Normal, step: &Step) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let response = request::build(client, common, names, step).try_send();
        let Ok(response) = response else { return serde_json::json!({"dropped": true}) };
        let json = answer::json(&response);
        let at = |pointer: &str| json.as_ref().and_then(|json| json.pointer(pointer)).unwrap_or(&Value::Null);
        if step.until.iter().all(|(pointer, value)| at(pointer) == value) || Instant::now() > deadline {
            for (name, pointer) in &step.save {
                names.set(name, at(pointer).as_str().unwrap_or("nothing was saved"));
            }
            let mut answer = answer::kept(&response, json, names);
            if step.brief {
                answer::shorten(&mut answer);
            }
            return answer;
        }
        // The other side works in the background; there is nothing to wait on but the clock.
        thread::sleep(Duration::from_millis(50));
    }
}

/// Gander with the pipelines and options that the recorded Glance had.
fn start(common: &Common, script: &Script) -> Gander {
    let paste = fs::read_to_string(directory().join("paste.ini")).unwrap();
    let mut setup = Setup::api(script.flavor.as_deref().unwrap_or("cachemanagement")).paste(&paste);
    setup.policy("{}");
    fs::create_dir(setup.path("staging")).unwrap();
    let staging = format!("file://{}", setup.path("staging").display());
    setup = setup.set("node_staging_uri", staging).set("enable_v1_api", false);
    let work = setup.path("").display().to_string();
    for (name, value) in common.options.iter().chain(&script.options) {
        setup = match value {
            Some(value) => setup.set(name, value.replace("${work}", work.trim_end_matches('/'))),
            None => setup.unset(name),
        };
    }
    setup.start()
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let text = fs::read_to_string(directory().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"))
}

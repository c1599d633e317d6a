//! The log as its options want it (configuration §3.1, operations §10).

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::harness::{Gander, Setup};

/// Makes the server warn in a request of `u` of project `p`: an origin that nobody listens at. The request's id.
fn warned(gander: &Gander) -> String {
    let caller = gander.client().acting_as("u", "p", "admin").with("X-User-Domain-Id", "ud");
    let id = caller.reserve("a", &[("x-image-meta-location", "http://127.0.0.1:1/images/1")]);
    let answer = caller.get(&format!("/v1/images/{id}"));
    answer.header("x-openstack-request-id").unwrap().to_owned()
}

/// The line with which it warned.
fn warning<'a>(log: &'a str, id: &str) -> &'a str {
    let about = |line: &&str| line.contains("the origin of an http location cannot be asked") && line.contains(id);
    log.lines().find(about).unwrap_or_else(|| panic!("{id}: {log}"))
}

#[test]
fn a_line_of_a_request_says_whose_it_is() {
    let gander = Setup::behind_proxy().start();
    let id = warned(&gander);
    let log = gander.log();
    let line = warning(&log, &id);
    assert!(line.contains(&format!(" WARNING gander::store::http::fetch [None {id} u p - - ")), "{line}");
}

#[test]
fn the_line_of_a_request_has_a_form_of_its_own() {
    let setup =
        Setup::behind_proxy().set("logging_context_format_string", "<%(user_identity)s> %(request_id)s %(message)s");
    let gander = setup.set("logging_user_identity_format", "%(user)s of %(project)s").start();
    let id = warned(&gander);
    let log = gander.log();
    assert!(warning(&log, &id).starts_with(&format!("<u of p> {id} the origin")), "{log}");
    assert!(log.contains("DEBUG [glance-api] ****"), "{log}");
}

#[test]
fn json_has_the_keys_of_oslo_log() {
    let gander = Setup::behind_proxy().set("use_json", "True").start();
    let id = warned(&gander);
    let log = gander.log();
    let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let record = records.iter().find(|record| record["context"]["request_id"] == id.as_str()).unwrap();
    assert_eq!((record["levelname"].as_str(), record["levelno"].as_u64()), (Some("WARNING"), Some(30)));
    assert_eq!(record["name"], "gander::store::http::fetch");
    assert_eq!((&record["context"]["user"], &record["context"]["project"]), (&"u".into(), &"p".into()));
    assert!(record["message"].as_str().unwrap().starts_with("the origin of"), "{record}");
    for key in ["asctime", "created", "process", "hostname", "pathname", "lineno", "extra"] {
        assert!(!record[key].is_null(), "{key}: {record}");
    }
}

#[test]
fn a_file_and_standard_error_at_once() {
    let gander = Setup::api("").set("use_stderr", "True").start();
    gander.client().get("/v1/images").expect(200);
    for log in [gander.log(), fs::read_to_string(gander.path("output.txt")).unwrap()] {
        assert!(log.contains("DEBUG [glance-api] ****"), "{log}");
    }
}

#[test]
fn a_full_file_is_put_aside() {
    let setup =
        Setup::api("").set("log_rotation_type", "Size").set("max_logfile_size_mb", 1).set("max_logfile_count", 2);
    let full = "x".repeat(1 << 20);
    fs::write(setup.path("server.log"), &full).unwrap();
    fs::write(setup.path("server.log.1"), "older").unwrap();
    fs::write(setup.path("server.log.2"), "oldest").unwrap();
    let gander = setup.start();
    assert_eq!(fs::read_to_string(gander.path("server.log.1")).unwrap(), full);
    assert_eq!(fs::read_to_string(gander.path("server.log.2")).unwrap(), "older");
    assert!(!gander.path("server.log.3").exists());
    assert!(gander.log().contains("DEBUG [glance-api] ****"));
}

#[test]
fn a_file_whose_time_is_over_is_put_aside() {
    let setup = Setup::api("").set("log_rotation_type", "interval").set("log_rotate_interval_type", "midnight");
    fs::write(setup.path("server.log"), "of the day before\n").unwrap();
    let before = SystemTime::now() - Duration::from_secs(2 * 86_400);
    File::options().append(true).open(setup.path("server.log")).unwrap().set_modified(before).unwrap();
    let gander = setup.start();
    let names = fs::read_dir(gander.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let aside: Vec<String> = names.filter(|name| name.starts_with("server.log.20")).collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(fs::read_to_string(gander.path(&aside[0])).unwrap(), "of the day before\n");
    assert!(!gander.log().contains("of the day before"));
}

#[test]
fn single_loggers_have_levels_of_their_own() {
    let levels = "amqp=WARN, glance=WARNING, gander::config=DEBUG, sqlalchemy=DEBUG";
    let gander = Setup::api("").set("default_log_levels", levels).start();
    gander.client().get("/v1/images").expect(200);
    let log = gander.log();
    assert!(log.contains("DEBUG [glance-api] ****") && !log.contains("GET /v1/images"), "{log}");
    let outcome = Setup::api("").set("default_log_levels", "gander=LOUD").run_to_end();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("default_log_levels: 'gander=LOUD' is not logger=LEVEL"), "{outcome:?}");
}

#[test]
fn flags_win_over_the_files() {
    let gander = Setup::api("")
        .set("use_json", "True")
        .set("use_syslog", "True")
        .arg("--nouse-json")
        .arg("--nouse-syslog")
        .start();
    assert!(gander.log().contains("DEBUG [glance-api] ****"));
}

#[test]
fn what_rotation_cannot_be_is_refused() {
    let rotating = || Setup::api("").set("log_rotation_type", "interval");
    for (setup, told) in [
        (rotating().set("log_rotate_interval", 0), "log_rotate_interval: must be at least 1"),
        (
            rotating().set("log_rotate_interval_type", "weekday").set("log_rotate_interval", 7),
            "log_rotate_interval: a day of the week is 0 (Monday) to 6",
        ),
        (rotating().set("log_rotate_interval_type", "years"), "'years' is not one of Seconds, Minutes"),
    ] {
        let outcome = setup.run_to_end();
        assert!(outcome.code == Some(1) && outcome.stderr.contains(told), "{outcome:?}");
    }
}

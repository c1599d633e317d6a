//! Rules of policy that ask another server (policy-and-auth §3.1, §3.2).

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::people::{People, register};
use crate::harness::{Asked, Judge, Setup, eventually, free_port, gander_command, run};

pub(super) fn setup(policy: &str) -> Setup {
    let setup = Setup::behind_proxy().built_in_rules();
    fs::write(setup.path("policy.yaml"), policy).unwrap();
    setup
}

/// A server that always says the same.
fn saying(text: &str) -> Judge {
    let text = text.to_owned();
    Judge::of(move |_| (200, text.clone()))
}

/// What a form's fields hold.
fn fields(asked: &Asked) -> BTreeMap<String, Value> {
    let fields = url::form_urlencoded::parse(asked.body.as_bytes());
    fields.map(|(name, value)| (name.into_owned(), serde_json::from_str(&value).unwrap())).collect()
}

#[test]
fn the_server_is_told_all_and_one_word_permits() {
    let judge = Judge::of(|asked| (200, if asked.path == "/may/project-a?x=1" { "True" } else { "False" }.to_owned()));
    let people = People::of(setup(&format!("get_images: 'http:{}'\n", judge.url("/may/%(project_id)s?x=1"))));
    people.alice.get("/v2/images").expect(200);
    people.bob.get("/v2/images").expect(403);
    let asked = judge.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[1].path, "/may/project-b?x=1");
    assert_eq!(asked[0].content_type, "application/x-www-form-urlencoded");
    let fields = fields(&asked[0]);
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["credentials", "rule", "target"]);
    assert_eq!(fields["rule"], "get_images");
    assert_eq!(fields["target"], json!({"project_id": "project-a"}));
    let credentials = fields["credentials"].as_object().unwrap();
    assert_eq!(credentials["user_id"], "u-alice");
    assert_eq!(credentials["project_id"], "project-a");
    assert_eq!(credentials["roles"], json!(["member", "reader"]));
    assert_eq!(credentials.get("is_admin_project"), Some(&json!(true)));
    assert_eq!(credentials.get("system_scope"), Some(&Value::Null));
    // Nor is anything else of the caller told, least of all a token.
    assert_eq!(credentials.len(), 13, "{credentials:?}");
}

#[test]
fn one_object_of_json_tells_the_same() {
    let judge = saying("\"True\"");
    let setup = setup(&format!("get_image: 'http:{}'\n", judge.url("/")));
    let people = People::of(setup.set("oslo_policy.remote_content_type", "application/json"));
    let image = register(&people.alice, &json!({"name": "i", "tags": ["t"], "kind": "k", "visibility": "community"}));
    people.bob.get(&image).expect(200);
    let asked = judge.asked().pop().unwrap();
    assert_eq!(asked.content_type, "application/json");
    let told: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(told["rule"], "get_image");
    assert_eq!(told["credentials"]["project_id"], "project-b");
    for (name, value) in [
        ("id", json!(image.rsplit('/').next())),
        ("name", json!("i")),
        ("owner", json!("project-a")),
        ("project_id", json!("project-a")),
        ("visibility", json!("community")),
        ("status", json!("queued")),
        ("tags", json!(["t"])),
        ("kind", json!("k")),
        ("member_id", Value::Null),
    ] {
        assert_eq!(told["target"].get(name), Some(&value), "{told}");
    }
}

#[test]
fn whatever_goes_wrong_denies_and_is_logged() {
    let judge = Judge::of(|asked| match asked.path.as_str() {
        "/true" => (200, "True".to_owned()),
        "/long" => (200, format!("True{}", " ".repeat(100_000))),
        "/moved" => (302, "True".to_owned()),
        _ => (500, "True".to_owned()),
    });
    let people = People::of(setup(""));
    let nobody = format!("//127.0.0.1:{}/", free_port());
    for (check, status, logged) in [
        (format!("http:{}", judge.url("/true")), 200, None),
        (format!("not http:{}", judge.url("/true")), 403, None),
        (format!("not http:{}", judge.url("/long")), 200, None),
        (format!("http:{}", judge.url("/long")), 403, None),
        (format!("http:{}", judge.url("/broken")), 403, Some("but status 500")),
        (format!("not http:{}", judge.url("/broken")), 403, Some("but status 500")),
        (format!("http:{}", judge.url("/moved")), 403, Some("but status 302")),
        (format!("http:{nobody}"), 403, Some("refused")),
        (format!("not http:{nobody}"), 403, Some("refused")),
        // Plain text where a handshake is due.
        (format!("https:{}", judge.url("/true")), 403, Some("gives no answer")),
        ("http://".to_owned(), 403, Some("no usable URL")),
        (format!("not http:{}", judge.url("/%(missing)s")), 403, None),
        // What settles the matter anyway needs no answer.
        (format!("http:{nobody} or role:reader"), 200, None),
        (format!("http:{} and role:admin", judge.url("/true")), 403, None),
    ] {
        let told = people.gander.log().len();
        let next = people.gander.path("next.yaml");
        fs::write(&next, json!({"get_images": check}).to_string()).unwrap();
        fs::rename(next, people.gander.path("policy.yaml")).unwrap();
        let answer = people.alice.get("/v2/images");
        assert_eq!(answer.status, status, "{check}: {}", answer.text());
        let log = people.gander.log().split_off(told);
        let wanted = logged.map_or(!log.contains("is denied"), |words| {
            log.contains("policy: rule \"get_images\" is denied: ") && log.contains(words)
        });
        assert!(wanted, "{check}: {log}");
    }
}

#[test]
fn a_server_that_does_not_answer_in_time_denies() {
    let judge = Judge::of(|_| {
        loop {
            thread::park();
        }
    });
    let setup = setup(&format!("get_images: 'http:{}'\n", judge.url("/")));
    let people = People::of(setup.set("oslo_policy.remote_timeout", "0.2"));
    people.alice.get("/v2/images").expect(403);
    let log = people.gander.log();
    assert!(log.contains("not in time"), "{log}");
}

#[test]
fn a_list_waits_for_a_silent_server_once() {
    let judge = Judge::of(|_| {
        loop {
            thread::park();
        }
    });
    let setup = setup(&format!("get_image: 'role:admin or http:{}'\n", judge.url("/%(name)s")));
    let people = People::of(setup.set("oslo_policy.remote_timeout", "0.5"));
    for name in ["a", "b", "c"] {
        register(&people.admin, &json!({"name": name, "visibility": "public"}));
    }
    assert_eq!(people.alice.get("/v2/images").expect(200).json()["images"], json!([]));
    assert_eq!(judge.asked().len(), 1);
}

#[test]
fn passwords_of_servers_are_told_to_nobody() {
    let policy = "a: 'https://u:geheim@judge.example/'\nb: 'https://u:p%40geheim@judge.example/'\n\
                  c: 'https://u:geheim@judge.example/ role:a'\n";
    let people = People::of(setup(policy));
    people.alice.get("/v2/images").expect(200);
    let log = people.gander.log();
    assert!(log.contains("a URL has a '%'") && !log.contains("geheim"), "{log}");
    let conf = people.gander.path("glance-api.conf");
    for words in [&["list"][..], &["list", "--format", "json"], &["check", "--explain"]] {
        let mut command = gander_command();
        let outcome = run(command.arg("policy").args(words).arg("--config-file").arg(&conf));
        assert!(outcome.stdout.contains("https://u:****@judge.example/"), "{}", outcome.stdout);
        assert!(!outcome.stdout.contains("geheim"), "{}", outcome.stdout);
    }
}

#[test]
fn nobody_else_waits_for_the_server() {
    /// More than there are threads that serve.
    const WAITING: usize = 40;
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let held = Arc::clone(&gate);
    let judge = Judge::of(move |asked| {
        if asked.path == "/project-a" {
            let (open, changed) = &*held;
            drop(changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        }
        (200, "True".to_owned())
    });
    let people = People::of(setup(&format!("get_images: 'http:{}'\n", judge.url("/%(project_id)s"))));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..WAITING).map(|_| scope.spawn(|| people.alice.get("/v2/images").status)).collect();
        eventually("all wait for the server", Duration::from_secs(30), || judge.asked().len() == WAITING);
        people.bob.get("/v2/images").expect(200);
        people.bob.get("/v2/schemas/image").expect(200);
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        assert!(waiting.into_iter().all(|answer| answer.join().unwrap() == 200));
    });
}

#[test]
fn each_image_of_a_list_is_judged_by_the_server() {
    let judge = Judge::of(|asked| (200, if asked.path == "/good" { "True" } else { "False" }.to_owned()));
    let people = People::of(setup(&format!("get_image: 'http:{}'\n", judge.url("/%(name)s"))));
    for name in ["good", "bad", "good"] {
        register(&people.alice, &json!({"name": name}));
    }
    let list = people.alice.get("/v2/images").expect(200).json();
    let names: Vec<_> = list["images"].as_array().unwrap().iter().map(|image| image["name"].clone()).collect();
    assert_eq!(names, ["good", "good"]);
}

#[test]
fn rules_of_properties_ask_nobody_and_deny() {
    let judge = saying("True");
    let setup = setup(&format!("stewards: 'role:admin or http:{}'\n", judge.url("/")));
    let file = setup.path("protections.ini");
    fs::write(&file, "[.*]\ncreate = stewards\nread = stewards\nupdate = stewards\ndelete = stewards\n").unwrap();
    let setup = setup.set("property_protection_file", file.display());
    let people = People::of(setup.set("property_protection_rule_format", "policies"));
    people.alice.post("/v2/images").json(&json!({"name": "i", "kind": "k"})).send().expect(403);
    register(&people.admin, &json!({"name": "i", "kind": "k"}));
    assert!(judge.asked().is_empty());
    people.reader.get("/v2/images").expect(200);
    let log = people.gander.log();
    let told = "policy: rule \"stewards\" is denied: for properties no server is asked";
    assert_eq!(log.matches(told).count(), 1, "{log}");
}

#[test]
fn the_operators_command_asks_as_well() {
    let judge = Judge::of(|asked| (200, if asked.path == "/p" { "True" } else { "False" }.to_owned()));
    let check = format!("http:{}", judge.url("/%(project_id)s"));
    let gone = format!("http://127.0.0.1:{}/", free_port());
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("glance-api.conf"), "").unwrap();
    fs::write(dir.path().join("policy.yaml"), json!({"get_images": check, "gone": gone}).to_string()).unwrap();
    for (project, rule, code, told) in [
        ("p", "get_images", 0, format!("  passed: {check}\n")),
        ("q", "get_images", 1, format!("  failed: {check}\n")),
        ("p", "gone", 1, format!("  fault: {gone} (no answer from {gone})\n")),
    ] {
        let mut command = gander_command();
        command.args(["policy", "check", "--explain", "--rule", rule, "--project-id", project]);
        let outcome = run(command.arg("--config-file").arg(dir.path().join("glance-api.conf")));
        assert_eq!(outcome.code, Some(code), "{outcome:?}");
        assert!(outcome.stdout.ends_with(&told), "{told}: {outcome:?}");
    }
}

#[test]
fn what_cannot_be_used_ends_the_start() {
    for (option, value) in [
        ("remote_content_type", "text/plain"),
        ("remote_timeout", "0"),
        ("remote_timeout", "soon"),
        ("remote_ssl_client_crt_file", "/nonexistent.pem"),
    ] {
        let outcome = setup("").set(&format!("oslo_policy.{option}"), value).run_to_end();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let named = if value.starts_with('/') { value } else { option };
        assert!(outcome.stderr.contains(named), "{outcome:?}");
    }
    let unread = setup("").set("oslo_policy.remote_ssl_ca_crt_file", "/nonexistent.pem");
    let outcome = unread.set("oslo_policy.remote_ssl_verify_server_crt", "true").run_to_end();
    assert!(outcome.code == Some(1) && outcome.stderr.contains("/nonexistent.pem"), "{outcome:?}");
}

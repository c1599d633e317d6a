//! A Keystone that is away, or does not answer: nobody is let in, and nobody is told that his token is bad.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{Client, Keystone, eventually, unique};

fn expect_unavailable(client: &Client, target: &str) {
    let refused = client.get(target).expect(503);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait));
}

#[test]
fn while_keystone_is_stopped_only_those_who_are_remembered_come_in() {
    let Some(keystone) = Keystone::start() else { return };
    let gander = keystone.setup("keystone").start();
    let project = keystone.add_project(&unique("project"));
    let token = || gander.client().with("X-Auth-Token", &keystone.member(&unique("user"), &project, &["member"]));
    let (known, unknown) = (token(), token());
    known.get("/v2/images").expect(200);
    keystone.stop();
    for target in ["/v2/images", "/v1/images"] {
        expect_unavailable(&unknown, target);
        known.get(target).expect(200);
        expect_unavailable(&gander.client().with("X-Auth-Token", "nonsense"), target);
        gander.client().get(target).expect(401);
    }
    keystone.start_again();
    eventually("it is asked again", Duration::from_secs(20), || unknown.get("/v2/images").status == 200);
    gander.client().with("X-Auth-Token", "other nonsense").get("/v2/images").expect(401);
}

#[test]
fn a_keystone_that_hangs_holds_up_few() {
    let Some(keystone) = Keystone::start() else { return };
    let gander = keystone.setup("keystone").set("keystone_authtoken.http_connect_timeout", 1).start();
    let project = keystone.add_project(&unique("project"));
    let token = || gander.client().with("X-Auth-Token", &keystone.member(&unique("user"), &project, &["member"]));
    let (known, unknown) = (token(), token());
    // A second may be short for a machine that is busy.
    eventually("the token is known", Duration::from_secs(30), || known.get("/v2/images").status == 200);
    keystone.signal(Signal::STOP);
    // The first waits for nothing, and those who come meanwhile with it; later ones hear at once.
    expect_unavailable(&unknown, "/v2/images");
    let started = Instant::now();
    known.get("/v2/images").expect(200);
    for _ in 0..20 {
        unknown.get("/v2/images").expect(503);
    }
    // Each by itself would take a second.
    assert!(started.elapsed() < Duration::from_secs(10));
    keystone.signal(Signal::CONT);
    eventually("it is asked again", Duration::from_secs(20), || unknown.get("/v2/images").status == 200);
}

#[test]
fn a_server_that_keystone_does_not_know_lets_nobody_in() {
    let Some(keystone) = Keystone::shared() else { return };
    let gander = keystone.setup("keystone").set("keystone_authtoken.password", "wrong").start();
    let project = keystone.add_project(&unique("project"));
    let token = keystone.member(&unique("user"), &project, &["admin"]);
    expect_unavailable(&gander.client().with("X-Auth-Token", &token), "/v2/images");
    let log = gander.log();
    assert!(log.contains("credentials are not accepted"), "{log}");
    assert!(!log.contains("wrong") && !log.contains(&token), "a secret is in the log");
}

#[test]
fn a_keystone_that_hangs_holds_up_those_who_come_together_once() {
    let Some(keystone) = Keystone::start() else { return };
    let gander = keystone.setup("keystone").set("keystone_authtoken.http_connect_timeout", 1).start();
    keystone.signal(Signal::STOP);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for n in 0..12 {
            let client = gander.client().with("X-Auth-Token", &format!("unknown-{n}"));
            scope.spawn(move || client.get("/v2/images").expect(503));
        }
    });
    // Twelve logins one after the other would take twelve seconds.
    assert!(started.elapsed() < Duration::from_secs(6));
    keystone.signal(Signal::CONT);
}

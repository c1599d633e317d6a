//! Limits that Keystone keeps (`use_keystone_limits`, policy-and-auth §8.2).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Keystone, Origin, Response, Setup, minimal_headers, unique};

const MIB: usize = 1 << 20;

/// The images of a cloud with limits; each has a service of its own in the catalogue.
struct Limited<'a> {
    keystone: &'a Keystone,
    gander: Gander,
    service: String,
    registered: BTreeMap<&'static str, String>,
    project: String,
    alice: Client,
}

impl<'a> Limited<'a> {
    /// With these limits for everybody; of what is missing, there is none to be had.
    fn to(keystone: &'a Keystone, limits: &[(&'static str, i64)], adapt: impl FnOnce(Setup) -> Setup) -> Self {
        let (service, endpoint) = offer(keystone);
        let setup = adapt(asking(keystone).set("oslo_limit.endpoint_id", endpoint));
        let gander = setup.start();
        let project = keystone.add_project(&unique("project"));
        let alice =
            gander.client().with("X-Auth-Token", &keystone.member(&unique("alice"), &project, &["member", "reader"]));
        let mut limited = Self { keystone, gander, service, registered: BTreeMap::new(), project, alice };
        limits.iter().for_each(|(resource, limit)| limited.register(resource, *limit));
        limited
    }

    /// Sets a limit for everybody.
    fn register(&mut self, resource: &'static str, limit: i64) {
        if let Some(id) = self.registered.get(resource) {
            let change = json!({"registered_limit": {"default_limit": limit}});
            self.keystone.ask("PATCH", &format!("registered_limits/{id}"), &change).expect(200);
            return;
        }
        let new = json!({"registered_limits": [{"service_id": self.service, "region_id": "RegionOne",
            "resource_name": resource, "default_limit": limit}]});
        let made = self.keystone.ask("POST", "registered_limits", &new).expect(201).json();
        self.registered.insert(resource, made["registered_limits"][0]["id"].as_str().unwrap().to_owned());
    }

    /// Sets a limit for Alice's project.
    fn grant(&self, resource: &str, limit: i64) {
        let new = json!({"limits": [{"service_id": self.service, "region_id": "RegionOne",
            "project_id": self.project, "resource_name": resource, "resource_limit": limit}]});
        self.keystone.ask("POST", "limits", &new).expect(201);
    }

    fn over(&self, refused: Response, resource: &str, limit: u64, usage: u64, delta: u64) {
        let text = refused.expect(413).text();
        let said = format!(
            "Project {} is over a limit for [Resource {resource} is over limit of {limit} due to current usage {usage} \
             and delta {delta}]",
            self.project
        );
        assert!(text.contains(&said), "{text}");
    }

    fn usage(&self) -> Value {
        self.alice.get("/v2/info/usage").expect(200).json()["usage"].clone()
    }
}

/// A service of images in the catalogue, and its endpoint.
fn offer(keystone: &Keystone) -> (String, String) {
    let service = json!({"service": {"type": "image", "name": unique("glance")}});
    let service = keystone.ask("POST", "services", &service).expect(201).json();
    let service = service["service"]["id"].as_str().unwrap().to_owned();
    let endpoint = json!({"endpoint": {"service_id": service, "interface": "public", "url": "http://127.0.0.1:1",
        "region_id": "RegionOne"}});
    let endpoint = keystone.ask("POST", "endpoints", &endpoint).expect(201).json();
    (service, endpoint["endpoint"]["id"].as_str().unwrap().to_owned())
}

/// A server that asks for limits as somebody who may see them all.
fn asking(keystone: &Keystone) -> Setup {
    let name = unique("limits");
    let user = keystone.add_user(&name);
    keystone.grant("system", &user, "reader");
    keystone
        .setup("keystone")
        .set("use_keystone_limits", "true")
        .set("oslo_limit.auth_url", keystone.url())
        .set("oslo_limit.auth_type", "password")
        .set("oslo_limit.username", name)
        .set("oslo_limit.password", crate::harness::PASSWORD)
        .set("oslo_limit.user_domain_id", "default")
        .set("oslo_limit.system_scope", "all")
}

const PLENTY: [(&str, i64); 4] =
    [("image_size_total", 100), ("image_stage_total", 100), ("image_count_total", 100), ("image_count_uploading", 100)];

fn add_by_v1(client: &Client) -> Response {
    client.post("/v1/images").headers(&minimal_headers("i")[..4]).data(b"some").send()
}

/// Security S26: nobody fills the database beyond what Keystone lets his project have, by neither API.
#[test]
fn s26_images_are_counted() {
    let Some(keystone) = Keystone::shared() else { return };
    let mut limited = Limited::to(&keystone, &PLENTY, |setup| setup);
    limited.register("image_count_total", 2);
    let alice = &limited.alice;
    let id = alice.register("raw", "bare");
    add_by_v1(alice).expect(201);
    limited.over(alice.post("/v2/images").json(&json!({"name": "i"})).send(), "image_count_total", 2, 2, 1);
    limited.over(add_by_v1(alice), "image_count_total", 2, 2, 1);
    // Those of others do not count, and what is deleted leaves its place to another.
    let project = keystone.add_project(&unique("project"));
    let bob = keystone.member(&unique("bob"), &project, &["member"]);
    limited.gander.client().with("X-Auth-Token", &bob).register("raw", "bare");
    alice.delete(&format!("/v2/images/{id}")).expect(204);
    alice.register("raw", "bare");
    // What is granted to the project counts at once, and -1 is no limit.
    limited.grant("image_count_total", -1);
    alice.register("raw", "bare");
    assert_eq!(limited.usage()["image_count_total"], json!({"usage": 3, "limit": -1}));
}

#[test]
fn data_is_counted_in_whole_mebibytes() {
    let Some(keystone) = Keystone::shared() else { return };
    let limited = Limited::to(
        &keystone,
        &[("image_size_total", 2), ("image_stage_total", 1), ("image_count_total", 10), ("image_count_uploading", 1)],
        // Does not count any more.
        |setup| setup.set("user_storage_quota", "10B"),
    );
    let alice = &limited.alice;
    let image = || alice.register("raw", "bare");
    alice.put_file(&image(), &vec![0; MIB + MIB / 2]).expect(204);
    limited.over(alice.put_file(&image(), &vec![0; 2 * MIB]), "image_size_total", 2, 1, 2);
    // One and a half, twice.
    alice.put_file(&image(), &vec![0; MIB + MIB / 2]).expect(204);
    let refused = image();
    limited.over(alice.put_file(&refused, &vec![0; MIB]), "image_size_total", 2, 3, 1);
    assert_eq!(alice.status(&refused), "queued");
    // Staged data has a limit of its own, and while it waits its image is on its way.
    let staged = image();
    alice.put_stage(&staged, &vec![0; MIB]).expect(204);
    limited.over(alice.put_stage(&refused, &vec![0; MIB]), "image_stage_total", 1, 1, 1);
    limited.over(alice.put_stage(&refused, b"few"), "image_count_uploading", 1, 2, 0);
    assert_eq!(alice.status(&refused), "queued");
    assert_eq!(
        limited.usage(),
        json!({
            "image_size_total": {"usage": 3, "limit": 2},
            "image_stage_total": {"usage": 1, "limit": 1},
            "image_count_total": {"usage": 5, "limit": 10},
            "image_count_uploading": {"usage": 1, "limit": 1},
        })
    );
    alice.delete(&format!("/v2/images/{staged}")).expect(204);
    limited.over(add_by_v1(alice), "image_size_total", 2, 3, 0);
}

#[test]
fn one_patch_goes_past_no_limit() {
    let Some(keystone) = Keystone::shared() else { return };
    let shown = |setup: Setup| setup.set("show_multiple_locations", "true");
    let mut limited = Limited::to(&keystone, &PLENTY, shown);
    limited.register("image_size_total", 2);
    let origin = Origin::serving(&vec![0; MIB]);
    let send = |places: usize| {
        let image = limited.alice.register("raw", "bare");
        let request = limited.alice.request("PATCH", &format!("/v2/images/{image}"));
        let request = request.header("Content-Type", "application/openstack-images-v2.1-json-patch");
        let place = |n: usize| json!({"url": origin.url(&format!("/images/{n}")), "metadata": {}});
        let changes = (0..places).map(|n| json!({"op": "add", "path": "/locations/-", "value": place(n)}));
        request.json(&json!(changes.collect::<Vec<_>>())).send()
    };
    limited.over(send(3), "image_size_total", 2, 0, 3);
    send(2).expect(200);
    limited.over(send(1), "image_size_total", 2, 2, 1);
}

#[test]
fn what_is_not_registered_nobody_has() {
    let Some(keystone) = Keystone::shared() else { return };
    let limited = Limited::to(&keystone, &[], |setup| setup);
    let refused = limited.alice.post("/v2/images").json(&json!({"name": "i"})).send();
    limited.over(refused, "image_count_total", 0, 0, 1);
}

#[test]
fn without_limits_no_usage_is_told() {
    let Some(keystone) = Keystone::shared() else { return };
    let gander = keystone.setup("keystone").start();
    let project = keystone.add_project(&unique("project"));
    let alice = gander.client().with("X-Auth-Token", &keystone.member(&unique("alice"), &project, &["member"]));
    assert_eq!(alice.get("/v2/info/usage").expect(200).json(), json!({"usage": {}}));
}

#[test]
fn the_endpoint_is_found_by_what_is_known_of_it() {
    let Some(keystone) = Keystone::shared() else { return };
    let (service, _) = offer(&keystone);
    let name = keystone.ask("GET", &format!("services/{service}"), &Value::Null).expect(200).json();
    let by_name = |region: &str| {
        let setup = asking(&keystone).set("oslo_limit.endpoint_service_type", "image");
        let setup = setup.set("oslo_limit.endpoint_service_name", name["service"]["name"].as_str().unwrap());
        setup.set("oslo_limit.endpoint_region_name", region).set("oslo_limit.endpoint_interface", "publicURL").start()
    };
    let project = keystone.add_project(&unique("project"));
    let token = keystone.member(&unique("alice"), &project, &["member"]);
    let create = |gander: &Gander| {
        gander.client().with("X-Auth-Token", &token).post("/v2/images").json(&json!({"name": "i"})).send()
    };
    // It is found, and has no limits.
    create(&by_name("RegionOne")).expect(413);
    let gander = by_name("RegionTwo");
    create(&gander).expect(500);
    assert!(gander.log().contains("fits 0 endpoints"), "{}", gander.log());
}

#[test]
fn who_may_not_ask_for_limits_lets_nobody_have_anything() {
    let Some(keystone) = Keystone::shared() else { return };
    let limited = Limited::to(&keystone, &PLENTY, |setup| setup.set("oslo_limit.password", "wrong"));
    limited.alice.post("/v2/images").json(&json!({"name": "i"})).send().expect(500);
    add_by_v1(&limited.alice).expect(500);
    assert_eq!(limited.gander.rows("SELECT id FROM images").len(), 0);
    assert!(limited.gander.log().contains("its credentials are not accepted"), "{}", limited.gander.log());
}

#[test]
fn while_keystone_is_away_nothing_is_taken() {
    let Some(keystone) = Keystone::start() else { return };
    let limited = Limited::to(&keystone, &PLENTY, |setup| setup);
    let alice = &limited.alice;
    let id = alice.register("raw", "bare");
    keystone.stop();
    alice.post("/v2/images").json(&json!({"name": "i"})).send().expect(503);
    add_by_v1(alice).expect(503);
    alice.put_file(&id, b"some").expect(503);
    alice.put_stage(&id, b"some").expect(503);
    alice.get("/v2/info/usage").expect(503);
    assert_eq!(alice.status(&id), "queued");
    keystone.start_again();
    alice.put_file(&id, b"some").expect(204);
    assert_eq!(limited.gander.rows("SELECT id FROM images").len(), 1);
}

#[test]
fn who_asks_for_limits_of_nobody_does_not_start() {
    for (missing, setup) in [
        ("auth_url must be set in [oslo_limit]", Setup::behind_proxy()),
        ("owner_is_tenant", Setup::behind_proxy().set("owner_is_tenant", "false")),
        ("endpoint_id must be set", Setup::behind_proxy().set("oslo_limit.auth_url", "http://127.0.0.1:1")),
        (
            "username must be set in [oslo_limit]",
            Setup::behind_proxy()
                .set("oslo_limit.auth_url", "http://127.0.0.1:1")
                .set("oslo_limit.endpoint_service_type", "image"),
        ),
    ] {
        let outcome = setup.set("use_keystone_limits", "true").run_to_end();
        assert!(outcome.code != Some(0) && outcome.stderr.contains(missing), "{missing}: {}", outcome.stderr);
    }
}

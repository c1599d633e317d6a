//! Good and bad tokens, through both APIs.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Keystone, password_of, unique};

/// A server and its people: a project with a member, a reader and somebody without a role of images; a stranger; an admin.
struct Cloud {
    keystone: Arc<Keystone>,
    gander: Gander,
    project: String,
    other: String,
}

impl Cloud {
    fn build(setup: impl FnOnce(crate::harness::Setup) -> crate::harness::Setup) -> Option<Self> {
        Some(Self::over(Keystone::shared()?, setup))
    }

    fn over(keystone: Arc<Keystone>, setup: impl FnOnce(crate::harness::Setup) -> crate::harness::Setup) -> Self {
        let gander = setup(keystone.setup("keystone+cachemanagement")).start();
        let project = keystone.add_project(&unique("project"));
        let other = keystone.add_project(&unique("other"));
        Self { keystone, gander, project, other }
    }

    /// Somebody with these roles in the project.
    fn with(&self, roles: &[&str]) -> Client {
        self.bearing(&self.keystone.member(&unique("user"), &self.project, roles))
    }

    fn stranger(&self) -> Client {
        self.bearing(&self.keystone.member(&unique("user"), &self.other, &["member"]))
    }

    fn bearing(&self, token: &str) -> Client {
        self.gander.client().with("X-Auth-Token", token)
    }
}

const RAW: &str = r#"{"name": "i", "disk_format": "raw", "container_format": "bare"}"#;

fn create(client: &Client) -> String {
    let body: Value = serde_json::from_str(RAW).unwrap();
    let image = client.post("/v2/images").json(&body).send().expect(201).json();
    format!("/v2/images/{}", image["id"].as_str().unwrap())
}

#[test]
fn roles_and_projects_of_keystone_decide_in_both_apis() {
    let Some(cloud) = Cloud::build(|setup| setup) else { return };
    let (member, reader, admin) = (cloud.with(&["member"]), cloud.with(&["reader"]), cloud.with(&["admin"]));
    let (stranger, nobody) = (cloud.stranger(), cloud.with(&["unknown"]));
    let image = create(&member);
    let v1 = image.replace("v2", "v1");
    let file = format!("{image}/file");
    assert_eq!(member.get(&image).expect(200).json()["owner"], json!(cloud.project));
    reader.put(&file).data("data").send().expect(403);
    reader.put(&v1).header("x-image-meta-name", "j").send().expect(403);
    reader.post("/v1/images").header("x-image-meta-name", "j").send().expect(403);
    reader.delete(&image).expect(403);
    reader.delete(&v1).expect(403);
    member.put(&file).data("data").send().expect(204);
    for _miss_then_hit in 0..2 {
        assert_eq!(member.get(&file).expect(200).body, b"data");
        assert_eq!(member.get(&v1).expect(200).body, b"data");
        // Readers see images, not their data.
        reader.get(&file).expect(403);
        reader.get(&v1).expect(403);
        reader.get(&image).expect(200);
        reader.head(&v1).expect(200);
        for target in [&image, &file, &v1] {
            stranger.get(target).expect(404);
        }
        nobody.get(&image).expect(404);
        nobody.get(&file).expect(404);
        nobody.get(&v1).expect(404);
        admin.get(&file).expect(200);
    }
    nobody.get("/v2/images").expect(403);
    nobody.get("/v1/images").expect(403);
    let publish = json!([{"op": "replace", "path": "/visibility", "value": "public"}]);
    let patch = |client: &Client| {
        client
            .request("PATCH", &image)
            .header("Content-Type", "application/openstack-images-v2.1-json-patch")
            .json(&publish)
            .send()
    };
    patch(&member).expect(403);
    member.put(&v1).header("x-image-meta-is_public", "true").send().expect(403);
    patch(&admin).expect(200);
    assert_eq!(stranger.get(&file).expect(200).body, b"data");
    stranger.delete(&image).expect(403);
    member.get("/v2/cache").expect(403);
    admin.get("/v2/cache").expect(200);
    member.delete(&v1).expect(200);
}

#[test]
fn v1_shares_under_keystone() {
    let Some(cloud) = Cloud::build(|setup| setup) else { return };
    let (member, reader, stranger) = (cloud.with(&["member"]), cloud.with(&["reader"]), cloud.stranger());
    let image = create(&member);
    let place = format!("{}/members/{}", image.replace("v2", "v1"), cloud.other);
    reader.put(&place).send().expect(403);
    stranger.put(&place).send().expect(404);
    member.put(&place).send().expect(204);
    stranger.get(&image).expect(200);
    member.delete(&place).expect(204);
    stranger.get(&image).expect(404);
}

#[test]
fn who_brings_no_good_token_is_told_where_to_get_one() {
    let Some(cloud) = Cloud::build(|setup| setup) else { return };
    let http = cloud.gander.client();
    let long = "x".repeat(17_000);
    for token in ["", "nonsense", "gAAAAABnonsense", long.as_str(), "a b", "\u{e9}"] {
        for target in ["/v2/images", "/v1/images"] {
            let refused = http.with("X-Auth-Token", token).get(target).expect(401);
            let challenge = refused.header("www-authenticate").unwrap_or_default().to_owned();
            assert_eq!(challenge, format!("Keystone uri=\"{}\"", cloud.keystone.url().replace("/v3", "")));
        }
    }
    http.get("/v2/images").expect(401);
    // Versions are anybody's to ask for, and so is an image server's health.
    http.get("/versions").expect(200);
    http.get("/").expect(300);
}

#[test]
fn the_other_header_of_old_will_do() {
    let Some(cloud) = Cloud::build(|setup| setup) else { return };
    let token = cloud.keystone.member(&unique("user"), &cloud.project, &["member"]);
    cloud.gander.client().with("X-Storage-Token", &token).get("/v2/images").expect(200);
    cloud.gander.client().with("X-Auth-Token", &format!(" {token} ")).get("/v2/images").expect(200);
}

#[test]
fn s54_a_revoked_token_is_refused_when_it_is_not_remembered() {
    let Some(cloud) = Cloud::build(|setup| setup.set("keystone_authtoken.token_cache_time", -1)) else { return };
    let token = cloud.keystone.member(&unique("user"), &cloud.project, &["member"]);
    let client = cloud.bearing(&token);
    client.get("/v2/images").expect(200);
    revoke(&cloud.keystone, &token);
    client.get("/v2/images").expect(401);
    client.get("/v1/images").expect(401);
}

#[test]
fn s54_a_revoked_token_is_refused_after_it_was_remembered() {
    let Some(cloud) = Cloud::build(|setup| setup.set("keystone_authtoken.token_cache_time", 1)) else { return };
    let token = cloud.keystone.member(&unique("user"), &cloud.project, &["member"]);
    let client = cloud.bearing(&token);
    client.get("/v2/images").expect(200);
    revoke(&cloud.keystone, &token);
    crate::harness::eventually("the token is refused", std::time::Duration::from_secs(10), || {
        client.get("/v2/images").status == 401
    });
}

#[test]
fn a_token_that_was_bad_is_not_bad_for_ever_nor_a_good_one_asked_for_twice() {
    let Some(cloud) = Cloud::build(|setup| setup) else { return };
    let token = cloud.keystone.member(&unique("user"), &cloud.project, &["member"]);
    let client = cloud.bearing(&token);
    client.get("/v2/images").expect(200);
    // What is remembered does not hear of this.
    revoke(&cloud.keystone, &token);
    client.get("/v2/images").expect(200);
}

/// Security S50; and what a service does for a user may outlast his token.
#[test]
fn s50_a_token_that_expires_while_it_is_remembered_is_refused_but_from_a_service() {
    const SECONDS: u32 = 12;
    let Some(keystone) = Keystone::with_tokens_for(SECONDS) else { return };
    let gander = keystone.setup("keystone").start();
    let late = keystone.setup("keystone").set("keystone_authtoken.allowed_clock_skew", 3600).start();
    let project = keystone.add_project(&unique("project"));
    let service = keystone.add_member(&unique("nova"), &project, &["service"]);
    let other = keystone.add_member(&unique("other"), &project, &["member"]);
    let token = keystone.member(&unique("user"), &project, &["member"]);
    let client = gander.client().with("X-Auth-Token", &token);
    client.get("/v2/images").expect(200);
    let by_another_clock = late.client().with("X-Auth-Token", &token);
    by_another_clock.get("/v2/images").expect(200);
    crate::harness::eventually("the token expires", std::time::Duration::from_secs(60), || {
        client.get("/v2/images").status == 401
    });
    client.get("/v1/images").expect(401);
    // It may be this server's clock that is wrong.
    by_another_clock.get("/v2/images").expect(200);
    let scope = json!({"project": {"id": project}});
    let with = |user: &str| client.with("X-Service-Token", &keystone.token(&password_of(user), &scope));
    with(&service).get("/v2/images").expect(200);
    // Whoever has not the role of services is none.
    with(&other).get("/v2/images").expect(401);
}

fn revoke(keystone: &Keystone, token: &str) {
    let client = Client::new("127.0.0.1", keystone.url().split([':', '/']).nth(4).unwrap().parse().unwrap());
    let request = client.request("DELETE", "/v3/auth/tokens").header("X-Auth-Token", &keystone.admin());
    request.header("X-Subject-Token", token).send().expect(204);
}

/// Security S52: under load nobody gets somebody else's identity.
#[test]
fn s52_everybody_stays_who_he_is() {
    let Some(cloud) = Cloud::build(|setup| setup) else { return };
    let users: Vec<(String, String)> = (0..12)
        .map(|_| {
            let project = cloud.keystone.add_project(&unique("project"));
            let token = cloud.keystone.member(&unique("user"), &project, &["member"]);
            (project, token)
        })
        .collect();
    std::thread::scope(|scope| {
        for round in 0..4 {
            for (project, token) in &users {
                let cloud = &cloud;
                scope.spawn(move || {
                    for _ in 0..10 {
                        let image = cloud.bearing(token).post("/v2/images").json(&json!({"name": "i"})).send();
                        assert_eq!(image.expect(201).json()["owner"], json!(project), "round {round}");
                    }
                });
            }
        }
    });
}

#[test]
fn a_service_keeps_a_users_work_alive() {
    let Some(cloud) = Cloud::build(|setup| setup) else { return };
    let user = cloud.with(&["member"]);
    let service = cloud.keystone.member(&unique("nova"), &cloud.project, &["service"]);
    let image = create(&user);
    user.put(&format!("{image}/file")).data("data").send().expect(204);
    let locations = |client: &Client| client.get(&format!("{image}/locations")).status;
    // The service's own role counts for its own calls only; for a user's it says that a service asks.
    assert_eq!(locations(&user), 403);
    user.with("X-Service-Token", &service).get(&image).expect(200);
    user.with("X-Service-Token", "nonsense").get(&image).expect(200);
    cloud.gander.client().with("X-Service-Token", &service).get(&image).expect(401);
}

#[test]
fn an_application_credential_gets_no_further_than_its_rules() {
    let set = |setup: crate::harness::Setup| setup.set("keystone_authtoken.service_type", "image");
    // One of its own, as its catalogue gets an image service.
    let Some(keystone) = Keystone::start() else { return };
    let cloud = Cloud::over(Arc::new(keystone), set);
    let keystone = &cloud.keystone;
    offer_images(keystone, &cloud.gander);
    let user = keystone.add_member(&unique("user"), &cloud.project, &["member"]);
    let token = keystone.token(&password_of(&user), &json!({"project": {"id": cloud.project}}));
    let rules = json!([{"service": "image", "method": "GET", "path": "/v2/images"},
        {"service": "image", "method": "GET", "path": "/v2/images/*"}]);
    let body = json!({"application_credential": {"name": "c", "secret": "s", "access_rules": rules}});
    let made = Client::new("127.0.0.1", keystone.port()).post(&format!("/v3/users/{user}/application_credentials"));
    let id = made.header("X-Auth-Token", &token).json(&body).send().expect(201).json();
    let identity = json!({"methods": ["application_credential"],
        "application_credential": {"id": id["application_credential"]["id"], "secret": "s"}});
    let restricted = cloud.bearing(&keystone.token(&identity, &Value::Null));
    restricted.get("/v2/images").expect(200);
    restricted.post("/v2/images").json(&json!({"name": "i"})).send().expect(401);
    restricted.get("/v1/images").expect(401);
    let image = create(&cloud.bearing(&token));
    restricted.get(&image).expect(200);
    for hidden in ["/file", "%2Ffile", "%2ffile", "%2Fmembers"] {
        restricted.get(&format!("{image}{hidden}")).expect(401);
    }
}

/// Puts a service of images into the catalogue.
fn offer_images(keystone: &Keystone, gander: &Gander) {
    let service = keystone.ask("POST", "services", &json!({"service": {"type": "image", "name": "glance"}}));
    let id = service.expect(201).json()["service"]["id"].clone();
    let url = format!("http://127.0.0.1:{}", gander.port());
    let endpoint = json!({"endpoint": {"service_id": id, "interface": "public", "url": url, "region_id": "RegionOne"}});
    keystone.ask("POST", "endpoints", &endpoint).expect(201);
}

/// Which of Keystone's addresses is asked is said by its catalogue (configuration §5).
#[test]
fn tokens_are_judged_where_the_catalogue_says() {
    let Some(keystone) = Keystone::start() else { return };
    let services = keystone.ask("GET", "services?type=identity", &Value::Null).json();
    let service = &services["services"][0]["id"];
    keystone.ask("POST", "regions", &json!({"region": {"id": "Far"}})).expect(201);
    let nobody = json!({"endpoint": {"service_id": service, "interface": "internal", "region_id": "Far",
                                     "url": "http://127.0.0.1:1/v3"}});
    keystone.ask("POST", "endpoints", &nobody).expect(201);
    let project = keystone.add_project(&unique("project"));
    let token = keystone.member(&unique("user"), &project, &["member"]);
    for (region, status) in [("RegionOne", 200), ("Far", 503), ("Unheard", 200)] {
        let gander = keystone.setup("keystone").set("keystone_authtoken.region_name", region).start();
        gander.client().with("X-Auth-Token", &token).get("/v2/images").expect(status);
    }
}

//! Who may do what at the registry (v1-system §3), and the API in front of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    Client, Gander, Servers, Setup, TRUSTED_REGISTRY, answers, entries, eventually, five_kb, minimal_headers,
};

fn start() -> (Gander, Client, Client) {
    let gander = Setup::registry().paste(TRUSTED_REGISTRY).start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let other = gander.client().acting_as("u2", "t2", "Member");
    (gander, owner, other)
}

/// Adds an image; its path.
fn add(http: &Client, is_public: bool) -> String {
    let image = json!({"image": {"name": "Image1", "disk_format": "raw", "container_format": "ovf",
        "is_public": is_public, "owner": "t9"}});
    let added = http.post("/images").json(&image).send().expect(200).json();
    format!("/images/{}", added["image"]["id"].as_str().unwrap())
}

fn change() -> Value {
    json!({"image": {"name": "other", "owner": "t9"}})
}

#[test]
fn the_owner_is_the_tenant_and_stays() {
    let (_gander, owner, _) = start();
    let path = add(&owner, false);
    assert_eq!(owner.get(&path).expect(200).json()["image"]["owner"], "t1");
    let changed = owner.put(&path).json(&change()).send().expect(200).json();
    assert_eq!(changed["image"]["owner"], "t1");
    assert_eq!(changed["image"]["name"], "other");
}

#[test]
fn a_private_image_does_not_exist_for_others() {
    let (_gander, owner, other) = start();
    let path = add(&owner, false);
    other.get(&path).expect(404);
    other.put(&path).json(&change()).send().expect(404);
    other.delete(&path).expect(404);
    other.get(&format!("{path}/members")).expect(404);
}

#[test]
fn a_public_image_is_not_changed_by_others() {
    let (_gander, owner, other) = start();
    let path = add(&owner, true);
    other.get(&path).expect(200);
    other.put(&path).json(&change()).send().expect(404);
    let status = other.delete(&path).status;
    assert!(matches!(status, 403 | 404), "{status}");
    assert_eq!(owner.get(&path).expect(200).json()["image"]["deleted"], false);
}

#[test]
fn who_is_anonymous_only_reads() {
    let (gander, owner, _) = start();
    let path = add(&owner, true);
    let anonymous = gander.client();
    anonymous.get(&path).expect(200);
    anonymous.post("/images").json(&change()).send().expect(403);
    anonymous.put(&path).json(&change()).send().expect(403);
    anonymous.delete(&path).expect(403);
    anonymous.put(&format!("{path}/members/t2")).send().expect(403);
}

#[test]
fn an_image_is_shared_by_its_owner() {
    let (_gander, owner, other) = start();
    let path = add(&owner, false);
    owner.put(&format!("{path}/members/t2")).send().expect(204);
    assert_eq!(other.get(&path).expect(200).json()["image"]["name"], "Image1");
    let members = json!({"members": [{"member_id": "t2", "can_share": false}]});
    assert_eq!(owner.get(&format!("{path}/members")).expect(200).json(), members);
    // Visible, but not sharable.
    other.put(&format!("{path}/members/t3")).send().expect(403);
    owner.delete(&format!("{path}/members/t2")).expect(204);
    other.get(&path).expect(404);
}

#[test]
fn malformed_memberships_are_400() {
    let (_gander, owner, _) = start();
    let path = add(&owner, false);
    owner.put(&format!("{path}/members/t2")).json(&json!({"wrong": 7})).send().expect(400);
    owner.put(&format!("{path}/members")).json(&json!({"wrong": []})).send().expect(400);
    owner.put(&format!("{path}/members")).body("not json").send().expect(400);
}

#[test]
fn the_registry_sees_locations_only_encrypted() {
    let servers = Servers::new("127.0.0.1").start();
    let id = servers.client().add_image("Image1");
    let record = servers.registry_client().get(&format!("/images/{id}")).expect(200).json();
    let location = record["image"]["location"].as_str().unwrap();
    // 16 bytes of IV, then blocks of 64 with at least one byte of padding, as base64 (v1-system §7).
    let plain = format!("file://{}", servers.path("images").join(&id).display());
    let encrypted = 16 + (plain.len() / 64 + 1) * 64;
    assert_eq!(location.len(), encrypted.div_ceil(3) * 4, "{location}");
    assert!(location.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b)), "{location}");
    assert_eq!(servers.client().download(&id), five_kb());
    servers.stop();
}

#[test]
fn a_location_encrypted_elsewhere_is_understood() {
    let servers = Servers::new("127.0.0.1").start();
    let id = "71c675ab-d94f-49cd-a114-e12490b328d9";
    // `file:///var/lib/glance/images/<id>`: the third vector of v1-system §7.
    let location = "AAECAwQFBgcICQoLDA0OD-nHFbOSn9QrYKvkLF1gYNpgPUKcqq3RsPVAIiQLMOENMatzog_6njzDocF4O1jVgltsFmeTDCn054dE9iAUR\
                    ildfXUL7qtdTIys95sqgiRxQgKfanotEIBphQOZaJfF35ERXPy7o_M4dRtnZs1kTif9kikfMdMjAU1Maa50l0B2";
    let image = json!({"image": {"id": id, "name": "x", "disk_format": "raw", "container_format": "ovf",
        "is_public": true, "size": 5120, "status": "active", "location": location}});
    servers.registry_client().post("/images").json(&image).send().expect(200);
    // The store is asked, and does not have it.
    servers.client().get(&format!("/v1/images/{id}")).expect(404);
    // What does not decrypt is an error of the service.
    let garbage = json!({"image": {"location": "AAECAwQFBgcICQoLDA0OD"}});
    servers.registry_client().put(&format!("/images/{id}")).json(&garbage).send().expect(200);
    servers.client().get(&format!("/v1/images/{id}")).expect(500);
    servers.stop();
}

#[test]
fn an_api_without_its_registry_is_a_server_error_and_recovers() {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    servers.start_one("api");
    eventually("the API accepts connections", Duration::from_secs(3), || answers(servers.api_port));
    let http = servers.client();
    let status = http.get("/v1/images").status;
    assert!(matches!(status, 500 | 503), "{status}");
    let status = http.post("/v1/images").headers(&minimal_headers("Image1")).body(five_kb()).send().status;
    assert!(matches!(status, 500 | 503), "{status}");
    servers.start_one("registry");
    eventually("the API finds its registry", Duration::from_secs(3), || http.get("/v1/images").status == 200);
    assert!(entries(&servers.path("images")).is_empty());
    servers.stop();
}

/// The API behind a proxy that sends no token, in front of this registry.
fn tokenless_api(registry: &Gander) -> Gander {
    let port = registry.port();
    Setup::behind_proxy().unset("sql_connection").set("registry_host", "127.0.0.1").set("registry_port", port).start()
}

#[test]
fn an_identity_reaches_the_registry_without_a_token() {
    let (registry, ..) = start();
    let api = tokenless_api(&registry);
    let proxied = api.client().with("X-Identity-Status", "Confirmed");
    let owner = proxied.with("X-User-Id", "u1").with("X-Tenant-Id", "t1");
    let id = owner.add_private("Image1");
    assert_eq!(owner.download(&id), five_kb());
    let other = proxied.with("X-User-Id", "u2").with("X-Tenant-Id", "t2");
    other.head(&format!("/v1/images/{id}")).expect(404);
    other.delete(&format!("/v1/images/{id}")).expect(404);
    api.client().head(&format!("/v1/images/{id}")).expect(404);
}

#[test]
fn an_open_registry_takes_no_stranger_for_an_admin() {
    let registry = Setup::registry().start();
    let api = tokenless_api(&registry);
    let proxied = api.client().with("X-Identity-Status", "Confirmed");
    let id = proxied.with("X-User-Id", "u1").with("X-Tenant-Id", "t1").add_private("Image1");
    let path = format!("/v1/images/{id}");
    // Anonymous, and another tenant without a token.
    for (http, status) in [(api.client(), 403), (proxied.with("X-Tenant-Id", "t2"), 404)] {
        http.get(&path).expect(status);
        assert!(!http.get("/v1/images?is_public=none").text().contains(&id));
    }
    proxied.with("X-Tenant-Id", "t2").delete(&path).expect(404);
}

//! Security S55: nobody is who his headers say.

use serde_json::json;

use crate::harness::{Client, Keystone, minimal_headers, unique};

/// What a client might say of itself.
const SAID: [(&str, &str); 16] = [
    ("X-Identity-Status", "Confirmed"),
    ("X-Service-Identity-Status", "Confirmed"),
    ("X-Roles", "admin,member,reader"),
    ("X-Role", "admin"),
    ("X_Roles", "admin"),
    ("X-Service-Roles", "service,admin"),
    ("X-User-Id", "root"),
    ("X-User", "root"),
    ("X-Project-Id", "victim"),
    ("X-Tenant-Id", "victim"),
    ("X-Tenant", "victim"),
    ("X_Project_Id", "victim"),
    ("X-Is-Admin-Project", "True"),
    ("OpenStack-System-Scope", "all"),
    ("X-Domain-Id", "default"),
    ("X-Service-Catalog", "not JSON"),
];

fn spoofing(client: &Client) -> Client {
    SAID.iter().fold(client.clone(), |client, (name, value)| client.with(name, value))
}

#[test]
fn s55_headers_make_nobody_somebody_else() {
    let Some(keystone) = Keystone::shared() else { return };
    let gander = keystone.setup("keystone").start();
    let project = keystone.add_project(&unique("project"));
    let token = keystone.member(&unique("user"), &project, &["member"]);
    let spoofer = spoofing(&gander.client().with("X-Auth-Token", &token));
    let image = spoofer.post("/v2/images").json(&json!({"name": "i"})).send().expect(201).json();
    assert_eq!(image["owner"], json!(project));
    spoofer.post("/v2/images").json(&json!({"name": "i", "visibility": "public"})).send().expect(403);
    let v1 = || spoofer.post("/v1/images").headers(&minimal_headers("i")[1..4]);
    for request in [v1(), v1().header("x-image-meta-owner", "victim")] {
        assert_eq!(request.send().expect(201).json()["image"]["owner"], json!(project));
    }
    for token in [None, Some("nonsense")] {
        let client = token.map_or(gander.client(), |token| gander.client().with("X-Auth-Token", token));
        for target in ["/v2/images", "/v1/images", "/v2/cache"] {
            spoofing(&client).get(target).expect(401);
        }
    }
    // Whose token comes first counts, however many there are.
    let twice = gander.client().with("X-Auth-Token", "nonsense").with("X-Auth-Token", &token);
    assert!(matches!(twice.get("/v2/images").status, 400 | 401));
}

#[test]
fn s55_an_anonymous_reader_is_nobody_else_either() {
    let Some(keystone) = Keystone::shared() else { return };
    let open = |setup: crate::harness::Setup, delay: &str| {
        setup.set("allow_anonymous_access", "true").set("keystone_authtoken.delay_auth_decision", delay).start()
    };
    let gander = open(keystone.setup("keystone"), "true");
    let spoofer = spoofing(&gander.client());
    spoofer.post("/v2/images").json(&json!({"name": "i"})).send().expect(403);
    spoofer.post("/v1/images").header("x-image-meta-name", "i").send().expect(403);
    // Today's rules let nobody read without a role.
    spoofer.get("/v2/images").expect(403);
    // A filter that decides by itself leaves nothing to the rest.
    open(keystone.setup("keystone"), "false").client().get("/v2/images").expect(401);
}

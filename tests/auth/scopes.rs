//! Tokens for something else than a project (policy-and-auth §3.4).

use serde_json::{Value, json};

use crate::harness::{Keystone, password_of, unique};

#[test]
fn a_token_for_no_project_reaches_no_images() {
    let Some(keystone) = Keystone::shared() else { return };
    let gander = keystone.setup("keystone").start();
    let user = keystone.add_user(&unique("user"));
    keystone.grant("system", &user, "admin");
    keystone.grant("domains/default", &user, "admin");
    for scope in [json!({"system": {"all": true}}), json!({"domain": {"id": "default"}})] {
        let client = gander.client().with("X-Auth-Token", &keystone.token(&password_of(&user), &scope));
        client.get("/v2/images").expect(403);
        client.get("/v1/images").expect(403);
        client.post("/v2/images").json(&json!({"name": "i"})).send().expect(403);
    }
    // Of no scope at all: no roles.
    let unscoped = gander.client().with("X-Auth-Token", &keystone.token(&password_of(&user), &Value::Null));
    unscoped.get("/v2/images").expect(403);
    unscoped.get("/v1/images").expect(403);
    unscoped.post("/v2/images").json(&json!({"name": "i"})).send().expect(403);
}

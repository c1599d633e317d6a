//! The policy file (v1-api §5); a denial is 403, as in later releases.

use crate::harness::{Client, Gander, Setup, five_kb, minimal_headers};

/// An API behind a proxy with this policy, and a plain member.
fn start(policy: &str) -> (Gander, Client) {
    let setup = Setup::behind_proxy();
    setup.policy(policy);
    let gander = setup.start();
    let member = gander.client().acting_as("u1", "t1", "Member");
    (gander, member)
}

const NOBODY: &str = r#"["role:nobody"]"#;

#[test]
fn each_rule_guards_its_calls() {
    let (gander, member) = start(r#"{"default": []}"#);
    let id = member.add_image("Image1");
    let path = format!("/v1/images/{id}");
    let calls = [
        ("get_images", "GET", "/v1/images"),
        ("get_images", "GET", "/v1/images/detail"),
        ("get_image", "GET", path.as_str()),
        ("get_image", "HEAD", &path),
        ("add_image", "POST", "/v1/images"),
        ("modify_image", "PUT", &path),
        ("delete_image", "DELETE", &path),
    ];
    for rule in ["get_images", "get_image", "add_image", "modify_image", "delete_image"] {
        gander.set_policy(&format!(r#"{{"default": [], "{rule}": [{NOBODY}]}}"#));
        for (_, method, path) in calls.iter().filter(|(guard, ..)| *guard == rule) {
            let request = member.request(method, path).headers(&minimal_headers("Image2")[1..]);
            request.send().expect(403);
        }
    }
    gander.set_policy(r#"{"default": []}"#);
    assert_eq!(member.names("/v1/images"), ["Image1"]);
    assert_eq!(member.download(&id), five_kb());
}

#[test]
fn a_role_opens_the_door() {
    let (gander, member) = start(r#"{"default": [], "get_images": [["role:librarian"]]}"#);
    member.get("/v1/images").expect(403);
    gander.client().acting_as("u1", "t1", "Member,librarian").get("/v1/images").expect(200);
    gander.client().acting_as("u1", "t1", "Member, librarian ").get("/v1/images").expect(200);
}

#[test]
fn alternatives_are_or_and_lists_are_and() {
    let (gander, _) = start(r#"{"default": [], "get_images": [["role:a", "role:b"], ["role:c"]]}"#);
    for (roles, status) in [("a", 403), ("b", 403), ("a,b", 200), ("c", 200), ("d", 403)] {
        gander.client().acting_as("u1", "t1", roles).get("/v1/images").expect(status);
    }
}

#[test]
fn a_rule_may_name_another_rule_or_a_credential() {
    let policy = r#"{"default": [], "ours": [["tenant:t1"]], "get_images": [["rule:ours"]]}"#;
    let (gander, member) = start(policy);
    member.get("/v1/images").expect(200);
    gander.client().acting_as("u2", "t2", "Member").get("/v1/images").expect(403);
}

#[test]
fn an_unknown_rule_is_the_default_rule() {
    let (gander, member) = start(r#"{"default": [["role:nobody"]]}"#);
    member.get("/v1/images").expect(403);
    gander.set_policy("{}");
    member.get("/v1/images").expect(403);
    gander.set_policy(r#"{"default": []}"#);
    member.get("/v1/images").expect(200);
}

#[test]
fn a_broken_policy_file_opens_nothing() {
    let (gander, member) = start(r#"{"default": []}"#);
    member.get("/v1/images").expect(200);
    gander.set_policy("{ not json");
    assert!(member.get("/v1/images").status >= 403);
    gander.set_policy(r#"{"default": []}"#);
    member.get("/v1/images").expect(200);
}

#[test]
fn a_denied_upload_leaves_nothing() {
    let (gander, member) = start(r#"{"default": [], "add_image": [["role:nobody"]]}"#);
    member.post("/v1/images").headers(&minimal_headers("Image1")).body(five_kb()).send().expect(403);
    gander.set_policy(r#"{"default": []}"#);
    assert!(member.ids("/v1/images").is_empty());
    assert!(crate::harness::entries(&gander.path("images")).is_empty());
}

#[test]
fn a_missing_policy_file_stops_the_server() {
    let setup = Setup::api("");
    std::fs::remove_file(setup.path("policy.json")).unwrap();
    let outcome = setup.run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("policy"), "{outcome:?}");
}

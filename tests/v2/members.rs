//! Members (v2-images §9, policy-and-auth §5.3).

use std::thread;

use serde_json::{Value, json};

use super::people::{People, message, patch, register};
use crate::harness::{Client, Response, Setup};

fn json_of(client: &Client) -> Client {
    client.with("Accept", "application/json")
}

fn add(client: &Client, image: &str, member: &str) -> Response {
    json_of(client).post(&format!("{image}/members")).json(&json!({ "member": member })).send()
}

fn answer(client: &Client, image: &str, member: &str, status: &str) -> Response {
    json_of(client).put(&format!("{image}/members/{member}")).json(&json!({ "status": status })).send()
}

fn get(client: &Client, target: &str) -> Response {
    json_of(client).get(target)
}

fn end(client: &Client, image: &str, member: &str) -> Response {
    json_of(client).delete(&format!("{image}/members/{member}"))
}

fn listed(client: &Client, image: &str) -> Vec<String> {
    let answer = get(client, &format!("{image}/members")).expect(200).json();
    assert_eq!(answer["schema"], "/v2/schemas/members");
    let members = answer["members"].as_array().unwrap();
    members.iter().map(|member| member["member_id"].as_str().unwrap().to_owned()).collect()
}

fn id_of(image: &str) -> &str {
    image.rsplit('/').next().unwrap()
}

#[test]
fn a_member_is_shown_as_schemas_say() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    assert_eq!(
        get(&people.alice, &format!("{image}/members")).expect(200).text(),
        r#"{"members":[],"schema":"/v2/schemas/members"}"#
    );
    let added = add(&people.alice, &image, "project-b").expect(200).json();
    assert_eq!(added["member_id"], "project-b");
    assert_eq!(added["image_id"], id_of(&image));
    assert_eq!(added["status"], "pending");
    assert_eq!(added["schema"], "/v2/schemas/member");
    for time in ["created_at", "updated_at"] {
        let text = added[time].as_str().unwrap();
        assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
    }
    assert_eq!(get(&people.alice, &format!("{image}/members/project-b")).expect(200).json(), added);
}

#[test]
fn what_is_no_member_is_400() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    let members = format!("{image}/members");
    let form = r#"Expected a member in the form: {"member": "image_id"}"#;
    for (body, text) in [
        ("", "Body expected in request."),
        ("x", "Malformed JSON in request body."),
        ("{}", "Member to be added not specified"),
        (r#"{"member": null}"#, "Member can't be empty"),
        (r#"{"member": ""}"#, "Member can't be empty"),
        (r#"{"member": {}}"#, "Member can't be empty"),
        ("[]", form),
        (r#"["x"]"#, form),
        (r#"{"member": ["x"]}"#, form),
    ] {
        let refused = json_of(&people.alice).post(&members).body(body).send().expect(400);
        assert_eq!(message(&refused), text, "{body}");
    }
    add(&people.alice, &image, &"m".repeat(256)).expect(400);
    add(&people.alice, &image, "\u{1f600}").expect(400);
    assert!(listed(&people.alice, &image).is_empty());
}

#[test]
fn what_is_no_answer_is_400() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    add(&people.alice, &image, "project-b").expect(200);
    let member = format!("{image}/members/project-b");
    let words = r#"Incorrect request: Status must be "pending", "accepted" or "rejected"."#;
    for (body, text) in [
        ("", "Body expected in request."),
        ("{}", "Status not specified"),
        ("[]", r#"Expected a status in the form: {"status": "status"}"#),
        (r#"{"status": null}"#, words),
        (r#"{"status": "ACCEPTED"}"#, words),
        (r#"{"status": ["accepted"]}"#, words),
    ] {
        let refused = json_of(&people.bob).put(&member).body(body).send().expect(400);
        assert_eq!(message(&refused), text, "{body}");
    }
    assert_eq!(get(&people.bob, &member).expect(200).json()["status"], "pending");
}

#[test]
fn owners_admins_and_readers_see_all_members_and_a_member_only_itself() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    for member in ["project-b", "project-c", "project-a"] {
        add(&people.alice, &image, member).expect(200);
    }
    let all = ["project-b", "project-c", "project-a"];
    for client in [&people.alice, &people.admin, &people.reader] {
        assert_eq!(listed(client, &image), all);
        get(client, &format!("{image}/members/project-c")).expect(200);
    }
    assert_eq!(listed(&people.bob, &image), ["project-b"]);
    let other = get(&people.bob, &format!("{image}/members/project-c")).expect(404);
    assert_eq!(message(&other), format!("project-c not found in the member list of the image {}.", id_of(&image)));
}

#[test]
fn a_stranger_hears_of_no_image() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    add(&people.alice, &image, "project-b").expect(200);
    let text = format!("Image {} not found.", id_of(&image));
    for refused in [
        get(&people.carol, &format!("{image}/members")),
        get(&people.carol, &format!("{image}/members/project-b")),
        add(&people.carol, &image, "project-c"),
        answer(&people.carol, &image, "project-b", "accepted"),
        end(&people.carol, &image, "project-b"),
        get(&people.alice, "/v2/images/x/members").expect(404),
    ] {
        assert_eq!(refused.status, 404);
        assert!(message(&refused) == text || message(&refused) == "Image x not found.", "{}", refused.text());
    }
}

#[test]
fn each_call_is_for_those_whom_its_rule_names() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    add(&people.alice, &image, "project-b").expect(200);
    let denied = |answer: Response, rule: &str| {
        assert_eq!(message(&answer.expect(403)), format!("You are not authorized to complete {rule} action."));
    };
    denied(add(&people.bob, &image, "project-c"), "add_member");
    denied(add(&people.reader, &image, "project-c"), "add_member");
    denied(answer(&people.alice, &image, "project-b", "rejected"), "modify_member");
    denied(end(&people.bob, &image, "project-b"), "delete_member");
    answer(&people.bob, &image, "project-b", "accepted").expect(200);
    answer(&people.admin, &image, "project-b", "rejected").expect(200);
    add(&people.admin, &image, "project-c").expect(200);
    end(&people.admin, &image, "project-c").expect(204);
    // Who is not there is looked for before the rule is asked.
    answer(&people.alice, &image, "nobody", "rejected").expect(404);
    end(&people.alice, &image, "nobody").expect(404);
}

#[test]
fn a_member_says_what_it_thinks_and_uses_the_image_in_any_case() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    add(&people.alice, &image, "project-b").expect(200);
    for status in ["accepted", "rejected", "pending", "accepted"] {
        assert_eq!(answer(&people.bob, &image, "project-b", status).expect(200).json()["status"], status);
        people.bob.get(&image).expect(200);
    }
}

#[test]
fn members_of_what_is_not_shared_are_out_of_reach() {
    let people = People::meet();
    for visibility in ["private", "public", "community"] {
        let image = register(&people.admin, &json!({"visibility": visibility, "owner": "project-a"}));
        let id = id_of(&image);
        for client in [&people.alice, &people.admin] {
            let texts = [
                (add(client, &image, "project-b"), 403, format!("Not allowed to create members for image {id}.")),
                (
                    get(client, &format!("{image}/members")),
                    403,
                    format!("Not allowed to list members for image {id}: Only shared images have members."),
                ),
                (
                    get(client, &format!("{image}/members/project-b")),
                    404,
                    "Only shared images have members.".to_owned(),
                ),
                (
                    answer(client, &image, "project-b", "accepted"),
                    403,
                    format!("Not allowed to update members for image {id}."),
                ),
                (end(client, &image, "project-b"), 403, format!("Not allowed to delete members for image {id}.")),
            ];
            for (refused, status, text) in texts {
                assert_eq!(message(&refused.expect(status)), text);
            }
        }
    }
}

#[test]
fn members_stay_while_the_image_is_not_shared() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    add(&people.alice, &image, "project-b").expect(200);
    let become_of = |visibility| {
        let change = json!({"op": "replace", "path": "/visibility", "value": visibility});
        patch(&people.alice, &image, &change).expect(200);
    };
    become_of("private");
    people.bob.get(&image).expect(404);
    become_of("shared");
    assert_eq!(listed(&people.alice, &image), ["project-b"]);
    people.bob.get(&image).expect(200);
}

#[test]
fn a_member_is_added_once_and_again_after_its_end() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    add(&people.alice, &image, "project-b").expect(200);
    let twice = add(&people.alice, &image, "project-b").expect(409);
    assert_eq!(message(&twice), format!("Member project-b is duplicated for image {}", id_of(&image)));
    answer(&people.bob, &image, "project-b", "accepted").expect(200);
    let ended = end(&people.alice, &image, "project-b").expect(204);
    assert_eq!(ended.header("content-type"), None);
    end(&people.alice, &image, "project-b").expect(404);
    people.bob.get(&image).expect(404);
    assert_eq!(add(&people.alice, &image, "project-b").expect(200).json()["status"], "pending");
    people.bob.get(&image).expect(200);
    let rows = people.gander.rows("SELECT member, status, deleted_at FROM image_members WHERE NOT deleted");
    assert_eq!(rows, ["project-b|pending|"]);
    assert_eq!(people.gander.rows("SELECT COUNT(*) FROM image_members"), ["1"]);
}

#[test]
fn there_are_no_more_members_than_the_quota() {
    let people = People::of(Setup::behind_proxy().set("image_member_quota", 2));
    let image = register(&people.alice, &json!({}));
    add(&people.alice, &image, "m1").expect(200);
    add(&people.alice, &image, "m2").expect(200);
    for member in ["m3", "m2"] {
        let text = "The limit has been exceeded on the number of allowed image members for this image. \
                    Attempted: 3, Maximum: 2:";
        let refused = add(&people.alice, &image, member).expect(413);
        assert_eq!(message(&refused), format!("Image member limit exceeded for image {}: {text}", id_of(&image)));
    }
}

#[test]
fn of_many_who_add_the_same_member_one_succeeds() {
    let people = People::of(Setup::behind_proxy().set("image_member_quota", 3));
    let image = register(&people.alice, &json!({}));
    let adding = |name: fn(usize) -> String| -> Vec<u16> {
        thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|n| {
                    scope.spawn({
                        let (alice, image) = (&people.alice, &image);
                        move || add(alice, image, &name(n)).status
                    })
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    let same = adding(|_| "project-b".to_owned());
    assert_eq!(same.iter().filter(|status| **status == 200).count(), 1, "{same:?}");
    let different = adding(|n| format!("m{n}"));
    assert_eq!(different.iter().filter(|status| **status == 200).count(), 2, "{different:?}");
    assert_eq!(listed(&people.alice, &image).len(), 3);
}

#[test]
fn both_apis_have_the_same_members() {
    let people = People::meet();
    let image = register(&people.alice, &json!({"disk_format": "raw", "container_format": "bare"}));
    let of_v1 = format!("/v1/images/{}/members", id_of(&image));
    people.alice.put(&format!("{of_v1}/project-b")).send().expect(204);
    let seen = get(&people.bob, &format!("{image}/members/project-b")).expect(200).json();
    assert_eq!(seen["status"], "pending");
    answer(&people.bob, &image, "project-b", "accepted").expect(200);
    add(&people.alice, &image, "project-c").expect(200);
    let listed_by_v1 = people.alice.get(&of_v1).expect(200).json();
    let names: Vec<&Value> = listed_by_v1["members"].as_array().unwrap().iter().map(|m| &m["member_id"]).collect();
    assert_eq!(names, ["project-b", "project-c"]);
    // v1's own change of a membership leaves the answer alone; its removal ends it for v2, too.
    people.alice.put(&format!("{of_v1}/project-b")).json(&json!({"member": {"can_share": true}})).send().expect(204);
    assert_eq!(get(&people.bob, &format!("{image}/members/project-b")).expect(200).json()["status"], "accepted");
    people.alice.delete(&format!("{of_v1}/project-b")).expect(204);
    assert_eq!(listed(&people.alice, &image), ["project-c"]);
}

#[test]
fn what_v1_calls_public_is_public_and_the_rest_is_shared() {
    let people = People::meet();
    let id = people.alice.add_private("Image1");
    let image = format!("/v2/images/{id}");
    assert_eq!(people.alice.get(&image).expect(200).json()["visibility"], "shared");
    for (visibility, public) in [("public", "True"), ("private", "False"), ("community", "False"), ("shared", "False")]
    {
        let change = json!({"op": "replace", "path": "/visibility", "value": visibility});
        patch(&people.admin, &image, &change).expect(200);
        let said = people.alice.meta(&id, "is_public").unwrap();
        assert!(said.eq_ignore_ascii_case(public), "{visibility}: {said}");
    }
}

#[test]
fn bodies_and_methods_that_are_not_expected_are_refused() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    add(&people.alice, &image, "project-b").expect(200);
    let members = format!("{image}/members");
    for (method, target) in
        [("GET", members.clone()), ("GET", format!("{members}/project-b")), ("DELETE", format!("{members}/project-b"))]
    {
        let refused = json_of(&people.alice).request(method, &target).body("{}").send().expect(400);
        assert_eq!(message(&refused), "A body is not expected with this request.");
    }
    let refused = people.alice.delete(&members).expect(405);
    assert_eq!(refused.header("allow"), Some("GET, POST"));
    let refused = people.alice.post(&format!("{members}/project-b")).send().expect(405);
    assert_eq!(refused.header("allow"), Some("GET, PUT, DELETE"));
}

#[test]
fn an_admin_without_a_project_shares_too() {
    let people = People::meet();
    let image = register(&people.alice, &json!({}));
    let admin = people.gander.client().acting_as("u-root", "", "admin,member,reader");
    add(&admin, &image, "project-b").expect(200);
    answer(&admin, &image, "project-b", "accepted").expect(200);
    end(&admin, &image, "project-b").expect(204);
}

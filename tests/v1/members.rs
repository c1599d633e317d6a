//! Members of an image (v1-api §14); who may share is in `essex::shared_images`.

use serde_json::json;

use crate::harness::{Client, Gander, Setup};

/// An image, the path of its members, and its owner.
fn scene() -> (Gander, String, Client) {
    let gander = Setup::behind_proxy().start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let id = owner.add_private("Image1");
    (gander, format!("/v1/images/{id}/members"), owner)
}

#[test]
fn an_image_starts_without_members() {
    let (_gander, members, owner) = scene();
    assert_eq!(owner.get(&members).expect(200).text(), r#"{"members": []}"#);
}

#[test]
fn an_added_member_may_not_share_unless_told() {
    let (_gander, members, owner) = scene();
    let answer = owner.put(&format!("{members}/t2")).send().expect(204);
    assert!(answer.body.is_empty());
    owner.put(&format!("{members}/t3")).json(&json!({"member": {"can_share": true}})).send().expect(204);
    let listed = owner.get(&members).expect(200).json();
    let listed = listed["members"].as_array().unwrap();
    assert!(listed.contains(&json!({"member_id": "t2", "can_share": false})), "{listed:?}");
    assert!(listed.contains(&json!({"member_id": "t3", "can_share": true})), "{listed:?}");
    assert_eq!(listed.len(), 2);
}

#[test]
fn adding_again_without_a_word_keeps_the_right_to_share() {
    let (_gander, members, owner) = scene();
    owner.put(&format!("{members}/t2")).json(&json!({"member": {"can_share": true}})).send().expect(204);
    owner.put(&format!("{members}/t2")).send().expect(204);
    assert_eq!(owner.get(&members).expect(200).json()["members"][0]["can_share"], true);
    owner.put(&format!("{members}/t2")).json(&json!({"member": {"can_share": false}})).send().expect(204);
    assert_eq!(owner.get(&members).expect(200).json()["members"][0]["can_share"], false);
}

#[test]
fn a_removed_member_can_be_added_again() {
    let (gander, members, owner) = scene();
    let member = gander.client().acting_as("u2", "t2", "Member");
    for _ in 0..2 {
        owner.put(&format!("{members}/t2")).send().expect(204);
        assert_eq!(member.ids("/v1/images").len(), 1);
        owner.delete(&format!("{members}/t2")).expect(204);
        assert!(member.ids("/v1/images").is_empty());
    }
}

#[test]
fn replacing_removes_those_who_are_not_named() {
    let (_gander, members, owner) = scene();
    owner.put(&format!("{members}/t2")).send().expect(204);
    owner.put(&format!("{members}/t3")).json(&json!({"member": {"can_share": true}})).send().expect(204);
    let new = json!({"memberships": [{"member_id": "t3"}, {"member_id": "t4", "can_share": true}]});
    owner.put(&members).json(&new).send().expect(204);
    let listed = owner.get(&members).expect(200).json();
    let listed = listed["members"].as_array().unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(listed.contains(&json!({"member_id": "t3", "can_share": true})), "{listed:?}");
    assert!(listed.contains(&json!({"member_id": "t4", "can_share": true})), "{listed:?}");
}

#[test]
fn replacing_by_nobody_removes_all() {
    let (_gander, members, owner) = scene();
    owner.put(&format!("{members}/t2")).send().expect(204);
    owner.put(&members).json(&json!({"memberships": []})).send().expect(204);
    assert_eq!(owner.get(&members).expect(200).json(), json!({"members": []}));
}

#[test]
fn a_malformed_replacement_is_400_and_changes_nothing() {
    let (_gander, members, owner) = scene();
    owner.put(&format!("{members}/t2")).send().expect(204);
    for body in [
        "",
        "not json",
        "7",
        r#"{"memberships": 7}"#,
        r#"{"memberships": [7]}"#,
        r#"{"memberships": [{"can_share": true}]}"#,
        r#"{"memberships": [{"member_id": "t3"}, {"wrong": "t4"}]}"#,
        r#"{"members": []}"#,
    ] {
        owner.put(&members).body(body).send().expect(400);
    }
    assert_eq!(owner.get(&members).expect(200).json()["members"][0]["member_id"], "t2");
}

#[test]
fn images_shared_with_a_member_are_listed() {
    let (gander, members, owner) = scene();
    owner.put(&format!("{members}/t2")).send().expect(204);
    let member = gander.client().acting_as("u2", "t2", "Member");
    let id = members.split('/').nth(3).unwrap();
    let shared = member.get("/v1/shared-images/t2").expect(200).json();
    assert_eq!(shared, json!({"shared_images": [{"image_id": id, "can_share": false}]}));
    let nobody = member.get("/v1/shared-images/nobody").expect(200);
    assert_eq!(nobody.text(), r#"{"shared_images": []}"#);
}

#[test]
fn members_of_an_invisible_image_are_404() {
    let (gander, members, _owner) = scene();
    let other = gander.client().acting_as("u2", "t2", "Member");
    other.get(&members).expect(404);
    other.put(&members).json(&json!({"memberships": []})).send().expect(404);
    other.put(&format!("{members}/t2")).send().expect(404);
    other.delete(&format!("{members}/t2")).expect(404);
}

#[test]
fn who_is_anonymous_changes_no_members() {
    let (gander, members, _owner) = scene();
    let anonymous = gander.client();
    anonymous.put(&members).json(&json!({"memberships": []})).send().expect(403);
    anonymous.put(&format!("{members}/t2")).send().expect(403);
    anonymous.delete(&format!("{members}/t2")).expect(403);
}

#[test]
fn a_caller_without_owner_cannot_share() {
    let gander = Setup::api("caching").start();
    let id = gander.client().add_private("Image1");
    let text = gander.client().put(&format!("/v1/images/{id}/members/t2")).send().expect(401).text();
    assert!(text.contains("No authenticated user"), "{text}");
}

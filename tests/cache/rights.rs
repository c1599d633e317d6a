//! A hit is checked like a miss (security C1–C4): who may not read does not read what is cached either.

use crate::harness::{Client, Gander, Setup, TRUSTED_CACHING, five_kb};

fn start() -> (Gander, Client, Client) {
    let gander = Setup::api("").paste(TRUSTED_CACHING).start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let other = gander.client().acting_as("u2", "t2", "Member");
    (gander, owner, other)
}

#[test]
fn a_cached_private_image_does_not_exist_for_others() {
    let (gander, owner, other) = start();
    let id = owner.add_private("Image1");
    owner.download(&id);
    other.get(&format!("/v1/images/{id}")).expect(404);
    gander.client().get(&format!("/v1/images/{id}")).expect(404);
    assert_eq!(owner.cached(), [(id, 0)]);
}

#[test]
fn policy_holds_for_hits() {
    let (gander, owner, _) = start();
    let id = owner.add_image("Image1");
    owner.download(&id);
    gander.set_policy(r#"{"default": [], "get_image": [["role:nobody"]]}"#);
    owner.get(&format!("/v1/images/{id}")).expect(403);
}

#[test]
fn a_right_that_is_withdrawn_ends_at_once() {
    let (_gander, owner, member) = start();
    let id = owner.add_private("Image1");
    let membership = format!("/v1/images/{id}/members/t2");
    owner.put(&membership).send().expect(204);
    for _ in 0..2 {
        assert_eq!(member.download(&id), five_kb());
    }
    owner.delete(&membership).expect(204);
    member.get(&format!("/v1/images/{id}")).expect(404);
}

#[test]
fn an_image_made_private_is_no_longer_served_to_others() {
    let (_gander, owner, other) = start();
    let id = owner.add_image("Image1");
    assert_eq!(other.download(&id), five_kb());
    owner.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Is-Public", "False").send().expect(200);
    other.get(&format!("/v1/images/{id}")).expect(404);
}

#[test]
fn a_foreign_deletion_does_not_empty_the_cache() {
    let (gander, owner, other) = start();
    let id = owner.add_image("Image1");
    owner.download(&id);
    other.delete(&format!("/v1/images/{id}")).expect(404);
    assert!(gander.path("cache").join(id).exists());
}

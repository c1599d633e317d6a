//! Who sees and who changes (v1-api §4, §15); the matrix that 2012 asserts is in `essex::private_images`.

use crate::harness::{Client, Gander, Setup, five_kb, minimal_headers};

fn start() -> (Gander, Client, Client) {
    let gander = Setup::behind_proxy().start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let other = gander.client().acting_as("u2", "t2", "Member");
    (gander, owner, other)
}

#[test]
fn an_image_belongs_to_the_tenant() {
    let (gander, owner, _) = start();
    let id = owner.add_private("Image1");
    assert_eq!(owner.meta(&id, "owner").as_deref(), Some("t1"));
    let colleague = gander.client().acting_as("u9", "t1", "Member");
    assert_eq!(colleague.download(&id), five_kb());
    colleague.delete(&format!("/v1/images/{id}")).expect(200);
}

#[test]
fn an_image_can_belong_to_the_user_instead() {
    let gander = Setup::behind_proxy().set("owner_is_tenant", "False").start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let id = owner.add_private("Image1");
    assert_eq!(owner.meta(&id, "owner").as_deref(), Some("u1"));
    gander.client().acting_as("u9", "t1", "Member").head(&format!("/v1/images/{id}")).expect(404);
}

#[test]
fn nobody_but_an_admin_names_another_owner() {
    let (_gander, owner, _) = start();
    let request = owner.post("/v1/images").headers(&minimal_headers("Image1")).header("X-Image-Meta-Owner", "t2");
    assert_eq!(request.send().expect(201).json()["image"]["owner"], "t1");
}

#[test]
fn a_member_reads_and_does_not_change() {
    let (_gander, owner, member) = start();
    let id = owner.add_private("Image1");
    let path = format!("/v1/images/{id}");
    owner.put(&format!("{path}/members/t2")).send().expect(204);
    assert_eq!(member.download(&id), five_kb());
    member.put(&path).header("X-Image-Meta-Name", "mine").send().expect(404);
    member.delete(&path).expect(404);
    assert_eq!(owner.meta(&id, "name").as_deref(), Some("Image1"));
}

#[test]
fn who_is_not_confirmed_only_reads() {
    let (gander, owner, _) = start();
    let id = owner.add_image("Image1");
    let path = format!("/v1/images/{id}");
    let forged = gander.client().with("X-User-Id", "u1").with("X-Tenant-Id", "t1").with("X-Roles", "Admin");
    for status in ["Invalid", "", "confirmed?"] {
        let forged = forged.with("X-Identity-Status", status);
        assert_eq!(forged.download(&id), five_kb());
        let text = forged.put(&path).header("X-Image-Meta-Name", "x").send().expect(403).text();
        assert!(text.contains("Read-only access"), "{text}");
        forged.delete(&path).expect(403);
    }
    assert_eq!(owner.meta(&id, "name").as_deref(), Some("Image1"));
}

#[test]
fn an_anonymous_upload_is_refused_before_anything_is_kept() {
    let (gander, owner, _) = start();
    gander.client().post("/v1/images").headers(&minimal_headers("Image1")).body(five_kb()).send().expect(403);
    assert!(owner.ids("/v1/images").is_empty());
    assert!(crate::harness::entries(&gander.path("images")).is_empty());
}

#[test]
fn who_may_not_delete_a_public_image_deletes_nothing_of_it() {
    let (gander, owner, other) = start();
    let id = owner.add_image("Image1");
    other.delete(&format!("/v1/images/{id}")).expect(404);
    assert_eq!(owner.download(&id), five_kb());
    assert!(gander.path("images").join(id).exists());
}

#[test]
fn who_may_not_delete_queues_no_delayed_deletion() {
    let gander = Setup::behind_proxy().set("delayed_delete", "True").start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let id = owner.add_image("Image1");
    gander.client().acting_as("u2", "t2", "Member").delete(&format!("/v1/images/{id}")).expect(404);
    assert!(crate::harness::entries(&gander.path("scrubber")).is_empty());
    assert_eq!(owner.meta(&id, "status").as_deref(), Some("active"));
}

#[test]
fn a_public_image_without_data_is_as_safe() {
    let (_gander, owner, other) = start();
    let id = owner.reserve("Image1", &[]);
    let path = format!("/v1/images/{id}");
    other.delete(&path).expect(404);
    other.put(&path).data("mine").send().expect(404);
    assert_eq!(owner.meta(&id, "status").as_deref(), Some("queued"));
}

#[test]
fn who_is_no_admin_does_not_see_deleted_images() {
    let (gander, owner, _) = start();
    let id = owner.add_image("Image1");
    owner.delete(&format!("/v1/images/{id}")).expect(200);
    owner.head(&format!("/v1/images/{id}")).expect(404);
    gander.client().acting_as("root", "t0", "Admin").head(&format!("/v1/images/{id}")).expect(200);
}

#[test]
fn filters_do_not_reach_what_one_may_not_see() {
    let (_gander, owner, other) = start();
    owner.add_private("secret");
    for query in ["is_public=false", "is_public=none", "name=secret", "changes-since=2012-02-20"] {
        assert!(other.ids(&format!("/v1/images?{query}")).is_empty(), "{query}");
    }
}

#[test]
fn a_marker_that_one_may_not_see_tells_nothing() {
    let (_gander, owner, other) = start();
    let id = owner.add_private("secret");
    let unknown = "71c675ab-d94f-49cd-a114-e12490b328d9";
    let (seen, unseen) =
        (other.get(&format!("/v1/images?marker={id}")), other.get(&format!("/v1/images?marker={unknown}")));
    assert_eq!(seen.expect(400).text().replace(&id, ""), unseen.expect(400).text().replace(unknown, ""));
}

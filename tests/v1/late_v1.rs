//! What releases after the baseline changed (v1-api §19), where no suite of 2012 says otherwise.

use serde_json::json;

use crate::harness::{FIVE_KB, Gander, Origin, Setup, TRUSTED_CACHING, five_kb, minimal_headers};

#[test]
fn a_location_activates_a_queued_image() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    let id = http.reserve("Image1", &[]);
    let request = http.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Location", &origin.url("/images/2"));
    let image = request.send().expect(200).json();
    assert_eq!(image["image"]["status"], "active");
    assert_eq!(image["image"]["size"], FIVE_KB);
    assert_eq!(http.download(&id), five_kb());
}

#[test]
fn yes_like_words_are_true() {
    let gander = Gander::plain();
    for (word, truth) in [("True", true), ("yes", true), ("on", true), ("1", true), ("no", false), ("False", false)] {
        let headers = [
            ("X-Image-Meta-Disk-Format", "raw"),
            ("X-Image-Meta-Container-Format", "bare"),
            ("X-Image-Meta-Is-Public", word),
        ];
        let image = gander.client().post("/v1/images").headers(&headers).send().expect(201).json();
        assert_eq!(image["image"]["is_public"], truth, "{word}");
    }
}

#[test]
fn header_values_are_percent_encoded_utf_8() {
    let gander = Gander::plain();
    let id = gander.client().reserve("gr%C3%BCn%20%25", &[("X-Image-Meta-Property-Colour", "%E2%98%83")]);
    let detail = gander.client().get("/v1/images/detail").expect(200).json();
    assert_eq!(detail["images"][0]["name"], "gr\u{fc}n %");
    assert_eq!(detail["images"][0]["properties"], json!({"colour": "\u{2603}"}));
    // And back again.
    let name = gander.client().meta(&id, "name").unwrap();
    assert_eq!(percent_encoding::percent_decode_str(&name).decode_utf8().unwrap(), "gr\u{fc}n %");
}

#[test]
fn a_name_with_a_line_break_cannot_add_headers() {
    let gander = Gander::plain();
    let id = gander.client().reserve("a%0d%0aX-Evil:%20yes", &[]);
    let answer = gander.client().head(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(answer.header("x-evil"), None);
}

#[test]
fn removing_who_is_no_member_is_404() {
    let gander = Setup::behind_proxy().start();
    let owner = gander.client().acting_as("u1", "t1", "Member");
    let id = owner.add_private("Image1");
    owner.delete(&format!("/v1/images/{id}/members/nobody")).expect(404);
}

#[test]
fn the_role_of_admins_can_be_chosen() {
    let gander = Setup::behind_proxy().set("admin_role", "boss").start();
    let id = gander.client().acting_as("u1", "t1", "Member").add_private("Image1");
    let path = format!("/v1/images/{id}");
    gander.client().acting_as("u2", "t2", "Admin").head(&path).expect(404);
    gander.client().acting_as("u2", "t2", "Member,Boss").head(&path).expect(200);
}

#[test]
fn the_default_role_of_admins_is_admin_in_any_case() {
    let gander = Setup::behind_proxy().start();
    let id = gander.client().acting_as("u1", "t1", "Member").add_private("Image1");
    for role in ["admin", "Admin", "Member, ADMIN"] {
        gander.client().acting_as("u2", "t2", role).head(&format!("/v1/images/{id}")).expect(200);
    }
    gander.client().acting_as("u2", "t2", "administrator").head(&format!("/v1/images/{id}")).expect(404);
}

#[test]
fn managing_the_cache_can_be_reserved_to_admins() {
    let setup = Setup::api("").paste(TRUSTED_CACHING);
    setup.policy(r#"{"default": [], "manage_image_cache": [["role:admin"]]}"#);
    let gander = setup.start();
    let member = gander.client().acting_as("u1", "t1", "Member");
    let id = member.add_image("Image1");
    member.download(&id);
    for (method, path) in [
        ("GET", "/v1/cached_images".to_owned()),
        ("DELETE", "/v1/cached_images".to_owned()),
        ("DELETE", format!("/v1/cached_images/{id}")),
        ("GET", "/v1/queued_images".to_owned()),
        ("PUT", format!("/v1/queued_images/{id}")),
        ("DELETE", format!("/v1/queued_images/{id}")),
        ("DELETE", "/v1/queued_images".to_owned()),
    ] {
        member.request(method, &path).send().expect(403);
    }
    let admin = gander.client().acting_as("root", "t0", "admin");
    assert_eq!(admin.cached(), [(id, 0)]);
}

#[test]
fn publishing_can_be_reserved() {
    let setup = Setup::behind_proxy();
    setup.policy(r#"{"default": [], "publicize_image": [["role:publisher"]]}"#);
    let gander = setup.start();
    let member = gander.client().acting_as("u1", "t1", "Member");
    member.post("/v1/images").headers(&minimal_headers("Image1")).body(five_kb()).send().expect(403);
    let id = member.add_private("Image1");
    let public = ("X-Image-Meta-Is-Public", "True");
    member.put(&format!("/v1/images/{id}")).headers(&[public]).send().expect(403);
    let publisher = gander.client().acting_as("u1", "t1", "publisher");
    publisher.put(&format!("/v1/images/{id}")).headers(&[public]).send().expect(200);
    // A change that is not about visibility needs no such right.
    member.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Name", "other").send().expect(200);
}

#[test]
fn chunks_win_over_an_announced_length() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    let image = request.header("Content-Length", "5120").chunked(&five_kb()).send().expect(201).json();
    assert_eq!(image["image"]["size"], FIVE_KB);
}

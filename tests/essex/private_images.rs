//! `TestPrivateImagesApi`: who sees and changes private images.

use serde_json::json;

use crate::harness::{Client, Gander, Setup, five_kb, minimal_headers};

const NOTHING: &str = r#"{"images": []}"#;
const PUBLIC: (&str, &str) = ("X-Image-Meta-Is-Public", "True");

/// The people of the original suite.
struct People {
    gander: Gander,
    pattieblack: Client,
    froggy: Client,
    admin: Client,
    anonymous: Client,
}

fn people() -> People {
    let gander = Setup::behind_proxy().start();
    let http = gander.client();
    People {
        pattieblack: http.acting_as("pattieblack", "2", "Member"),
        froggy: http.acting_as("froggy", "3", "Member"),
        admin: http.acting_as("admin", "1", "Admin"),
        anonymous: http.with("X-Identity-Status", "Invalid"),
        gander,
    }
}

/// Whether both listings name the image.
#[track_caller]
fn listed(who: &Client, id: &str, query: &str) -> bool {
    let brief = who.ids(&format!("/v1/images{query}")).contains(&id.to_owned());
    assert_eq!(who.ids(&format!("/v1/images/detail{query}")).contains(&id.to_owned()), brief);
    brief
}

/// The status of HEAD, GET, a change of visibility, a change of owner, and DELETE.
fn all_calls(who: &Client, id: &str) -> [u16; 5] {
    let path = format!("/v1/images/{id}");
    [
        who.head(&path).status,
        who.get(&path).status,
        who.put(&path).headers(&[PUBLIC]).send().status,
        who.put(&path).header("X-Image-Meta-Owner", "3").send().status,
        who.delete(&path).status,
    ]
}

fn change(who: &Client, id: &str, headers: &[(&str, &str)]) -> serde_json::Value {
    who.put(&format!("/v1/images/{id}")).headers(headers).send().expect(200).json()["image"].clone()
}

#[test]
fn test_private_images_notadmin() {
    let People { pattieblack, froggy, gander: _gander, .. } = people();
    let headers = &minimal_headers("Image1")[..4];
    let image = pattieblack.post("/v1/images").headers(headers).body(five_kb()).send().expect(201).json();
    assert_eq!(image["image"]["owner"], "2");
    assert_eq!(image["image"]["is_public"], false);
    let id = image["image"]["id"].as_str().unwrap();

    for listing in ["/v1/images", "/v1/images/detail"] {
        assert_eq!(froggy.get(listing).expect(200).text(), NOTHING);
    }
    assert_eq!(all_calls(&froggy, id), [404; 5]);

    assert!(listed(&pattieblack, id, ""));
    assert_eq!(pattieblack.meta(id, "is_public").as_deref(), Some("False"));
    assert_eq!(pattieblack.meta(id, "owner").as_deref(), Some("2"));
    assert_eq!(pattieblack.download(id), five_kb());

    assert_eq!(change(&pattieblack, id, &[PUBLIC])["is_public"], true);
    assert_eq!(change(&pattieblack, id, &[("X-Image-Meta-Owner", "3")])["owner"], "2");

    // Everybody sees it now, and still only the owner changes it.
    assert!(listed(&froggy, id, ""));
    assert_eq!(all_calls(&froggy, id), [200, 200, 404, 404, 404]);
    pattieblack.delete(&format!("/v1/images/{id}")).expect(200);
}

#[test]
fn test_private_images_admin() {
    let People { pattieblack, froggy, admin, gander: _gander, .. } = people();
    let id = pattieblack.add_private("Image1");

    assert_eq!(admin.get("/v1/images").expect(200).text(), NOTHING);
    assert!(listed(&admin, &id, "?is_public=false"));
    assert_eq!(admin.meta(&id, "owner").as_deref(), Some("2"));
    assert_eq!(admin.download(&id), five_kb());

    assert_eq!(change(&admin, &id, &[PUBLIC])["is_public"], true);
    assert_eq!(change(&admin, &id, &[("X-Image-Meta-Owner", "3")])["owner"], "3");
    assert_eq!(change(&admin, &id, &[("X-Image-Meta-Owner", "")])["owner"], json!(null));

    // Public and without owner: all see it, no tenant changes it.
    assert!(listed(&froggy, &id, ""));
    assert_eq!(froggy.meta(&id, "owner"), None);
    assert_eq!(all_calls(&froggy, &id), [200, 200, 404, 404, 404]);

    // Private and without owner: in nobody's list, yet found by its id.
    change(&admin, &id, &[("X-Image-Meta-Is-Public", "False")]);
    assert!(!listed(&froggy, &id, ""));
    assert_eq!(all_calls(&froggy, &id), [200, 200, 404, 404, 404]);
    admin.delete(&format!("/v1/images/{id}")).expect(200);
}

#[test]
fn test_private_images_anon() {
    let People { pattieblack, admin, anonymous, gander: _gander, .. } = people();
    anonymous.post("/v1/images").headers(&minimal_headers("Image1")).body(five_kb()).send().expect(403);

    let id = pattieblack.add_private("Image1");
    assert!(!listed(&anonymous, &id, ""));
    assert_eq!(all_calls(&anonymous, &id), [404, 404, 403, 403, 403]);

    change(&admin, &id, &[("X-Image-Meta-Owner", "")]);
    assert!(!listed(&anonymous, &id, ""));
    assert_eq!(all_calls(&anonymous, &id), [200, 200, 403, 403, 403]);

    change(&admin, &id, &[PUBLIC]);
    assert!(listed(&anonymous, &id, ""));
    assert_eq!(anonymous.meta(&id, "owner"), None);
    assert_eq!(all_calls(&anonymous, &id), [200, 200, 403, 403, 403]);
}

//! `TestSharedImagesApi`: members of private images.

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Setup};

/// An image of pattieblack's, and the people of the original suite.
struct Scene {
    gander: Gander,
    id: String,
    pattieblack: Client,
    froggy: Client,
    bacon: Client,
    prosciutto: Client,
}

fn scene() -> Scene {
    let gander = Setup::behind_proxy().start();
    let http = gander.client();
    let pattieblack = http.acting_as("pattieblack", "2", "Member");
    Scene {
        id: pattieblack.add_private("Image1"),
        froggy: http.acting_as("froggy", "3", "Member"),
        bacon: http.acting_as("bacon", "4", "Member"),
        prosciutto: http.acting_as("prosciutto", "5", "Member"),
        pattieblack,
        gander,
    }
}

impl Scene {
    fn sees(&self, who: &Client) -> bool {
        who.ids("/v1/images").contains(&self.id)
    }

    /// Adds a member without, or with, a body.
    fn share(&self, who: &Client, member: &str, body: Option<Value>) -> u16 {
        let request = who.put(&format!("/v1/images/{}/members/{member}", self.id));
        match body {
            Some(body) => request.json(&body).send().status,
            None => request.send().status,
        }
    }
}

#[test]
fn test_share_image() {
    let scene = scene();
    assert!(!scene.sees(&scene.froggy));
    assert_eq!(scene.share(&scene.pattieblack, "3", None), 204);
    assert!(scene.sees(&scene.pattieblack));
    assert!(scene.sees(&scene.froggy));
    assert_eq!(scene.bacon.get("/v1/images").expect(200).text(), r#"{"images": []}"#);
}

#[test]
fn test_share_and_replace_members() {
    let scene = scene();
    let path = format!("/v1/images/{}/members", scene.id);
    assert_eq!(scene.share(&scene.pattieblack, "3", None), 204);
    let new = json!([{"member_id": "4", "can_share": false}]);
    scene.pattieblack.put(&path).json(&json!({"wrong_key": new})).send().expect(400);
    assert!(scene.sees(&scene.froggy));
    scene.pattieblack.put(&path).json(&json!({"memberships": new})).send().expect(204);
    assert!(!scene.sees(&scene.froggy));
    assert!(scene.sees(&scene.bacon));
    assert!(scene.sees(&scene.pattieblack));
}

#[test]
fn test_unshare_image() {
    let scene = scene();
    assert_eq!(scene.share(&scene.pattieblack, "3", None), 204);
    assert!(scene.sees(&scene.froggy));
    scene.pattieblack.delete(&format!("/v1/images/{}/members/3", scene.id)).expect(204);
    assert_eq!(scene.froggy.get("/v1/images").expect(200).text(), r#"{"images": []}"#);
    scene.froggy.get(&format!("/v1/images/{}", scene.id)).expect(404);
    assert!(scene.sees(&scene.pattieblack));
}

#[test]
fn test_share_and_can_share_image() {
    let scene = scene();
    assert_eq!(scene.share(&scene.prosciutto, "5", None), 404);
    assert_eq!(scene.share(&scene.pattieblack, "3", Some(json!({"member": {"can_share": true}}))), 204);
    assert!(scene.sees(&scene.froggy));
    assert_eq!(scene.share(&scene.froggy, "4", None), 204);
    assert!(scene.sees(&scene.bacon));
    // Whoever is no member, or a member that may not share, adds nobody.
    assert_eq!(scene.share(&scene.prosciutto, "5", None), 404);
    assert_eq!(scene.share(&scene.bacon, "5", None), 404);
    assert!(!scene.sees(&scene.prosciutto));
}

#[test]
fn test_get_members() {
    let scene = scene();
    assert_eq!(scene.share(&scene.pattieblack, "3", None), 204);
    let members = scene.pattieblack.get(&format!("/v1/images/{}/members", scene.id)).expect(200).json();
    assert_eq!(members, json!({"members": [{"member_id": "3", "can_share": false}]}));
    drop(scene.gander);
}

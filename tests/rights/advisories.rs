//! Holes that others had (security §1a), each tried for both APIs, with the image cached and not.

mod headers;
mod methods;

use std::fs;

use serde_json::{Value, json};

use super::scene::patch;
use crate::harness::{Client, Gander, Setup, TRUSTED_CACHING, entries};

const DATA: &[u8] = b"a canary that sings to few";
/// What the data must not be found by in an answer.
const CANARY: &str = "canary";

/// Owner, stranger, member and admin, at a server with a cache.
struct People {
    gander: Gander,
    owner: Client,
    stranger: Client,
    member: Client,
    admin: Client,
}

fn setup() -> Setup {
    Setup::api("").paste(TRUSTED_CACHING).built_in_rules()
}

impl People {
    fn of(setup: Setup) -> Self {
        let gander = setup.start();
        let who = |project: &str, roles: &str| gander.client().acting_as(&format!("u-{project}"), project, roles);
        Self {
            owner: who("p1", "member,reader"),
            stranger: who("p2", "member,reader"),
            member: who("p3", "member,reader"),
            admin: who("p0", "admin,member,reader"),
            gander,
        }
    }

    /// With other rules than the built-in ones.
    fn under(rules: &str) -> Self {
        let setup = setup().set("show_multiple_locations", "True").set("show_image_direct_url", "True");
        fs::write(setup.path("policy.yaml"), rules).unwrap();
        Self::of(setup)
    }

    /// An image of the owner's without data, for `p3` as well if it is shared; its id.
    fn queued(&self, visibility: &str) -> String {
        let fields = json!({
            "name": "i", "owner": "p1", "visibility": visibility, "disk_format": "raw", "container_format": "bare",
        });
        let id =
            self.admin.post("/v2/images").json(&fields).send().expect(201).json()["id"].as_str().unwrap().to_owned();
        self.admin.put(&format!("/v1/images/{id}/members/p3")).send().expect(204);
        id
    }

    fn active(&self, visibility: &str) -> String {
        let id = self.queued(visibility);
        self.admin.put(&format!("/v2/images/{id}/file")).data(DATA).send().expect(204);
        id
    }

    /// The image as an admin sees it, but for when it was changed.
    fn record(&self, id: &str) -> Value {
        let mut record = self.admin.get(&format!("/v2/images/{id}")).expect(200).json();
        record["updated_at"] = Value::Null;
        record
    }

    /// Nothing of the data was changed.
    fn is_whole(&self, id: &str) {
        assert_eq!(fs::read(self.gander.path("images").join(id)).unwrap(), DATA);
    }
}

/// Both ways to an image's data.
fn ways(id: &str) -> [String; 2] {
    [format!("/v2/images/{id}/file"), format!("/v1/images/{id}")]
}

#[test]
fn s6_a_rule_of_downloads_holds_for_what_is_cached() {
    let people = People::under("download_image: role:admin\n");
    let id = people.active("public");
    for cached in [false, true] {
        assert_eq!(people.gander.path("cache").join(&id).exists(), cached);
        for way in ways(&id) {
            for client in [&people.owner, &people.stranger] {
                for answer in [client.get(&way), client.request("GET", &way).header("Range", "bytes=0-3").send()] {
                    assert!(!answer.text().contains(CANARY), "{way}: {}", answer.text());
                    answer.expect(403);
                }
                client.get(&format!("/v2/images/{id}")).expect(200);
            }
        }
        assert_eq!(people.admin.get(&ways(&id)[0]).expect(200).body, DATA);
    }
    let cached = people.admin.get("/v2/cache").expect(200).json();
    assert_eq!(cached["cached_images"][0]["hits"], 1, "only the admin's second download");
}

#[test]
fn s6_nor_does_a_file_of_2012_forget_the_cache() {
    let setup = Setup::api("").paste(TRUSTED_CACHING);
    setup.policy(r#"{"default": [], "download_image": [["role:admin"]]}"#);
    let people = People::of(setup);
    let id = people.active("public");
    for cached in [false, true] {
        assert_eq!(people.gander.path("cache").join(&id).exists(), cached);
        for way in ways(&id) {
            let answer = people.owner.get(&way).expect(403);
            assert!(!answer.text().contains(CANARY), "{way}: {}", answer.text());
        }
        assert_eq!(people.admin.get(&ways(&id)[1]).expect(200).body, DATA);
    }
}

#[test]
fn s8_nobody_but_an_admin_publishes() {
    let people = People::of(setup());
    let owner = &people.owner;
    owner.post("/v2/images").json(&json!({"name": "new", "visibility": "public"})).send().expect(403);
    let headers = [("X-Image-Meta-Name", "new"), ("X-Image-Meta-Disk-Format", "raw")];
    for public in ["True", "true", "TRUE"] {
        for spelling in ["X-Image-Meta-Is-Public", "x-image-meta-is_public"] {
            let post = || {
                let request = owner.post("/v1/images").headers(&headers);
                request.header("X-Image-Meta-Container-Format", "bare").header(spelling, public)
            };
            post().send().expect(403);
            post().data(DATA).send().expect(403);
        }
    }
    assert!(people.admin.ids("/v2/images?name=new").is_empty());
    assert!(entries(&people.gander.path("images")).iter().all(|path| !path.is_file()));

    let id = people.active("shared");
    let before = people.record(&id);
    for op in ["replace", "add"] {
        let change = json!({"op": op, "path": "/visibility", "value": "public"});
        patch(owner, &id, &json!([change])).send().expect(403);
        // Neither by a detour nor along with what one may do.
        let rename = json!({"op": "replace", "path": "/name", "value": "mine"});
        let detour = json!({"op": op, "path": "/visibility", "value": "private"});
        patch(owner, &id, &json!([rename, detour, change])).send().expect(403);
    }
    let old_spelling = owner.request("PATCH", &format!("/v2/images/{id}"));
    let old_spelling = old_spelling.header("Content-Type", "application/openstack-images-v2.0-json-patch");
    old_spelling.json(&json!([{"replace": "/visibility", "value": "public"}])).send().expect(403);
    owner.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Is-Public", "True").send().expect(403);
    assert_eq!(people.record(&id), before);
    people.admin.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Is-Public", "True").send().expect(200);
    assert_eq!(people.record(&id)["visibility"], "public");
}

#[test]
fn s28_what_one_may_not_read_is_left_out_and_the_rest_is_told() {
    // Reading places is not judged by this rule today (policy-and-auth §4.2): what matters is that it spoils nothing.
    let people = People::under("get_image_location: role:admin\n");
    let (active, deactivated) = (people.active("shared"), people.active("shared"));
    people.admin.post(&format!("/v2/images/{deactivated}/actions/deactivate")).send().expect(204);
    let listed = |client: &Client, id: &str| -> Value {
        let list = client.get("/v2/images").expect(200).json();
        assert_eq!(list["images"].as_array().unwrap().len(), 2);
        list["images"].as_array().unwrap().iter().find(|image| image["id"] == id).unwrap().clone()
    };
    for (client, told) in [(&people.owner, 0), (&people.admin, 1)] {
        for image in [listed(client, &deactivated), client.get(&format!("/v2/images/{deactivated}")).expect(200).json()]
        {
            assert_eq!(image["locations"].as_array().unwrap().len(), told, "{image}");
            assert_eq!(image.get("direct_url").is_some(), told == 1, "{image}");
        }
        assert_eq!(listed(client, &active)["name"], "i");
        client.get(&format!("/v2/images/{active}")).expect(200);
    }
    // By v1 nobody ever hears of a place (v1-api §7).
    for client in [&people.owner, &people.admin] {
        for path in ["/v1/images", "/v1/images/detail"] {
            let list = client.get(path).expect(200).text();
            assert!(!list.contains("location") && !list.contains("file://"), "{list}");
        }
        for answer in [client.head(&format!("/v1/images/{active}")), client.get(&format!("/v1/images/{active}"))] {
            let headers = format!("{:?}", answer.expect(200).headers);
            assert!(!headers.contains("image-meta-location") && !headers.contains("file://"), "{headers}");
        }
    }
}

#[test]
fn s37_nobody_imports_into_the_image_of_another() {
    let people = People::of(setup());
    for visibility in ["public", "community", "shared", "private"] {
        let (queued, active) = (people.queued(visibility), people.active(visibility));
        for (client, sees) in [
            (&people.stranger, ["public", "community"].contains(&visibility)),
            (&people.member, visibility != "private"),
            (&people.gander.client().acting_as("u-reader", "p1", "reader"), true),
        ] {
            let denied = if sees { 403 } else { 404 };
            for id in [&queued, &active] {
                let before = people.record(id);
                client.put(&format!("/v2/images/{id}/stage")).data("mine").send().expect(denied);
                for method in ["glance-direct", "web-download", "copy-image"] {
                    let method = json!({"method": {"name": method, "uri": "http://127.0.0.1:9/"}, "all_stores": true});
                    let answer = client.post(&format!("/v2/images/{id}/import")).json(&method).send();
                    // There is no import yet. When there is, it says to each what staging does.
                    answer.expect(404);
                }
                assert_eq!(people.record(id), before);
            }
        }
        assert_eq!(people.gander.rows("SELECT COUNT(*) FROM tasks"), ["0"]);
        assert!(entries(&people.gander.path("staging")).iter().all(|path| !path.is_file()));
        people.is_whole(&active);
        // Whose it is stages it yet.
        people.owner.put(&format!("/v2/images/{queued}/stage")).data("own").send().expect(204);
        people.owner.delete(&format!("/v2/images/{queued}")).expect(204);
    }
}

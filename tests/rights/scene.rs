//! The server that is asked, how callers come to it, and its images.

use std::fs;

use serde_json::{Value, json};

use super::model::{ACCEPTED, Caller, PENDING, REJECTED, Subject};
use crate::harness::{Client, Gander, Origin, Setup, TRUSTED_CACHING, md5};

/// What every image that has data holds.
pub(super) const DATA: &[u8] = b"for those who may";
/// What callers bring.
pub(super) const OTHER_DATA: &[u8] = b"from whoever comes";
/// The tag and the property of every image.
pub(super) const TAG: &str = "labelled";

/// A server behind a proxy that knows the callers, with a cache, today's rules and nothing in their way.
#[derive(Debug)]
pub(super) struct Scene {
    gander: Gander,
    pub(super) admin: Client,
    origin: Origin,
}

impl Scene {
    pub(super) fn open() -> Self {
        let setup = Setup::api("").paste(TRUSTED_CACHING).built_in_rules();
        let gander = setup.set("show_multiple_locations", "True").start();
        let admin = gander.client().acting_as("u-root", "project-root", "admin,member,reader,service");
        Self { gander, admin, origin: Origin::with_ranges(DATA) }
    }

    /// The caller, as the proxy tells of him.
    pub(super) fn client(&self, caller: &Caller) -> Client {
        if caller.nobody {
            return self.gander.client();
        }
        let user = format!("u-{}", caller.roles.join("-"));
        let client = self.gander.client().acting_as(&user, caller.project.unwrap_or(""), &caller.roles.join(","));
        if caller.system { client.with("OpenStack-System-Scope", "all") } else { client }
    }

    /// A place outside where data lies.
    pub(super) fn elsewhere(&self, name: &str) -> String {
        self.origin.url(&format!("/images/{name}"))
    }

    /// Makes such an image; its id. The three projects are members of it, whether they get something of that or not.
    pub(super) fn image(&self, subject: &Subject, name: &str) -> String {
        let fields = json!({
            "name": name, "owner": subject.owner, "disk_format": "raw", "container_format": "bare", "tags": [TAG],
            "visibility": subject.visibility, "os_hidden": subject.hidden, "protected": subject.protected,
            "kept": "as it was",
        });
        let created = self.admin.post("/v2/images").json(&fields).send().expect(201).json();
        let id = created["id"].as_str().unwrap().to_owned();
        let path = format!("/v2/images/{id}");
        let members: Vec<Value> = [PENDING, ACCEPTED, REJECTED].map(|member| json!({"member_id": member})).into();
        self.admin.put(&format!("/v1/images/{id}/members")).json(&json!(members)).send().expect(204);
        if subject.visibility == "shared" {
            for (member, status) in [(ACCEPTED, "accepted"), (REJECTED, "rejected")] {
                let answer = self.admin.put(&format!("{path}/members/{member}")).json(&json!({"status": status}));
                answer.send().expect(200);
            }
        }
        if subject.status != "queued" {
            self.admin.put(&format!("{path}/file")).data(DATA).send().expect(204);
        }
        if subject.status == "deactivated" {
            self.admin.post(&format!("{path}/actions/deactivate")).send().expect(204);
        }
        id
    }

    /// Everything that a call can have changed: the record, whom it is shared with, and what the store and the staging area hold.
    pub(super) fn state(&self, id: &str) -> Value {
        let record = self.admin.get(&format!("/v2/images/{id}"));
        let record = if record.status == 200 { record.json() } else { json!(record.status) };
        let answers = if record["visibility"] == "shared" {
            self.admin.get(&format!("/v2/images/{id}/members")).expect(200).json()
        } else {
            Value::Null
        };
        let members = self.admin.get(&format!("/v1/images/{id}/members"));
        let held = |folder: &str| fs::read(self.gander.path(folder).join(id)).ok().map(|data| md5(&data));
        json!([record, answers, members.text(), held("images"), held("staging")])
    }

    /// How often the image was handed out from the cache; `None` if it is not there.
    pub(super) fn hits(&self, id: &str) -> Option<u64> {
        let contents = self.admin.get("/v2/cache").expect(200).json();
        let entry = contents["cached_images"].as_array().unwrap().iter().find(|entry| entry["image_id"] == id)?;
        entry["hits"].as_u64()
    }
}

/// A change of an image in today's spelling.
pub(super) fn patch(client: &Client, id: &str, changes: &Value) -> crate::harness::Request {
    let request = client.request("PATCH", &format!("/v2/images/{id}"));
    request.header("Content-Type", "application/openstack-images-v2.1-json-patch").json(changes)
}

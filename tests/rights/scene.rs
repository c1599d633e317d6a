//! The server that is asked, how callers come to it, and its images.

use std::{env, fs};

use serde_json::{Value, json};

use super::model::{ACCEPTED, Caller, PENDING, REJECTED, Subject};
use crate::harness::{Client, Gander, Origin, Setup, TRUSTED_CACHING, md5};

/// What every image that has data holds.
pub(super) const DATA: &[u8] = b"for those who may";
/// What callers bring.
pub(super) const OTHER_DATA: &[u8] = b"from whoever comes";
/// The store that has it.
pub(super) const STORE: &str = "shelf";
/// The tag and the property of every image.
pub(super) const TAG: &str = "labelled";

/// Names `host:port` of a real Glance with today's rules and trusted headers, to be asked instead of Gander: it has no v1.
const ENDPOINT: &str = "GANDER_RIGHTS_ENDPOINT";

/// A server behind a proxy that knows the callers, with a cache, today's rules and nothing in their way.
#[derive(Debug)]
pub(super) struct Scene {
    /// `None`: the server is somebody else's.
    gander: Option<Gander>,
    server: Client,
    pub(super) admin: Client,
    origin: Origin,
}

impl Scene {
    pub(super) fn open() -> Self {
        let (gander, server) = match env::var(ENDPOINT) {
            Ok(endpoint) => {
                let (host, port) = endpoint.split_once(':').unwrap();
                (None, Client::new(host, port.parse().unwrap()))
            }
            Err(_) => {
                let setup = over_several_stores(Setup::api("").paste(TRUSTED_CACHING).built_in_rules());
                let gander = setup.set("show_multiple_locations", "True").start();
                let server = gander.client();
                (Some(gander), server)
            }
        };
        let roles = &["admin", "member", "reader", "service"];
        let admin = identified(&server, &Caller { project: Some("project-root"), roles, ..Caller::default() });
        Self { gander, server, admin, origin: Origin::with_ranges(DATA) }
    }

    /// Whether the server is Gander.
    pub(super) fn is_gander(&self) -> bool {
        self.gander.is_some()
    }

    /// The caller, as the proxy tells of him.
    pub(super) fn client(&self, caller: &Caller) -> Client {
        if caller.nobody { self.server.clone() } else { identified(&self.server, caller) }
    }

    /// A place outside where data lies.
    pub(super) fn elsewhere(&self, name: &str) -> String {
        self.origin.url(&format!("/images/{name}"))
    }

    /// Makes such an image; its id. The three projects are members of it, whether they get something of that or not.
    pub(super) fn image(&self, subject: &Subject, name: &str) -> String {
        let fields = json!({
            "name": name, "owner": subject.owner, "disk_format": "raw", "container_format": "bare", "tags": [TAG],
            "visibility": "shared", "os_hidden": subject.hidden, "protected": subject.protected, "kept": "as it was",
        });
        let created = self.admin.post("/v2/images").json(&fields).send().expect(201).json();
        let id = created["id"].as_str().unwrap().to_owned();
        let path = format!("/v2/images/{id}");
        self.share(&id);
        if subject.visibility == "shared" {
            for (member, status) in [(ACCEPTED, "accepted"), (REJECTED, "rejected")] {
                let answer = self.admin.put(&format!("{path}/members/{member}")).json(&json!({"status": status}));
                answer.send().expect(200);
            }
        } else {
            let change = json!([{"op": "replace", "path": "/visibility", "value": subject.visibility}]);
            patch(&self.admin, &id, &change).send().expect(200);
        }
        if subject.status != "queued" {
            self.admin.put(&format!("{path}/file")).data(DATA).send().expect(204);
        }
        if subject.status == "deactivated" {
            self.admin.post(&format!("{path}/actions/deactivate")).send().expect(204);
        }
        id
    }

    /// Makes the three projects members; v1 does so at once.
    fn share(&self, id: &str) {
        let members = [PENDING, ACCEPTED, REJECTED];
        if self.is_gander() {
            let all = json!(members.map(|member| json!({"member_id": member})));
            self.admin.put(&format!("/v1/images/{id}/members")).json(&all).send().expect(204);
        } else {
            for member in members {
                let path = format!("/v2/images/{id}/members");
                self.admin.post(&path).json(&json!({"member": member})).send().expect(200);
            }
        }
    }

    /// How many may ask at the same time; a Glance on SQLite stands only one.
    pub(super) fn threads(&self) -> usize {
        if self.is_gander() { 4 } else { 1 }
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
        let held = |folder: &str| {
            let gander = self.gander.as_ref()?;
            fs::read(gander.path(folder).join(id)).ok().map(|data| md5(&data))
        };
        json!([record, answers, members.text(), held("images"), held("staging")])
    }

    /// How often the image was handed out from the cache; `None` if it is not there.
    pub(super) fn hits(&self, id: &str) -> Option<u64> {
        let contents = self.admin.get("/v2/cache").expect(200).json();
        let entry = contents["cached_images"].as_array().unwrap().iter().find(|entry| entry["image_id"] == id)?;
        entry["hits"].as_u64()
    }
}

/// With stores that have names: there are calls about them.
fn over_several_stores(setup: Setup) -> Setup {
    let [images, staging] = ["images", "staging"].map(|dir| setup.path(dir).display().to_string());
    let setup = ["default_store", "filesystem_store_datadir", "node_staging_uri"].into_iter().fold(setup, Setup::unset);
    setup
        .set("enabled_backends", format!("{STORE}:file, web:http"))
        .set("glance_store.default_backend", STORE)
        .set(&format!("{STORE}.filesystem_store_datadir"), images)
        .set("os_glance_staging_store.filesystem_store_datadir", staging)
}

/// Somebody whom a proxy in front has identified; what he does not have, there is no header for.
fn identified(server: &Client, caller: &Caller) -> Client {
    let roles = caller.roles.join(",");
    let mut client = server.with("X-Auth-Token", "a-token").with("X-Identity-Status", "Confirmed");
    client = client.with("X-User-Id", "a-user").with("X-Roles", &roles);
    if let Some(project) = caller.project {
        client = client.with("X-Project-Id", project);
    }
    if caller.system { client.with("OpenStack-System-Scope", "all") } else { client }
}

/// A change of an image in today's spelling.
pub(super) fn patch(client: &Client, id: &str, changes: &Value) -> crate::harness::Request {
    let request = client.request("PATCH", &format!("/v2/images/{id}"));
    request.header("Content-Type", "application/openstack-images-v2.1-json-patch").json(changes)
}

//! Who asks, as a proxy in front says it, and what they say often.

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Response, Setup};

/// Several projects, and an admin.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) gander: Gander,
    /// Owns the images.
    pub(crate) alice: Client,
    /// Of another project.
    pub(crate) bob: Client,
    /// Of a third one.
    pub(crate) carol: Client,
    /// May only read what is Alice's.
    pub(crate) reader: Client,
    pub(crate) admin: Client,
}

impl People {
    pub(crate) fn of(setup: Setup) -> Self {
        let gander = setup.start();
        let who = |user, project, roles| gander.client().acting_as(user, project, roles);
        Self {
            alice: who("u-alice", "project-a", "member,reader"),
            bob: who("u-bob", "project-b", "member,reader"),
            carol: who("u-carol", "project-c", "member,reader"),
            reader: who("u-rita", "project-a", "reader"),
            admin: who("u-root", "project-root", "admin,member,reader"),
            gander,
        }
    }

    pub(crate) fn meet() -> Self {
        Self::of(Setup::behind_proxy())
    }
}

/// Registers an image; its path.
#[track_caller]
pub(crate) fn register(client: &Client, fields: &Value) -> String {
    let id = client.post("/v2/images").json(fields).send().expect(201).json()["id"].as_str().unwrap().to_owned();
    format!("/v2/images/{id}")
}

/// Registers an image with data, by v1; its path in v2. It is shared, with nobody.
#[track_caller]
pub(crate) fn with_data(client: &Client) -> String {
    format!("/v2/images/{}", client.add_private("Image1"))
}

/// One change of an image.
pub(crate) fn patch(client: &Client, image: &str, change: &Value) -> Response {
    let request = client.request("PATCH", image).header("Content-Type", "application/openstack-images-v2.1-json-patch");
    request.json(&json!([change])).send()
}

/// The explanation of an error, as clients read it that accept JSON.
#[track_caller]
pub(crate) fn message(answer: &Response) -> String {
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    message.trim().trim_end_matches("<br /><br />").to_owned()
}

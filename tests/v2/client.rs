//! Asking for images by v2.

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Response, Setup, TRUSTED_CACHING};

impl Client {
    /// Registers an image of these formats; its id.
    #[track_caller]
    pub(crate) fn register(&self, disk_format: &str, container_format: &str) -> String {
        let body = json!({"name": "Image1", "disk_format": disk_format, "container_format": container_format});
        let image = self.post("/v2/images").json(&body).send().expect(201).json();
        image["id"].as_str().unwrap().to_owned()
    }

    /// Registers a raw, bare image and uploads this data; its id.
    #[track_caller]
    pub(crate) fn add_raw(&self, data: &[u8]) -> String {
        let id = self.register("raw", "bare");
        self.put_file(&id, data).expect(204);
        id
    }

    /// Uploads data.
    #[track_caller]
    pub(crate) fn put_file(&self, id: &str, data: &[u8]) -> Response {
        self.put(&format!("/v2/images/{id}/file")).data(data).send()
    }

    /// Stages data.
    #[track_caller]
    pub(crate) fn put_stage(&self, id: &str, data: &[u8]) -> Response {
        self.put(&format!("/v2/images/{id}/stage")).data(data).send()
    }

    /// Asks for data.
    #[track_caller]
    pub(crate) fn get_file(&self, id: &str) -> Response {
        self.get(&format!("/v2/images/{id}/file"))
    }

    /// The image as v2 tells it.
    #[track_caller]
    pub(crate) fn image(&self, id: &str) -> Value {
        self.get(&format!("/v2/images/{id}")).expect(200).json()
    }

    /// The image's status as v2 tells it.
    #[track_caller]
    pub(crate) fn status(&self, id: &str) -> String {
        self.image(id)["status"].as_str().unwrap().to_owned()
    }
}

/// A server with the cache and its management, and an admin of it; a pipeline that asks nobody knows no roles, and v2
/// lets nobody do anything there.
pub(super) fn caching() -> (Gander, Client) {
    let gander = Setup::api("").paste(TRUSTED_CACHING).start();
    let http = gander.client().acting_as("a", "a", "admin,member,reader");
    (gander, http)
}

/// What a plain-text refusal says: no `Accept` asks for another form.
#[track_caller]
pub(super) fn refusal(response: Response, status: u16) -> String {
    response.expect(status).text()
}

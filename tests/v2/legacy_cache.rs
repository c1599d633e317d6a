//! The cache's older collections, which `glance-cache-manage` asks for (v2-images §12.3).

use serde_json::json;

use crate::harness::{Setup, TRUSTED_CACHING, TRUSTED_HEADERS};

const UNKNOWN: &str = "71c675ab-d94f-49cd-a114-e12490b328d9";

#[test]
fn the_collections() {
    let gander = Setup::api("").paste(TRUSTED_CACHING).start();
    let admin = gander.client().acting_as("boss", "p", "admin,member");
    let id = admin.add_image("Image1");
    admin.download(&id);
    let list = admin.get("/v2/cached_images").expect(200).json();
    assert_eq!(list["cached_images"][0]["image_id"], json!(id));
    assert!(list["cached_images"][0]["last_modified"].is_f64());
    let null = |method: &str, path: &str| {
        assert_eq!(admin.request(method, path).send().expect(200).text(), "null", "{method} {path}");
    };
    null("DELETE", &format!("/v2/cached_images/{id}"));
    null("DELETE", &format!("/v2/cached_images/{UNKNOWN}"));
    assert_eq!(admin.get("/v2/cached_images").expect(200).json(), json!({"cached_images": []}));
    // Nobody looks whether there is such an image.
    null("PUT", &format!("/v2/queued_images/{UNKNOWN}"));
    assert_eq!(admin.get("/v2/queued_images").expect(200).json(), json!({"queued_images": [UNKNOWN]}));
    null("DELETE", &format!("/v2/queued_images/{UNKNOWN}"));
    null("PUT", &format!("/v2/queued_images/{UNKNOWN}"));
    assert_eq!(admin.delete("/v2/queued_images").expect(200).json(), json!({"num_deleted": 1}));
    admin.download(&id);
    assert_eq!(admin.delete("/v2/cached_images").expect(200).json(), json!({"num_deleted": 1}));
    admin.post("/v2/cached_images").send().expect(404);
    admin.put("/v2/queued_images/rubbish").send().expect(400);
}

#[test]
fn for_admins_only() {
    let gander = Setup::api("").paste(TRUSTED_CACHING).start();
    let member = gander.client().acting_as("u", "p", "member,reader");
    for path in ["/v2/cached_images", "/v2/queued_images"] {
        let text = member.get(path).expect(403).text();
        assert!(text.contains("manage_image_cache"), "{text}");
        member.delete(path).expect(403);
    }
    member.put(&format!("/v2/queued_images/{UNKNOWN}")).send().expect(403);
}

#[test]
fn without_the_filter_there_are_none() {
    let gander = Setup::api("").paste(TRUSTED_HEADERS).start();
    let admin = gander.client().acting_as("boss", "p", "admin");
    admin.get("/v2/cached_images").expect(404);
    admin.put(&format!("/v2/queued_images/{UNKNOWN}")).send().expect(404);
}

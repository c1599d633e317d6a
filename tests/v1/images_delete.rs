//! DELETE /images/{id} (v1-api §12) and delayed deletion (v1-system §8).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::harness::{Gander, Origin, Setup, entries, five_kb};

#[test]
fn a_deleted_image_leaves_lists_and_its_data_the_store() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    let answer = gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(answer.text(), "null", "what is labelled as JSON is parsed by clients");
    assert!(gander.client().ids("/v1/images?is_public=none").is_empty());
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn a_protected_image_is_403_and_stays() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    gander.client().put(&format!("/v1/images/{id}")).header("X-Image-Meta-Protected", "True").send().expect(200);
    let text = gander.client().delete(&format!("/v1/images/{id}")).expect(403).text();
    assert!(text.contains("Image is protected"), "{text}");
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn an_unknown_image_is_404() {
    let gander = Gander::plain();
    gander.client().delete("/v1/images/71c675ab-d94f-49cd-a114-e12490b328d9").expect(404);
}

#[test]
fn a_remote_image_is_deleted_and_its_origin_left_alone() {
    let gander = Gander::plain();
    let origin = Origin::serving(b"remote");
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("deleted"));
    assert_eq!(origin.requests(), ["HEAD /images/2"]);
}

#[test]
fn lost_data_does_not_hinder_deletion() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    fs::remove_file(gander.path("images").join(&id)).unwrap();
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("deleted"));
}

#[test]
fn a_queued_image_becomes_deleted_as_in_later_releases() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[]);
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(gander.client().meta(&id, "deleted").as_deref(), Some("True"));
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("deleted"));
}

#[test]
fn properties_and_memberships_are_deleted_with_the_image() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Property-Arch", "arm")]);
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(gander.rows("SELECT COUNT(*) FROM image_properties WHERE NOT deleted"), ["0"]);
    assert_eq!(gander.rows("SELECT COUNT(*) FROM image_properties"), ["1"]);
}

#[test]
fn delayed_deletion_leaves_the_data_to_the_scrubber() {
    let gander = Setup::api("").set("delayed_delete", "True").set("scrub_time", 100).start();
    let id = gander.client().add_image("Image1");
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("pending_delete"));
    assert!(gander.client().ids("/v1/images?is_public=none").is_empty());
    assert!(gander.path("images").join(&id).exists());

    // Two lines without a newline at the end: where the data is, and when it is due.
    let order = gander.path("scrubber").join(&id);
    let text = fs::read_to_string(&order).unwrap();
    let (uri, due) = text.split_once('\n').unwrap();
    assert_eq!(uri, format!("file://{}", gander.path("images").join(&id).display()));
    let due: u64 = due.parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((now + 90..=now + 100).contains(&due), "{due}");
    let metadata = fs::metadata(&order).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(metadata.modified().unwrap(), UNIX_EPOCH + Duration::from_secs(due));
}

#[test]
fn delayed_deletion_of_an_image_without_data_queues_nothing() {
    let gander = Setup::api("").set("delayed_delete", "True").start();
    let id = gander.client().reserve("Image1", &[]);
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert!(entries(&gander.path("scrubber")).is_empty());
}

#[test]
fn a_deleted_image_takes_no_data_any_more() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    let uri = origin.url("/images/2");
    for header in ["Content-Type", "X-Image-Meta-Location", "X-Glance-API-Copy-From"] {
        let id = http.reserve("Image1", &[]);
        let path = format!("/v1/images/{id}");
        http.delete(&path).expect(200);
        let request = match header {
            "Content-Type" => http.put(&path).header(header, "application/octet-stream").body(five_kb()),
            _ => http.put(&path).header(header, &uri),
        };
        let status = request.send().status;
        assert!(matches!(status, 400 | 404 | 409), "{header}: {status}");
        assert_eq!(http.meta(&id, "status").as_deref(), Some("deleted"));
        assert!(entries(&gander.path("images")).is_empty());
    }
}

#[test]
fn an_image_of_formats_that_only_another_release_knows_can_be_deleted() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    gander.rows("UPDATE images SET disk_format = 'wim'");
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn downloads_uploads_and_deletes_at_once_leave_no_orphan() {
    let gander = Gander::caching();
    for round in 0..20 {
        let id = gander.client().reserve("Image1", &[]);
        let path = format!("/v1/images/{id}");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let request = gander.client().put(&path).header("Content-Type", "application/octet-stream");
                request.body(five_kb()).send();
            });
            scope.spawn(|| gander.client().delete(&path));
            scope.spawn(|| gander.client().get(&path));
        });
        // Whoever came first, a last deletion leaves nothing.
        gander.client().delete(&path);
        assert!(entries(&gander.path("images")).is_empty(), "round {round}");
        assert!(!gander.path("cache").join(&id).exists(), "round {round}");
    }
}

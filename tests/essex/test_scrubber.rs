//! `TestScrubber`: deletion at once, and deletion by the scrubber, seen through the registry.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Servers, entries, eventually};

/// Deleted images in this status, as the registry lists them.
fn deleted(servers: &Servers, status: &str) -> Vec<Value> {
    let query = format!("/images/detail?deleted=True&is_public=none&status={status}");
    let listing = servers.registry_client().get(&query).expect(200).json();
    listing["images"].as_array().unwrap().clone()
}

#[test]
fn test_immediate_delete() {
    let servers = Servers::new("127.0.0.1").start();
    let http = servers.client();
    let id = http.add_private("test_image");
    assert!(deleted(&servers, "pending_delete").is_empty());
    http.delete(&format!("/v1/images/{id}")).expect(200);
    assert!(deleted(&servers, "pending_delete").is_empty());
    assert_eq!(deleted(&servers, "deleted").len(), 1);
    assert!(entries(&servers.path("images")).is_empty());
    servers.stop();
}

#[test]
fn test_delayed_delete() {
    let servers = Servers::new("127.0.0.1").set("delayed_delete", "True").set("daemon", "True").set("scrub_time", 1);
    let servers = servers.set("wakeup_time", 1).start();
    let http = servers.client();
    let id = http.add_private("test_image");
    assert!(deleted(&servers, "pending_delete").is_empty());
    http.delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(deleted(&servers, "pending_delete").len(), 1);
    assert_eq!(entries(&servers.path("images")).len(), 1);

    eventually("the scrubber has deleted it", Duration::from_secs(15), || deleted(&servers, "deleted").len() == 1);
    assert!(deleted(&servers, "pending_delete").is_empty());
    assert!(entries(&servers.path("images")).is_empty());
    servers.stop();
}

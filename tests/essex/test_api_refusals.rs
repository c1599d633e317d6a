//! `TestApi`: requests and configurations that are refused.

use std::time::Duration;

use crate::harness::{Servers, answers, eventually, five_kb, is_open, minimal_headers};

#[test]
fn test_traceback_not_consumed() {
    traceback_not_consumed(&Servers::new("127.0.0.1").start());
}

pub(super) fn traceback_not_consumed(servers: &Servers) {
    let refusal = servers.client().post("/v1/images").body("*".repeat(5 * 1024)).send().expect(400).text();
    let expected = "Failed to reserve image. Got error: Data supplied was not valid. Details: 400 Bad Request";
    assert!(refusal.contains(expected), "{refusal}");
    servers.stop();
}

#[test]
fn test_duplicate_image_upload() {
    duplicate_image_upload(&Servers::new("127.0.0.1").start());
}

pub(super) fn duplicate_image_upload(servers: &Servers) {
    let http = servers.client();
    let id = http.add_image("Image1");
    let again = http.post("/v1/images").headers(&minimal_headers("Image1")).header("X-Image-Meta-Id", &id);
    let refusal = again.body(five_kb()).send().expect(409).text();
    assert!(refusal.contains(&format!("An image with identifier {id} already exists")), "{refusal}");
    servers.stop();
}

#[test]
fn test_delete_not_existing() {
    delete_not_existing(&Servers::new("127.0.0.1").start());
}

pub(super) fn delete_not_existing(servers: &Servers) {
    servers.client().delete("/v1/images/1").expect(404);
    servers.stop();
}

#[test]
fn test_unsupported_default_store() {
    let servers = Servers::new("127.0.0.1").set("default_store", "shouldnotexist");
    servers.write_files();
    let outcome = servers.control("api", "start", "--await-child=1");
    assert_eq!(outcome.code, Some(255), "{outcome:?}");
    assert!(outcome.stdout.contains("Starting glance-api with"), "{outcome:?}");
    assert!(!is_open(servers.api_port));
}

/// Posts data without one of the formats.
fn refused_without(format: &str, complaint: &str) {
    let servers = Servers::new("127.0.0.1").start();
    let headers: Vec<_> = minimal_headers("Image1").into_iter().filter(|(name, _)| !name.ends_with(format)).collect();
    let refusal = servers.client().post("/v1/images").headers(&headers).body(five_kb()).send().expect(400).text();
    assert!(refusal.contains(complaint), "{refusal}");
    servers.stop();
}

#[test]
fn test_unset_container_format() {
    refused_without("container_format", "Details: Invalid container format 'None' for image");
}

#[test]
fn test_unset_disk_format() {
    refused_without("disk_format", "Details: Invalid disk format 'None' for image");
}

/// Not a test of the suite, but what each of its tests relies on: a stopped server is really gone.
#[test]
fn a_stopped_server_can_be_started_again_on_the_same_port() {
    let servers = Servers::new("127.0.0.1").start();
    servers.stop();
    let outcome = servers.control("api", "start", "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    eventually("the API is back", Duration::from_secs(3), || answers(servers.api_port));
}

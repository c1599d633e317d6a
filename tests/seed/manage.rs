//! `BaseCacheManageMiddlewareTest`: what is cached can be listed, deleted, queued and prefetched.

use serde_json::{Value, json};

use crate::harness::{Client, FIVE_KB, Servers, execute, five_kb, md5, minimal_headers};

fn verify_no_images(http: &Client) {
    let response = http.get("/v1/images");
    assert_eq!(response.status, 200);
    assert_eq!(response.json()["images"].as_array().unwrap().len(), 0);
}

/// Adds an image; its id.
fn add_image(http: &Client, name: &str) -> String {
    let image_data = five_kb();
    let response = http.post("/v1/images").headers(&minimal_headers(name)).body(&image_data).send();
    assert_eq!(response.status, 201);
    let data = response.json();
    assert_eq!(data["image"]["checksum"], md5(&image_data));
    assert_eq!(data["image"]["size"], FIVE_KB);
    assert_eq!(data["image"]["name"], name);
    assert_eq!(data["image"]["is_public"], true);
    data["image"]["id"].as_str().unwrap().to_owned()
}

fn cached_images(http: &Client) -> Vec<Value> {
    let response = http.get("/v1/cached_images");
    assert_eq!(response.status, 200);
    response.json()["cached_images"].as_array().unwrap().clone()
}

fn verify_no_cached_images(http: &Client) {
    let response = http.get("/v1/cached_images");
    assert_eq!(response.status, 200);
    assert_eq!(response.json()["cached_images"], json!([]));
}

fn get_image(http: &Client, id: &str) {
    assert_eq!(http.get(&format!("/v1/images/{id}")).status, 200, "Failed to find image {id}");
}

pub(super) fn test_cache_manage_get_cached_images(servers: Servers) {
    let servers = servers.start();
    let http = servers.client();
    verify_no_images(&http);
    let image_id = add_image(&http, "Image1");

    // Nobody has asked for the image yet.
    verify_no_cached_images(&http);

    get_image(&http, &image_id);
    let cached = cached_images(&http);
    assert_eq!(cached.len(), 1);
    assert_eq!(cached[0]["image_id"], image_id);
    assert_eq!(cached[0]["hits"], 0);

    // The next download is a hit, and counted.
    get_image(&http, &image_id);
    let cached = cached_images(&http);
    assert_eq!(cached.len(), 1);
    assert_eq!(cached[0]["image_id"], image_id);
    assert_eq!(cached[0]["hits"], 1);

    servers.stop();
}

pub(super) fn test_cache_manage_delete_cached_images(servers: Servers) {
    let servers = servers.start();
    let http = servers.client();
    verify_no_images(&http);
    let ids: Vec<_> = (0..4).map(|x| add_image(&http, &format!("Image{x}"))).collect();
    verify_no_cached_images(&http);

    for id in &ids {
        get_image(&http, id);
    }
    // The loop over these records in the original ranges from 4 up to 0 and asserts nothing.
    assert_eq!(cached_images(&http).len(), 4);

    // Delete the third.
    assert_eq!(http.delete(&format!("/v1/cached_images/{}", ids[2])).status, 200);
    let cached = cached_images(&http);
    assert_eq!(cached.len(), 3);
    assert!(cached.iter().all(|record| record["image_id"] != *ids[2]));

    // Delete all.
    assert_eq!(http.delete("/v1/cached_images").status, 200);
    assert_eq!(cached_images(&http).len(), 0);

    servers.stop();
}

pub(super) fn test_queue_and_prefetch(servers: Servers) {
    let servers = servers.start();
    let http = servers.client();
    let cache_config_filepath = servers.cache_conf();
    verify_no_images(&http);
    let ids: Vec<_> = (0..4).map(|x| add_image(&http, &format!("Image{x}"))).collect();

    // Queueing alone caches nothing.
    assert_eq!(http.put(&format!("/v1/queued_images/{}", ids[0])).send().status, 200);
    verify_no_cached_images(&http);

    let cmd = format!("bin/glance-cache-prefetcher --config-file {}", cache_config_filepath.display());
    let outcome = execute(&cmd);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stdout.trim(), "");

    // The prefetcher cached the first.
    let cached = cached_images(&http);
    assert_eq!(cached.len(), 1);
    assert_eq!(cached[0]["image_id"], ids[0]);

    servers.stop();
}

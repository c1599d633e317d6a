//! `BaseCacheMiddlewareTest`: the cache in the pipeline is transparent.

use std::time::Duration;

use crate::harness::{FIVE_KB, Origin, Servers, eventually, five_kb, md5, minimal_headers};

pub(super) fn test_cache_middleware_transparent(servers: Servers) {
    let servers = servers.start();
    let http = servers.client();

    // Add an image.
    let image_data = five_kb();
    let response = http.post("/v1/images").headers(&minimal_headers("Image1")).body(&image_data).send();
    assert_eq!(response.status, 201);
    let data = response.json();
    assert_eq!(data["image"]["checksum"], md5(&image_data));
    assert_eq!(data["image"]["size"], FIVE_KB);
    assert_eq!(data["image"]["name"], "Image1");
    assert_eq!(data["image"]["is_public"], true);
    let image_id = data["image"]["id"].as_str().unwrap();

    // An upload does not fill the cache.
    let image_cached_path = servers.cache_dir().join(image_id);
    assert!(!image_cached_path.exists());

    // A download does; the original waits up to 30 times 0.05 s for the file.
    let path = format!("/v1/images/{image_id}");
    assert_eq!(http.get(&path).status, 200);
    eventually("the image is cached", Duration::from_millis(1500), || image_cached_path.exists());

    // With the image its cache entry goes, at once.
    assert_eq!(http.delete(&path).status, 200);
    assert!(!image_cached_path.exists());

    servers.stop();
}

pub(super) fn test_cache_remote_image(servers: Servers) {
    let servers = servers.start();
    let http = servers.client();
    let remote_server = Origin::serving(&five_kb());

    // Register an image whose data is elsewhere.
    let remote_uri = remote_server.url("/images/2");
    let headers = [
        ("X-Image-Meta-Name", "Image2"),
        ("X-Image-Meta-disk_format", "raw"),
        ("X-Image-Meta-container_format", "ovf"),
        ("X-Image-Meta-Is-Public", "True"),
        ("X-Image-Meta-Location", remote_uri.as_str()),
    ];
    let response = http.post("/v1/images").headers(&headers).send();
    assert_eq!(response.status, 201);
    let data = response.json();
    assert_eq!(data["image"]["size"], FIVE_KB);
    let path = format!("/v1/images/{}", data["image"]["id"].as_str().unwrap());

    // The first download caches the image.
    assert_eq!(http.get(&path).status, 200);

    // The second is served out of the cache, with the right size.
    let response = http.get(&path);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-length").unwrap().parse(), Ok(FIVE_KB));

    drop(remote_server);
    servers.stop();
}

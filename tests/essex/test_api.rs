//! `TestApi`: the life of an image, and version negotiation.

use serde_json::json;

use crate::harness::{FIVE_KB, Servers, five_kb, md5, minimal_headers};

#[test]
fn test_get_head_simple_post() {
    get_head_simple_post(&Servers::new("127.0.0.1").start());
}

pub(super) fn get_head_simple_post(servers: &Servers) {
    let http = servers.client();
    for listing in ["/v1/images", "/v1/images/detail"] {
        assert_eq!(http.get(listing).expect(200).text(), r#"{"images": []}"#);
    }

    let image = http.post("/v1/images").headers(&minimal_headers("Image1")).body(five_kb()).send().expect(201).json();
    let image = &image["image"];
    assert_eq!(image["checksum"], md5(&five_kb()));
    assert_eq!(image["size"], FIVE_KB);
    assert_eq!(image["name"], "Image1");
    assert_eq!(image["is_public"], true);
    let id = image["id"].as_str().unwrap();
    let path = format!("/v1/images/{id}");

    assert_eq!(http.head(&path).expect(200).header("x-image-meta-name"), Some("Image1"));

    let answer = http.get(&path).expect(200);
    for (field, value) in [
        ("x-image-meta-id", id),
        ("x-image-meta-name", "Image1"),
        ("x-image-meta-is_public", "True"),
        ("x-image-meta-status", "active"),
        ("x-image-meta-disk_format", "raw"),
        ("x-image-meta-container_format", "ovf"),
        ("x-image-meta-size", "5120"),
        ("content-length", "5120"),
        ("content-type", "application/octet-stream"),
    ] {
        assert_eq!(answer.header(field), Some(value), "{field}");
    }
    assert_eq!(answer.body, five_kb());

    let brief = json!({"images": [{"container_format": "ovf", "disk_format": "raw", "id": id, "name": "Image1",
        "checksum": md5(&five_kb()), "size": 5120}]});
    assert_eq!(http.get("/v1/images").expect(200).json(), brief);

    let detail = http.get("/v1/images/detail").expect(200).json();
    let image = &detail["images"][0];
    for (field, value) in [
        ("status", json!("active")),
        ("name", json!("Image1")),
        ("deleted", json!(false)),
        ("container_format", json!("ovf")),
        ("disk_format", json!("raw")),
        ("id", json!(id)),
        ("is_public", json!(true)),
        ("deleted_at", json!(null)),
        ("properties", json!({})),
        ("size", json!(5120)),
    ] {
        assert_eq!(image[field], value, "{field}");
    }

    let both = [("X-Image-Meta-Property-Distro", "Ubuntu"), ("X-Image-Meta-Property-Arch", "x86_64")];
    for headers in [&both[..], &both[..1], &both[..]] {
        let answer = http.put(&path).headers(headers).send().expect(200).json();
        let expected = match headers.len() {
            2 => json!({"distro": "Ubuntu", "arch": "x86_64"}),
            _ => json!({"distro": "Ubuntu"}),
        };
        assert_eq!(answer["image"]["properties"], expected);
        let detail = http.get("/v1/images/detail").expect(200).json();
        assert_eq!(detail["images"][0]["properties"], expected);
    }

    http.delete(&path).expect(200);
    servers.stop();
}

#[test]
fn test_queued_process_flow() {
    queued_process_flow(&Servers::new("127.0.0.1").start());
}

pub(super) fn queued_process_flow(servers: &Servers) {
    let http = servers.client();
    let image = http.post("/v1/images").headers(&minimal_headers("Image1")[1..]).send().expect(201).json();
    let image = &image["image"];
    assert_eq!(image["checksum"], json!(null));
    assert_eq!(image["size"], 0);
    assert_eq!(image["container_format"], "ovf");
    assert_eq!(image["disk_format"], "raw");
    let id = image["id"].as_str().unwrap();
    let path = format!("/v1/images/{id}");
    let listed = http.get("/v1/images").expect(200).json();
    assert_eq!(listed["images"][0]["id"], id);
    assert_eq!(listed["images"][0]["checksum"], json!(null));
    assert_eq!(listed["images"][0]["size"], 0);

    let queued = http.head(&path).expect(200);
    assert_eq!(queued.header("x-image-meta-status"), Some("queued"));
    assert_eq!(queued.header("x-image-meta-size"), Some("0"));
    assert_eq!(queued.header("x-image-meta-id"), Some(id));

    let image = http.put(&path).data(five_kb()).send().expect(200).json();
    assert_eq!(image["image"]["checksum"], md5(&five_kb()));
    assert_eq!(image["image"]["size"], FIVE_KB);
    assert_eq!(image["image"]["is_public"], true);
    assert_eq!(http.head(&path).expect(200).header("x-image-meta-status"), Some("active"));
    let listed = http.get("/v1/images").expect(200).json();
    assert_eq!(listed["images"][0]["checksum"], md5(&five_kb()));
    assert_eq!(listed["images"][0]["size"], FIVE_KB);

    http.delete(&path).expect(200);
    servers.stop();
}

#[test]
fn test_version_variations() {
    version_variations(&Servers::new("127.0.0.1").start());
}

pub(super) fn version_variations(servers: &Servers) {
    let http = servers.client();
    let link = format!(r#""links": [{{"href": "{}/v1/", "rel": "self"}}]"#, http.base());
    let versions = format!(
        r#"{{"versions": [{{"status": "CURRENT", "id": "v1.1", {link}}}, {{"status": "SUPPORTED", "id": "v1.0", {link}}}]}}"#
    );
    let images = r#"{"images": []}"#;
    let v1 = "application/vnd.openstack.images-v1";
    for (path, accept, status, body) in [
        ("/", "", 300, versions.as_str()),
        ("/images", "", 300, &versions),
        ("/v1/images", "", 200, images),
        ("/", "unknown", 300, &versions),
        ("/images", v1, 200, images),
        ("/images", "application/vnd.openstack.compute-v1", 300, &versions),
        ("/v1.0/images", "", 200, images),
        ("/v1.a/images", "", 200, images),
        ("/va.1/images", "", 300, &versions),
        ("/versions", "", 300, &versions),
        ("/versions", v1, 300, &versions),
        ("/v2/versions", "", 300, &versions),
        ("/images", "application/vnd.openstack.images-v2", 300, &versions),
        ("/v1.2/images", "", 300, &versions),
    ] {
        let request = http.request("GET", path);
        let request = if accept.is_empty() { request } else { request.header("Accept", accept) };
        assert_eq!(request.send().expect(status).text(), body, "{path} {accept}");
    }
    http.get("/v1/versions").expect(404);
    let log = servers.log("api");
    assert!(log.contains("Unknown accept header"), "{log}");
    assert!(log.contains("Unknown version in versioned URI"), "{log}");
    servers.stop();
}

#[test]
fn test_size_greater_2g_mysql() {
    size_greater_2g_mysql(&Servers::new("127.0.0.1").start());
}

pub(super) fn size_greater_2g_mysql(servers: &Servers) {
    let http = servers.client();
    let size = (5_u64 << 30).to_string();
    // The size is given, so nobody asks the remote host.
    let answer = http
        .post("/v1/images")
        .headers(&minimal_headers("Image1")[1..])
        .headers(&[("X-Image-Meta-Location", "http://example.com/fakeimage"), ("X-Image-Meta-Size", &size)])
        .send()
        .expect(201);
    let location = answer.header("location").unwrap();
    let path = location.strip_prefix(&http.base()).unwrap();
    let answer = http.head(path).expect(200);
    assert_eq!(answer.header("x-image-meta-size"), Some(size.as_str()));
    assert_eq!(answer.header("x-image-meta-name"), Some("Image1"));
    assert_eq!(answer.header("x-image-meta-is_public"), Some("True"));
    servers.stop();
}

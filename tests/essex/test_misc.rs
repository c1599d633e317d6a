//! `TestMiscellaneous`: lost data, and errors of the registry that clients must see.

use std::fs;

use crate::harness::Servers;

#[test]
fn test_api_response_when_image_deleted_from_filesystem() {
    let servers = Servers::new("127.0.0.1").start();
    let http = servers.client();
    let id = http.add_image("Image1");
    http.head(&format!("/v1/images/{id}")).expect(200);
    fs::remove_file(servers.path("images").join(&id)).unwrap();
    http.head(&format!("/v1/images/{id}")).expect(200);
    http.get(&format!("/v1/images/{id}")).expect(404);
    http.get("/v1/images/1").expect(404);
    servers.stop();
}

#[test]
fn test_exception_not_eaten_from_registry_to_api() {
    let servers = Servers::new("127.0.0.1").start();
    // curl says that it accepts everything, and so gets HTML.
    let http = servers.client().with("Accept", "*/*");
    assert_eq!(http.get("/v1/images").expect(200).text(), r#"{"images": []}"#);
    let headers = [
        ("X-Image-Meta-Name", "ImageName"),
        ("X-Image-Meta-Disk-Format", "Invalid"),
        ("X-Image-Meta-Container-Format", "ovf"),
    ];
    let refusal = http.post("/v1/images").headers(&headers).send().expect(400).text();
    assert!(refusal.contains("Invalid disk format"), "{refusal}");
    servers.stop();
}

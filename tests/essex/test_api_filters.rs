//! `TestApi`: filtered, limited and ordered lists.

use crate::harness::{Client, Servers, minimal_headers};

/// An instant relative to now, as ISO 8601 with this zone.
fn instant(hours: i64, zone_hours: i32) -> String {
    let zone = chrono::FixedOffset::east_opt(zone_hours * 3600).unwrap();
    let at = chrono::Utc::now().with_timezone(&zone) + chrono::TimeDelta::hours(hours);
    at.format("%Y-%m-%dT%H:%M:%S%:z").to_string().replace('+', "%2B")
}

fn register(http: &Client, name: &str, formats: [&str; 2], size: &str, more: &[(&str, &str)]) -> String {
    let headers = [
        ("X-Image-Meta-Name", name),
        // Ignored: an image without data is queued.
        ("X-Image-Meta-Status", "active"),
        ("X-Image-Meta-Container-Format", formats[0]),
        ("X-Image-Meta-Disk-Format", formats[1]),
        ("X-Image-Meta-Size", size),
    ];
    let answer = http.post("/v1/images").headers(&headers).headers(more).send().expect(201).json();
    answer["image"]["id"].as_str().unwrap().to_owned()
}

const PUBLIC: (&str, &str) = ("X-Image-Meta-Is-Public", "True");

#[test]
fn test_filtered_images() {
    filtered_images(&Servers::new("127.0.0.1").start());
}

pub(super) fn filtered_images(servers: &Servers) {
    let http = servers.client();
    assert_eq!(http.get("/v1/images").expect(200).text(), r#"{"images": []}"#);

    let pants = ("X-Image-Meta-Property-pants", "are on");
    let protected = ("X-Image-Meta-Protected", "True");
    let unprotected = ("X-Image-Meta-Protected", "False");
    register(&http, "Image1", ["ovf", "vdi"], "19", &[PUBLIC, protected, pants]);
    register(&http, "My Image!", ["ovf", "vhd"], "20", &[PUBLIC, unprotected, pants]);
    register(&http, "My Image!", ["bare", "vhd"], "21", &[PUBLIC, unprotected]);
    register(&http, "My Private Image", ["ovf", "vhd"], "22", &[("X-Image-Meta-Is-Public", "False")]);

    for (query, names) in [
        ("", &["My Image!", "My Image!", "Image1"][..]),
        ("name=My%20Image!", &["My Image!", "My Image!"]),
        ("status=queued", &["My Image!", "My Image!", "Image1"]),
        ("status=active", &[]),
        ("container_format=ovf", &["My Image!", "Image1"]),
        ("disk_format=vdi", &["Image1"]),
        ("size_max=20", &["My Image!", "Image1"]),
        ("size_min=20", &["My Image!", "My Image!"]),
        ("is_public=None", &["My Private Image", "My Image!", "My Image!", "Image1"]),
        ("is_public=False", &["My Private Image"]),
        ("is_public=True", &["My Image!", "My Image!", "Image1"]),
        ("protected=False", &["My Image!", "My Image!"]),
        ("protected=True", &["Image1"]),
        ("property-pants=are%20on", &["My Image!", "Image1"]),
        ("name=My%20Image!&property-pants=are%20on", &["My Image!"]),
    ] {
        assert_eq!(http.names(&format!("/v1/images/detail?{query}")), names, "{query}");
    }
    let changed_since = |at: String| http.ids(&format!("/v1/images?changes-since={at}")).len();
    assert_eq!(changed_since(instant(-24, 0)), 3);
    assert_eq!(changed_since(instant(-1, 1)), 3);
    assert_eq!(changed_since(instant(24, 0)), 0);
    assert_eq!(changed_since(instant(1, -1)), 0);

    for (parameter, value) in [
        ("size_min", "-1"),
        ("size_max", "-1"),
        ("min_ram", "-1"),
        ("protected", "imalittleteapot"),
        ("is_public", "imalittleteapot"),
    ] {
        let refusal = http.get(&format!("/v1/images?{parameter}={value}")).expect(400).text();
        assert!(refusal.contains(&format!("filter {parameter} got {value}")), "{refusal}");
    }
    servers.stop();
}

#[test]
fn test_limited_images() {
    limited_images(&Servers::new("127.0.0.1").start());
}

pub(super) fn limited_images(servers: &Servers) {
    let http = servers.client();
    for name in ["Image1", "Image2", "Image3"] {
        http.post("/v1/images").headers(&minimal_headers(name)[1..]).send().expect(201);
    }
    let all = http.ids("/v1/images");
    assert_eq!(all.len(), 3);
    assert_eq!(http.ids("/v1/images?limit=2"), all[..2]);
    assert_eq!(http.ids(&format!("/v1/images?marker={}", all[0])), all[1..]);
    assert_eq!(http.ids(&format!("/v1/images?limit=1&marker={}", all[1])), all[2..]);
    for id in &all {
        http.delete(&format!("/v1/images/{id}")).expect(200);
    }
    servers.stop();
}

#[test]
fn test_ordered_images() {
    ordered_images(&Servers::new("127.0.0.1").start());
}

pub(super) fn ordered_images(servers: &Servers) {
    let http = servers.client();
    register(&http, "Image1", ["ovf", "vdi"], "19", &[PUBLIC]);
    register(&http, "ASDF", ["bare", "iso"], "2", &[PUBLIC]);
    let last = register(&http, "XYZ", ["ami", "ami"], "5", &[PUBLIC]);

    assert_eq!(http.names("/v1/images"), ["XYZ", "ASDF", "Image1"]);
    assert_eq!(http.names("/v1/images?sort_key=name&sort_dir=asc"), ["ASDF", "Image1", "XYZ"]);
    assert_eq!(http.names("/v1/images?sort_key=size&sort_dir=desc"), ["Image1", "XYZ", "ASDF"]);
    let after = |order: &str| http.names(&format!("/v1/images?{order}&marker={last}"));
    assert_eq!(after("sort_key=size&sort_dir=desc"), ["ASDF"]);
    assert!(after("sort_key=name&sort_dir=asc").is_empty());
    servers.stop();
}

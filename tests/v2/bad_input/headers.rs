//! Headers that say nonsense, or nothing.

use serde_json::json;

use super::world::{Brings, ROUTES, V2_1, World};

/// Values that mean nothing, or too much.
const JUNK: [&str; 9] =
    ["", " ", "x", "-1", "99999999999999999999999999", ";;;,,,===", "\u{fc}\u{1f9a2}", "\t", "q=;/=\"\\"];
/// Headers that somebody looks at.
const NAMES: [&str; 14] = [
    "Accept",
    "X-OpenStack-Request-ID",
    "X-Image-Meta-Store",
    "Prefer",
    "Range",
    "Content-Range",
    "If-Range",
    "If-Match",
    "Accept-Encoding",
    "Content-Type",
    "Content-MD5",
    "X-Image-Cache-Clear-Target",
    "X-Forwarded-Proto",
    "Origin",
];

#[test]
fn a_content_type_that_is_not_taken_is_415() {
    let world = World::new();
    let wrong =
        ["", "text/plain", "application/json", "application/json-patch+json", "multipart/form-data", "*/*", "\u{fc}"];
    let body = json!([{"op": "remove", "path": "/colour"}]).to_string();
    for (id, method, way, almost) in [
        (&world.active, "PATCH", "", "application/openstack-images-v2.2-json-patch"),
        (&world.queued, "PUT", "/file", "application/octet-streams"),
        (&world.queued, "PUT", "/stage", "APPLICATION/octet-stream"),
    ] {
        let path = format!("/v2/images/{id}{way}");
        let request = || world.admin.request(method, &path);
        let named = wrong.iter().chain([&almost]).map(|wrong| (*wrong, request().header("Content-Type", wrong)));
        for (wrong, request) in named.chain([("none", request())]) {
            let answer = request.body(&body).send();
            let what = format!("{method} {path} {wrong}");
            world.refuses(&answer, 415, "", &what);
            let told = answer.header("accept-patch").is_some_and(|types| types.contains(V2_1));
            world.check(told == (method == "PATCH"), || what);
        }
    }
    world.judge();
}

#[test]
fn junk_is_no_fault_of_the_server() {
    let world = World::new();
    let long = "x".repeat(5000);
    for route in ROUTES.iter().filter(|route| route.methods.iter().any(|(method, _)| *method == "GET")) {
        for name in NAMES {
            for junk in JUNK.iter().chain([&long.as_str()]) {
                let answer = world.request("GET", route.path, Brings::Nothing).header(name, junk).send();
                let expected: &[u16] = match (name, route.path) {
                    ("X-OpenStack-Request-ID", _) if junk.len() > 64 => &[431],
                    ("Range" | "Content-Range", "/images/{id}/file") => &[200, 400, 416],
                    // There is no such thing here.
                    (_, "/info/stores" | "/info/stores/detail") => &[404],
                    (_, "/cache/nodes/{id}") => &[409],
                    _ => &[200],
                };
                let well = expected.contains(&answer.status) && answer.complete;
                let well = well && answer.header("x-openstack-request-id").is_some();
                let shown: String = junk.chars().take(30).collect();
                world.check(well, || format!("{} {name}: {shown:?}: {} {}", route.path, answer.status, answer.text()));
            }
        }
    }
    world.judge();
}

#[test]
fn a_range_that_the_image_does_not_have_is_refused() {
    let world = World::new();
    let file = || world.request("GET", "/images/{id}/file", Brings::Nothing);
    for range in
        ["bytes=5120-", "bytes=5120-5121", "bytes=99999999999999999999999-", "bytes=9-2", "bytes=-", "bytes", "x=0-1"]
    {
        world.refuses(&file().header("Range", range).send(), 416, "", range);
    }
    for range in ["bytes 0-5120/*", "bytes 5120-5121/5122", "bytes */5120", "bytes 4-2/10", "bytes 0-1", "x 0-1/2"] {
        world.refuses(&file().header("Content-Range", range).send(), 416, "Content-Range", range);
    }
    for range in ["bytes=0-1,3-4", "bytes=0-1,", ","] {
        world.refuses(&file().header("Range", range).send(), 400, "multiple ranges", range);
    }
    world.refuses(
        &file().header("Range", "bytes=0-1").header("Range", "bytes=2-3").send(),
        400,
        "multiple ranges",
        "two",
    );
    world.judge();
}

#[test]
fn a_size_that_is_none_is_400_and_leaves_the_image_waiting() {
    let world = World::new();
    let send = |way: &str, size: &str| {
        let request = world.request("PUT", &format!("/images/{{id}}/{way}"), Brings::Data);
        request.header("x-openstack-image-size", size).body("four").send()
    };
    for way in ["file", "stage"] {
        for size in ["", "x", "1e3", "0x4", "4.0", "4 4", "99999999999999999999999999", "\u{fc}"] {
            let said = "Invalid or missing image size in request headers.";
            world.refuses(&send(way, size), 400, said, &format!("{way} {size}"));
        }
    }
    // What was begun with a size that could be is an upload that failed, which tells in the record when that was.
    for way in ["file", "stage"] {
        for size in ["-1", "3", "5", "1000000"] {
            let said = format!("expected {size} bytes, got 4 bytes");
            world.refuses(&send(way, size), 400, &said, &format!("{way} {size}"));
        }
        world.refuses(&send(way, "9223372036854775807"), 413, "", way);
    }
    assert_eq!(world.admin.status(&world.queued), "queued");
    world.judge_but_for_times();
}

//! Requests that make no sense, on every route: the right code, a message that names what is wrong, and nothing changes.

mod values;
mod world;

use serde_json::json;

use crate::harness::{Client, read_response};

use world::{Brings, ROUTES, V2_1, World, refused};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "BREW"];
/// A body of the largest size, and one more.
const MOST: usize = 1024 * 1024;

/// Every method of every route that brings such a thing.
fn all(brings: Brings) -> impl Iterator<Item = (&'static str, &'static str)> {
    let calls =
        ROUTES.iter().flat_map(|route| route.methods.iter().map(|(method, brings)| (*method, route.path, *brings)));
    calls.filter(move |(.., brought)| *brought == brings).map(|(method, path, _)| (method, path))
}

#[test]
fn another_method_is_405_and_hears_which_there_are() {
    let world = World::new();
    let before = world.state();
    for route in ROUTES {
        for method in METHODS.iter().filter(|method| !route.methods.iter().any(|(known, _)| known == *method)) {
            let what = format!("{method} {}", route.path);
            let answer = world.request(method, route.path, Brings::Nothing).send();
            let status = match (route.allow, *method) {
                (Some(_), _) => 405,
                (None, "BREW") => 501,
                (None, _) => 404,
            };
            assert_eq!((answer.status, answer.header("allow")), (status, route.allow), "{what}");
            match *method {
                "HEAD" => assert!(answer.body.is_empty(), "{what}"),
                _ if status == 405 => {
                    let text = refused(answer, status, &what);
                    assert!(text.contains(&format!("The method {method} is not allowed for this resource.")), "{text}");
                }
                _ => drop(refused(answer, status, &what)),
            }
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn there_is_nothing_behind_or_between_the_paths() {
    let world = World::new();
    let before = world.state();
    for route in ROUTES.iter().filter(|route| route.path != "/") {
        for (method, _) in route.methods {
            for path in [format!("{}/", route.path), format!("{}%2F", route.path), format!("{}/red/x/y", route.path)] {
                refused(world.request(method, &path, Brings::Nothing).send(), 404, &format!("{method} {path}"));
            }
            let broken = format!("{}%FF", route.path);
            let text = refused(world.request(method, &broken, Brings::Nothing).send(), 400, &broken);
            assert!(text.starts_with("Error decoding your request."), "{text}");
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_body_that_nobody_expects_is_400() {
    let world = World::new();
    let before = world.state();
    for (method, path) in all(Brings::Nothing) {
        let request = || world.request(method, path, Brings::Nothing);
        for answer in [request().body("{}").send(), request().chunked(b"{}").send(), request().chunked(b"").send()] {
            let text = refused(answer, 400, &format!("{method} {path}"));
            assert!(text.starts_with("A body is not expected with this request."), "{text}");
        }
    }
    assert_eq!(world.state(), before);
}

/// Whatever JSON should be there, this is none, or none of the right kind: what it is, and what is said of it.
fn no_documents() -> Vec<(Vec<u8>, &'static str)> {
    let malformed = [
        "{",
        "[1",
        "nul",
        "{} x",
        "{'a': 1}",
        "[1,]",
        "{\"a\": NaN}",
        "{\"a\": 1e999}",
        "\u{feff}{}",
        "{\"a\": \"\\ud800\"}",
        "{\"a\": \"\\ud800\\ud800\"}",
        "{\"\\udfff\": \"a\"}",
        "{\"a\": \"\n\"}",
        "{\"a\": \"\\x\"}",
        "{\"a\": 01}",
        " ",
    ];
    let broken: [&[u8]; 4] = [b"{\"a\": \"\xFF\"}", b"[\"\xC3\x28\"]", b"{\"\xED\xA0\x80\": 1}", b"\xFF\xFE{\0}\0"];
    let deep =
        ["[".repeat(200), "{\"a\":".repeat(200), "[".repeat(MOST), format!("{}{}", "[".repeat(200), "]".repeat(200))];
    let scalars = ["1", "-0.5", "\"x\"", "null", "true", "\"\""];
    let malformed = malformed.iter().map(|text| text.as_bytes().to_vec()).chain(deep.map(String::into_bytes));
    let malformed = malformed.map(|text| (text, "Malformed JSON in request body."));
    let broken = broken.iter().map(|text| (text.to_vec(), "Error decoding your request."));
    let scalars = scalars.map(|text| (text.as_bytes().to_vec(), "Unexpected body type. Expected list/dict."));
    malformed.chain(broken).chain(scalars).collect()
}

#[test]
fn what_is_no_document_is_400() {
    let world = World::new();
    let before = world.state();
    for brings in [Brings::Object, Brings::Json, Brings::Patch] {
        for (method, path) in all(brings) {
            for (document, said) in no_documents() {
                let what = format!("{method} {path} {}", document[..document.len().min(30)].escape_ascii());
                let request = || world.request(method, path, brings);
                for answer in [request().body(&document).send(), request().chunked(&document).send()] {
                    let text = refused(answer, 400, &what);
                    assert!(text.starts_with(said), "{what}: {text}");
                }
            }
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_document_of_the_wrong_kind_or_none_is_400() {
    let world = World::new();
    let before = world.state();
    let expected = |brings, document: &[u8]| {
        for (method, path) in all(brings) {
            let what = format!("{method} {path}");
            refused(world.request(method, path, brings).body(document).send(), 400, &what);
        }
    };
    expected(Brings::Object, b"[]");
    expected(Brings::Object, b"[{}]");
    expected(Brings::Patch, b"{}");
    expected(Brings::Patch, br#"{"op": "remove", "path": "/colour"}"#);
    for brings in [Brings::Object, Brings::Patch] {
        for (method, path) in all(brings) {
            let request = || world.request(method, path, brings);
            for answer in [request().send(), request().body("").send()] {
                let text = refused(answer, 400, &format!("{method} {path}"));
                assert!(text.starts_with("Body expected in request."), "{text}");
            }
            let empty = refused(request().chunked(b"").send(), 400, path);
            assert!(empty.starts_with("Malformed JSON in request body."), "{empty}");
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_document_beyond_the_limit_is_413_and_hears_the_limit() {
    let world = World::new();
    let before = world.state();
    for brings in [Brings::Object, Brings::Json, Brings::Patch] {
        for (method, path) in all(brings) {
            let request = || world.request(method, path, brings);
            let large = format!("{{\"name\": \"{}\"}}", "x".repeat(MOST));
            for answer in [request().body(&large).send(), request().chunked(large.as_bytes()).send()] {
                let text = refused(answer, 413, path);
                assert!(text.contains(&MOST.to_string()), "{text}");
            }
            // It need not even be sent.
            let head = request().header("Content-Length", "999999999999").header("Expect", "100-continue").head_bytes();
            let mut stream = world.admin.connect();
            std::io::Write::write_all(&mut stream, &head).unwrap();
            let early = read_response(&mut std::io::BufReader::new(stream), false).unwrap();
            assert!(refused(early, 413, path).contains(&MOST.to_string()));
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_content_type_that_is_not_taken_is_415() {
    let world = World::new();
    let before = world.state();
    let wrong =
        ["", "text/plain", "application/json", "application/json-patch+json", "multipart/form-data", "*/*", "\u{fc}"];
    let body = json!([{"op": "remove", "path": "/colour"}]).to_string();
    for (id, method, path, right) in [
        (&world.active, "PATCH", "", [V2_1, "Application/openstack-images-v2.1-json-patch"][1]),
        (&world.queued, "PUT", "/file", "application/octet-streams"),
        (&world.queued, "PUT", "/stage", "APPLICATION/octet-stream"),
    ] {
        let path = format!("/v2/images/{id}{path}");
        let request = || world.admin.request(method, &path);
        let named = wrong.iter().chain([&right]).map(|wrong| request().header("Content-Type", wrong));
        for request in named.chain([request()]) {
            let answer = request.body(&body).send();
            let accepted = answer.header("accept-patch").map(str::to_owned);
            refused(answer, 415, &path);
            assert_eq!(accepted.is_some_and(|types| types.contains(V2_1)), method == "PATCH", "{path}");
        }
    }
    assert_eq!(world.state(), before);
}

/// Names in paths that are no image's.
fn no_ids() -> Vec<String> {
    let plain = [
        "x",
        "..",
        ".",
        "%2e%2e",
        "-",
        "{}",
        "%20",
        "%0a",
        "%25",
        "*",
        "null",
        "71c675ab-d94f-49cd-a114-e12490b328d",
        "71c675ab-d94f-49cd-a114-e12490b328d9%0A",
        "71c675ab-d94f-49cd-a114-e12490b328d9%00",
        "71c675ab-d94f-49cd-a114-e12490b328dg",
        "%F0%9F%A6%A2",
        "' OR 1=1 --",
        "71c675ab-d94f-49cd-a114-e12490b328d9",
        "urn:uuid:71c675abd94f49cda114e12490b328d9",
        "{71c675abd94f49cda114e12490b328d9}",
    ];
    plain.iter().map(|name| name.replace(' ', "%20")).chain(["1".repeat(36), "a".repeat(5000)]).collect()
}

#[test]
fn a_name_that_is_no_images_is_404() {
    let world = World::new();
    let before = world.state();
    for route in ROUTES.iter().filter(|route| route.path.contains("{id}") && route.path != "/cache/nodes/{id}") {
        for (method, brings) in route.methods {
            for id in no_ids() {
                let what = format!("{method} {} {id}", route.path);
                let request = world.request(method, &route.path.replace("{id}", &id), *brings);
                let answer = match brings {
                    Brings::Nothing | Brings::Whatever => request.send(),
                    Brings::Object | Brings::Json => request.json(&json!({"member": "m", "status": "accepted"})).send(),
                    Brings::Patch => request.json(&json!([{"op": "add", "path": "/name", "value": "n"}])).send(),
                    Brings::Data => request.body("data").send(),
                };
                // Those who manage the cache as of old hear that it cannot be a name.
                let old = route.allow.is_none() && answer.status == 400;
                let text = refused(answer, if old { 400 } else { 404 }, &what);
                assert!(!old || text.contains("is not an image id"), "{what}: {text}");
            }
        }
    }
    assert_eq!(world.state(), before);
}

/// Header values that mean nothing, or too much.
const JUNK: [&str; 9] =
    ["", " ", "x", "-1", "99999999999999999999999999", ";;;,,,===", "\u{fc}\u{1f9a2}", "\t", "q=;/=\"\\"];

#[test]
fn headers_of_junk_are_no_faults_of_the_server() {
    let world = World::new();
    let before = world.state();
    let long = "x".repeat(5000);
    let names = [
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
    for route in ROUTES {
        for (method, _) in route.methods.iter().filter(|(method, _)| *method == "GET") {
            for name in names {
                for junk in JUNK.iter().chain([&long.as_str()]) {
                    let path = format!("/v2{}", route.path.replace("{id}", &world.active));
                    let what = format!("{method} {path} {name}: {}", &junk[..junk.len().min(30)]);
                    let answer = world.admin.request(method, &path).header(name, junk).send();
                    let ranges = name.ends_with("Range") && route.path.ends_with("/file");
                    let unused = route.path.starts_with("/info/stores");
                    let expected: &[u16] = match name {
                        _ if ranges => &[200, 206, 400, 416],
                        "X-OpenStack-Request-ID" if junk.len() > 64 => &[431],
                        _ if unused => &[404],
                        _ => &[200],
                    };
                    assert!(expected.contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
                    assert!(answer.complete && answer.header("x-openstack-request-id").is_some(), "{what}");
                }
            }
        }
    }
    assert_eq!(world.state(), before);
}

#[test]
fn a_size_that_is_none_is_400_and_leaves_the_image_waiting() {
    let world = World::new();
    let before = world.state();
    for way in ["file", "stage"] {
        let path = format!("/v2/images/{}/{way}", world.queued);
        let send =
            |client: &Client, size: &str| client.put(&path).header("x-openstack-image-size", size).data("four").send();
        for size in ["", "x", "1e3", "0x4", "4.0", "4 4", "99999999999999999999999999", "\u{fc}"] {
            let text = refused(send(&world.admin, size), 400, size);
            assert!(text.starts_with("Invalid or missing image size in request headers."), "{text}");
        }
        for size in ["-1", "3", "5", "9223372036854775807"] {
            let answer = send(&world.admin, size);
            let status = answer.status;
            assert!(matches!(status, 400 | 413), "{way} of {size}: {status} {}", answer.text());
            let text = refused(answer, status, size);
            assert!(status == 413 || text.contains(&format!("expected {size} bytes, got 4 bytes")), "{text}");
        }
    }
    let untimed = |state: Vec<String>| state.into_iter().filter(|line| !line.contains("queued")).collect::<Vec<_>>();
    // An upload that failed was one, so that the image was changed when.
    assert_eq!(untimed(world.state()), untimed(before));
    assert_eq!(world.admin.status(&world.queued), "queued");
}

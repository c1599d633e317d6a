//! Requests that make no sense: a clear 4xx in v1's form, and nothing is left of them.

use crate::harness::{Gander, Response, Setup, entries, five_kb, minimal_headers, names};

/// No row, no file, no cache entry.
#[track_caller]
fn nothing_is_left(gander: &Gander) {
    let count = "SELECT COUNT(*) FROM images";
    assert_eq!(gander.rows(count), ["0"]);
    assert!(entries(&gander.path("images")).is_empty());
    for dir in ["cache", "cache/incomplete", "cache/invalid", "cache/queue"] {
        assert!(names(&gander.path(dir)).is_empty(), "{dir}");
    }
}

/// A refusal as v1 words it.
#[track_caller]
fn refused(answer: Response, status: u16) -> String {
    let text = answer.expect(status).text();
    assert!(text.starts_with(&status.to_string()), "{text}");
    text
}

/// Posts an image with data and one more header, which replaces the usual one.
fn post(gander: &Gander, name: &str, value: &str) -> Response {
    let usual: Vec<_> =
        minimal_headers("Image1").into_iter().filter(|(usual, _)| !usual.eq_ignore_ascii_case(name)).collect();
    gander.client().post("/v1/images").headers(&usual).header(name, value).body(five_kb()).send()
}

#[test]
fn a_header_that_nobody_knows_is_ignored() {
    let gander = Gander::plain();
    for name in ["X-Image-Meta-Colour", "X-Image-Meta-", "X-Image-Meta-Property-", "X-Unknown"] {
        let status = post(&gander, name, "green").status;
        assert!(matches!(status, 201 | 400), "{name}: {status}");
    }
    post(&gander, "X-Image-Meta-Colour", "green").expect(201);
}

#[test]
fn a_number_that_is_none_is_400_and_named() {
    let gander = Gander::caching();
    for value in ["big", "-1", "1.5", "0x10", "99999999999999999999999999"] {
        let text = refused(post(&gander, "X-Image-Meta-Size", value), 400);
        assert!(text.contains("size"), "{text}");
        for field in ["min_ram", "min_disk"] {
            let text = refused(post(&gander, &format!("X-Image-Meta-{field}"), value), 400);
            assert!(text.contains(field), "{text}");
        }
    }
    nothing_is_left(&gander);
}

#[test]
fn a_size_beyond_all_bounds_is_400() {
    let gander = Gander::plain();
    let text = refused(post(&gander, "X-Image-Meta-Size", "1125899906842625"), 400);
    assert!(text.contains("1099511627776"), "{text}");
    nothing_is_left(&gander);
}

#[test]
fn unknown_formats_are_400_and_named() {
    let gander = Gander::caching();
    let text = refused(post(&gander, "X-Image-Meta-disk_format", "floppy"), 400);
    assert!(text.contains("Invalid disk format 'floppy' for image."), "{text}");
    let text = refused(post(&gander, "X-Image-Meta-container_format", "box"), 400);
    assert!(text.contains("Invalid container format 'box' for image."), "{text}");
    for evil in ["RAW", "raw ovf", "'; DROP TABLE images; --", &"x".repeat(300)] {
        refused(post(&gander, "X-Image-Meta-disk_format", evil), 400);
    }
    nothing_is_left(&gander);
}

#[test]
fn an_id_is_a_uuid_or_400() {
    let gander = Gander::caching();
    let long = "a".repeat(300);
    for id in [
        "..",
        ".",
        "../x",
        "../../etc/passwd",
        "a/b",
        "/etc/passwd",
        "cache.db",
        "incomplete",
        "queue",
        "1",
        "%2e%2e",
        &long,
    ] {
        let text = refused(post(&gander, "X-Image-Meta-Id", id), 400);
        assert!(text.contains("Invalid image id format"), "{text}");
    }
    nothing_is_left(&gander);
}

#[test]
fn an_id_with_separators_in_a_path_is_404() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add_image("Image1");
    http.download(&id);
    for evil in [
        "..",
        "%2e%2e",
        "..%2fimages%2f".to_owned().as_str(),
        "%2fetc%2fpasswd",
        "..%2f..%2fetc%2fpasswd",
        "cache.db",
        "incomplete",
        "a%00b",
        "%ff",
        &"x".repeat(300),
    ] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let answer = http.request(method, &format!("/v1/images/{evil}")).send();
            assert!(matches!(answer.status, 400 | 404), "{method} {evil}: {}", answer.status);
        }
    }
    assert_eq!(http.cached(), [(id.clone(), 0)]);
    assert_eq!(names(&gander.path("images")), [id]);
}

#[test]
fn a_name_has_at_most_255_characters() {
    let gander = Gander::caching();
    refused(post(&gander, "X-Image-Meta-name", &"n".repeat(256)), 400);
    nothing_is_left(&gander);
    // Characters, not bytes.
    post(&gander, "X-Image-Meta-name", &"\u{fc}".repeat(255)).expect(201);
}

#[test]
fn other_texts_are_as_long_as_their_column() {
    let gander = Gander::caching();
    let long = "n".repeat(256);
    refused(post(&gander, "X-Image-Meta-Owner", &long), 400);
    refused(post(&gander, &format!("X-Image-Meta-Property-{long}"), "x"), 400);
    nothing_is_left(&gander);
}

#[test]
fn a_refused_change_changes_nothing() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    let long = "n".repeat(256);
    for (name, value) in [
        ("X-Image-Meta-Name", long.as_str()),
        ("X-Image-Meta-Owner", &long),
        ("X-Image-Meta-Min-Ram", "much"),
        ("X-Image-Meta-Disk-Format", "floppy"),
    ] {
        let request = gander.client().put(&format!("/v1/images/{id}")).header("X-Image-Meta-Property-New", "x");
        refused(request.header(name, value).send(), 400);
    }
    let answer = gander.client().head(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(answer.header("x-image-meta-name"), Some("Image1"));
    assert_eq!(answer.header("x-image-meta-property-new"), None);
}

#[test]
fn header_text_is_utf_8() {
    let gander = Gander::plain();
    for value in [&b"\xff\xfe"[..], b"%ff%fe", b"a%00b"] {
        let mut request =
            b"POST /v1/images HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Image-Meta-Disk-Format: raw\r\n\
            X-Image-Meta-Container-Format: ovf\r\nX-Image-Meta-Name: "
                .to_vec();
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n\r\n");
        gander.client().raw(&request).unwrap().expect(400);
    }
    nothing_is_left(&gander);
}

#[test]
fn malformed_http_is_400_and_the_server_lives_on() {
    let gander = Gander::plain();
    for request in [
        &b"GET\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /v1/images HTTP/1.1\r\nHost: h\r\nBad Header: x\r\n\r\n",
        b"GET /v1/images HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /v1/images HTTP/1.1\r\nHost: h\r\nContent-Length: many\r\n\r\n",
        b"POST /v1/images HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/images HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ] {
        // The connection may also be closed without a word.
        if let Ok(answer) = gander.client().raw(request) {
            answer.expect(400);
        }
    }
    gander.client().get("/v1/images").expect(200);
    nothing_is_left(&gander);
}

#[test]
fn endless_headers_are_refused() {
    let gander = Gander::plain();
    let mut request = b"GET /v1/images HTTP/1.1\r\nHost: h\r\n".to_vec();
    for x in 0..2000 {
        request.extend_from_slice(format!("X-Image-Meta-Property-{x}: {}\r\n", "x".repeat(1000)).as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    if let Ok(answer) = gander.client().raw(&request) {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    gander.client().get("/v1/images").expect(200);
}

#[test]
fn a_head_has_at_most_four_lines_of_the_greatest_length() {
    let gander = Setup::api("").set("max_header_line", 2048).start();
    for (bytes, status) in [(7_500, 200), (8_500, 431), (100_000, 431)] {
        let padding = "x".repeat(bytes);
        let answer = gander.client().request("GET", "/v1/images").header("X-Padding", &padding).send();
        assert_eq!(answer.status, status, "{bytes}");
    }
}

#[test]
fn a_location_may_only_be_of_an_allowed_scheme() {
    let gander = Gander::caching();
    let canary = gander.path("canary");
    std::fs::write(&canary, "secret").unwrap();
    let path = canary.display().to_string();
    for uri in [
        format!("file://{path}"),
        format!("FILE://{path}"),
        format!("file:{path}"),
        format!("file://localhost{path}"),
        format!("filesystem://{path}"),
        format!("\tfile://{path}"),
        format!("%66ile://{path}"),
        path.clone(),
        "rbd://image".to_owned(),
        "ftp://127.0.0.1/images/2".to_owned(),
        "gopher://127.0.0.1/images/2".to_owned(),
        "http".to_owned(),
        "http:".to_owned(),
        "http://".to_owned(),
        "http:///images/2".to_owned(),
        "http://user@127.0.0.1/images/2".to_owned(),
        "http://127.0.0.1:99999/images/2".to_owned(),
        "nonsense".to_owned(),
    ] {
        for header in ["X-Image-Meta-Location", "X-Glance-API-Copy-From"] {
            let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
            let answer = request.header(header, &uri).send();
            assert_eq!(answer.status, 400, "{header}: {uri}: {}", answer.text());
        }
    }
    nothing_is_left(&gander);
    assert_eq!(std::fs::read_to_string(canary).unwrap(), "secret");
}

#[test]
fn a_location_with_a_size_is_checked_all_the_same() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    let headers = [("X-Image-Meta-Location", "file:///etc/hostname"), ("X-Image-Meta-Size", "5")];
    refused(request.headers(&headers).send(), 400);
    let id = gander.client().reserve("Image1", &[]);
    refused(gander.client().put(&format!("/v1/images/{id}")).headers(&headers).send(), 400);
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("queued"));
}

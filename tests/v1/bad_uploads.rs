//! Uploads and downloads that break: sizes that lie, bodies cut short, clients that vanish.

use std::io::{BufReader, Read, Write};
use std::time::Duration;

use crate::harness::{
    Behaviour, Client, Gander, Origin, Setup, entries, eventually, minimal_headers, names, read_response,
};

const LIMIT: Duration = Duration::from_secs(15);

/// The head of an upload to this image that announces 100 bytes.
fn head(http: &Client, id: &str) -> Vec<u8> {
    let request = http.put(&format!("/v1/images/{id}"));
    request.headers(&[("Content-Type", "application/octet-stream"), ("Content-Length", "100")]).head_bytes()
}

#[track_caller]
fn killed_without_trace(gander: &Gander, id: &str) {
    let http = gander.client();
    eventually("the image is killed", LIMIT, || http.meta(id, "status").as_deref() == Some("killed"));
    eventually("its data is gone", LIMIT, || entries(&gander.path("images")).is_empty());
    assert!(http.ids("/v1/images?is_public=none").is_empty());
    http.get(&format!("/v1/images/{id}")).expect(404);
}

#[test]
fn a_size_that_lies_is_400_and_kills_the_image() {
    for size in ["2", "4", "1000000"] {
        let gander = Gander::plain();
        let id = gander.client().reserve("Image1", &[]);
        let request = gander.client().put(&format!("/v1/images/{id}")).header("X-Image-Meta-Size", size);
        let text = request.data("abc").send().expect(400).text();
        assert!(text.contains("size"), "{text}");
        killed_without_trace(&gander, &id);
    }
}

#[test]
fn a_size_that_lies_about_chunks_is_400_and_kills_the_image() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[]);
    let request = gander.client().put(&format!("/v1/images/{id}")).header("X-Image-Meta-Size", "1000");
    request.header("Content-Type", "application/octet-stream").chunked(b"abc").send().expect(400);
    killed_without_trace(&gander, &id);
}

#[test]
fn a_body_cut_short_kills_the_image() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[]);
    let mut request = head(&gander.client(), &id);
    request.extend_from_slice(b"only this");
    if let Ok(answer) = gander.client().raw(&request) {
        answer.expect(400);
    }
    killed_without_trace(&gander, &id);
}

#[test]
fn chunks_cut_short_kill_the_image() {
    let gander = Gander::plain();
    for rest in ["a\r\nonly this", "3\r\nabc\r\n", "3\r\nabc\r\nxyz\r\n", "3\r\nabcdef\r\n0\r\n\r\n", "zz\r\n"] {
        let id = gander.client().reserve("Image1", &[]);
        let request = gander.client().put(&format!("/v1/images/{id}"));
        let request = request.header("Content-Type", "application/octet-stream");
        let mut request = request.header("Transfer-Encoding", "chunked").head_bytes();
        request.extend_from_slice(rest.as_bytes());
        if let Ok(answer) = gander.client().raw(&request) {
            answer.expect(400);
        }
        killed_without_trace(&gander, &id);
    }
}

#[test]
fn a_client_that_disconnects_during_an_upload_leaves_nothing() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.reserve("Image1", &[]);
    let mut stream = http.connect();
    stream.write_all(&head(&http, &id)).unwrap();
    stream.write_all(b"abc").unwrap();
    eventually("the upload has begun", LIMIT, || http.meta(&id, "status").as_deref() == Some("saving"));
    drop(stream);
    killed_without_trace(&gander, &id);
}

#[test]
fn a_broken_post_is_not_listed() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    let mut request = request.header("Content-Length", "100").head_bytes();
    request.extend_from_slice(b"only this");
    if let Ok(answer) = gander.client().raw(&request) {
        answer.expect(400);
    }
    eventually("nothing is left", LIMIT, || {
        gander.client().ids("/v1/images").is_empty() && entries(&gander.path("images")).is_empty()
    });
}

#[test]
fn an_image_deleted_during_its_upload_stays_deleted() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.reserve("Image1", &[]);
    let mut stream = http.connect();
    stream.write_all(&head(&http, &id)).unwrap();
    stream.write_all(b"abc").unwrap();
    eventually("the upload has begun", LIMIT, || http.meta(&id, "status").as_deref() == Some("saving"));
    http.delete(&format!("/v1/images/{id}")).expect(200);
    let _ = stream.write_all(&[b'x'; 97]);
    let answer = crate::harness::read_response(&mut BufReader::new(stream), false);
    assert!(answer.is_err() || answer.is_ok_and(|answer| (400..500).contains(&answer.status)));
    eventually("its data is gone", LIMIT, || entries(&gander.path("images")).is_empty());
    assert_eq!(http.meta(&id, "deleted").as_deref(), Some("True"));
    assert!(http.ids("/v1/images?is_public=none").is_empty());
}

#[test]
fn a_client_that_disconnects_during_a_download_spoils_nothing() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = vec![b'x'; 300_000];
    let origin = Origin::serving(&data);
    let id = http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::PauseAfter(100_000));
    let mut stream = http.connect();
    stream.write_all(&http.request("GET", &format!("/v1/images/{id}")).head_bytes()).unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    drop(stream);
    origin.set(Behaviour::Serve);

    eventually("no fill is left over", LIMIT, || names(&gander.path("cache/incomplete")).is_empty());
    assert!(http.download(&id) == data);
    assert!(http.download(&id) == data);
    assert_eq!(std::fs::read(gander.path("cache").join(&id)).unwrap().len(), data.len());
}

#[test]
fn an_upload_larger_than_the_cap_is_413_or_400() {
    let gander = Setup::api("").set("image_size_cap", 1000).start();
    let http = gander.client();
    // Announced: refused before a byte is stored.
    let request = http.post("/v1/images").headers(&minimal_headers("Image1")).body([b'x'; 1001]);
    let status = request.send().status;
    assert!(matches!(status, 400 | 413), "{status}");
    // Not announced: cut at the byte.
    let id = http.reserve("Image1", &[]);
    let request = http.put(&format!("/v1/images/{id}")).header("Content-Type", "application/octet-stream");
    let status = request.chunked(&[b'x'; 1001]).send().status;
    assert!(matches!(status, 400 | 413), "{status}");
    killed_without_trace(&gander, &id);
    // At the cap all is well.
    http.add("Image2", &[b'x'; 1000]);
}

#[test]
fn data_in_a_coding_that_nobody_undoes_is_400() {
    let gander = Gander::plain();
    let mut request = Vec::from("POST /v1/images HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
    for (name, value) in minimal_headers("Image1") {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    request.extend_from_slice(b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    gander.client().raw(&request).unwrap().expect(400);
    assert!(gander.client().ids("/v1/images?is_public=none").is_empty());
}

#[test]
fn deleting_an_image_ends_its_upload() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.reserve("Image1", &[]);
    let request = http.put(&format!("/v1/images/{id}")).header("Content-Type", "application/octet-stream");
    let mut stream = http.connect();
    stream.write_all(&request.header("Content-Length", "1000000").head_bytes()).unwrap();
    stream.write_all(&[b'x'; 1000]).unwrap();
    eventually("the upload runs", LIMIT, || http.meta(&id, "status").as_deref() == Some("saving"));
    http.delete(&format!("/v1/images/{id}")).expect(200);
    // Nothing more is sent: the answer comes all the same.
    read_response(&mut BufReader::new(stream), false).unwrap().expect(412);
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn a_disk_that_fails_is_400_and_kills_the_image() {
    for call in ["rw/writev", "sync/fsync"] {
        let Some(setup) = Setup::api("").breakable() else { return };
        let gander = setup.start();
        let http = gander.client();
        let id = http.reserve("Image1", &[]);
        let mut stream = http.connect();
        stream.write_all(&head(&http, &id)).unwrap();
        stream.write_all(&[b'x'; 50]).unwrap();
        eventually("the upload runs", LIMIT, || http.meta(&id, "status").as_deref() == Some("saving"));
        // All else that the upload writes was written before, and its answer comes after.
        gander.break_next(call);
        stream.write_all(&[b'x'; 50]).unwrap();
        let text = read_response(&mut BufReader::new(stream), false).unwrap().expect(400).text();
        assert!(text.contains("Error uploading image"), "{text}");
        assert!(gander.log().contains("Input/output error"), "{call}");
        killed_without_trace(&gander, &id);
    }
}

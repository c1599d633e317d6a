//! Bodies where none is expected, none where one is, and bodies that are no JSON, or too much of it.

use std::io::{BufReader, Write};

use super::world::{Brings, ROUTES, World};
use crate::harness::read_response;

/// Bytes of the largest body.
const MOST: usize = 1024 * 1024;

/// Every method of every route that brings such a thing.
fn all(brings: &[Brings]) -> impl Iterator<Item = (&'static str, &'static str, Brings)> {
    let calls =
        ROUTES.iter().flat_map(|route| route.methods.iter().map(|(method, brings)| (*method, route.path, *brings)));
    calls.filter(|(.., brought)| brings.contains(brought))
}

#[test]
fn a_body_that_nobody_expects_is_400() {
    let world = World::new();
    for (method, path, brings) in all(&[Brings::Nothing]) {
        let request = || world.request(method, path, brings);
        for answer in [request().body("{}").send(), request().chunked(b"{}").send(), request().chunked(b"").send()] {
            world.refuses(&answer, 400, "A body is not expected with this request.", &format!("{method} {path}"));
        }
    }
    world.judge();
}

/// Whatever document should be there, this is none: the bytes, and what is said of them.
fn no_documents() -> Vec<(Vec<u8>, &'static str)> {
    let short: [&[u8]; 19] = [
        b"{",
        b"[1",
        b"nul",
        b"{} x",
        b"{'a': 1}",
        b"[1,]",
        b"{\"a\": NaN}",
        b"{\"a\": 1e999}",
        b"\xEF\xBB\xBF{}",
        b"{\"a\": \"\\ud800\"}",
        b"{\"a\": \"\\ud800\\ud800\"}",
        b"{\"\\udfff\": \"a\"}",
        b"{\"a\": \"\n\"}",
        b"{\"a\": \"\\x\"}",
        b"{\"a\": 01}",
        b" ",
        b"\0",
        b"a=b&c=d",
        b"--x\r\n\r\n--x--",
    ];
    let deep = [format!("{}{}", "[".repeat(200), "]".repeat(200)), "{\"a\":".repeat(200), "[".repeat(MOST)];
    let broken: [&[u8]; 4] = [b"\x1F\x8B\x08\0\0\0", b"{\"a\": \"\xFF\"}", b"[\"\xC3\x28\"]", b"{\"\xED\xA0\x80\": 1}"];
    let scalars = ["1", "-0.5", "\"x\"", "null", "true", "\"\""];
    let malformed = short.iter().chain(&broken).map(|text| text.to_vec()).chain(deep.map(String::into_bytes));
    let malformed = malformed.map(|text| (text, "Malformed JSON in request body."));
    let scalars = scalars.map(|text| (text.into(), "Unexpected body type. Expected list/dict."));
    malformed.chain(scalars).collect()
}

#[test]
fn what_is_no_document_is_400() {
    let world = World::new();
    for (method, path, brings) in all(&[Brings::Object, Brings::Json, Brings::Patch]) {
        for (document, said) in no_documents() {
            let what = format!("{method} {path} {}", document[..document.len().min(30)].escape_ascii());
            let request = || world.request(method, path, brings);
            for answer in [request().body(&document).send(), request().chunked(&document).send()] {
                world.refuses(&answer, 400, said, &what);
            }
        }
    }
    world.judge();
}

#[test]
fn a_document_of_the_wrong_kind_or_none_is_400() {
    let world = World::new();
    for (method, path, brings) in all(&[Brings::Object, Brings::Patch]) {
        let what = format!("{method} {path}");
        let request = || world.request(method, path, brings);
        let wrong =
            if brings == Brings::Patch { ["{}", r#"{"op": "remove", "path": "/colour"}"#] } else { ["[]", "[{}]"] };
        for wrong in wrong {
            world.refuses(&request().body(wrong).send(), 400, "", &what);
        }
        for answer in [request().send(), request().body("").send()] {
            world.refuses(&answer, 400, "Body expected in request.", &what);
        }
        world.refuses(&request().chunked(b"").send(), 400, "Malformed JSON in request body.", &what);
    }
    world.judge();
}

#[test]
fn a_document_beyond_the_limit_is_413_and_hears_the_limit() {
    let world = World::new();
    let limit = MOST.to_string();
    for (method, path, brings) in all(&[Brings::Object, Brings::Json, Brings::Patch]) {
        let what = format!("{method} {path}");
        let request = || world.request(method, path, brings);
        let large = format!("{{\"name\": \"{}\"}}", "x".repeat(2 * MOST));
        for answer in [request().body(&large).send(), request().chunked(large.as_bytes()).send()] {
            world.refuses(&answer, 413, &limit, &what);
        }
        // It need not even be sent.
        let head = request().header("Content-Length", "999999999999").header("Expect", "100-continue").head_bytes();
        let mut stream = world.admin.connect();
        stream.write_all(&head).unwrap();
        world.refuses(&read_response(&mut BufReader::new(stream), false).unwrap(), 413, &limit, &what);
    }
    world.judge();
}

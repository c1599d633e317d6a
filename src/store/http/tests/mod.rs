//! The http store against origins of all manners.

mod origin;

use std::time::Duration;

use futures_util::StreamExt;

use self::origin::{Answer, Origin};
use super::{Error, Http, Settings, Store};
use crate::store::{ByteRange, conformance};

const WHOLE: ByteRange = ByteRange { start: 0, len: None };

fn store() -> Http {
    Http::open(&Settings::default()).unwrap()
}

/// Too short for anybody.
const SHORT: Duration = Duration::from_millis(50);

async fn error(store: &Http, uri: &str) -> Error {
    store.get(uri, WHOLE).await.unwrap_err()
}

#[tokio::test]
async fn conforms() {
    let content = conformance::content((1 << 20) + 5);
    for ranges in [false, true] {
        let origin = Origin::of_file("/images/1?v=2", content.clone(), ranges).await;
        conformance::serves(&store(), &origin.uri("/images/1?v=2"), &content).await;
        conformance::misses(&store(), &origin.uri("/images/2")).await;
        conformance::is_read_only(&store(), &origin.uri("/images/1?v=2")).await;
    }
    for uri in ["http://", "http://u@host/x", "http:/host", "https://host:x/"] {
        conformance::refuses(&store(), uri).await;
    }
}

#[tokio::test]
async fn ranges_are_asked_of_the_origin() {
    let origin = Origin::of_file("/x", b"0123456789".to_vec(), true).await;
    let range = ByteRange { start: 3, len: Some(4) };
    assert_eq!(conformance::read(&store(), &origin.uri("/x"), range).await.unwrap(), b"3456");
    assert!(origin.requests()[0].contains("range: bytes=3-6\r\n"));
}

#[tokio::test]
async fn a_whole_image_without_length_is_read_to_its_end() {
    let origin = Origin::of_answers(vec![Answer::new("HTTP/1.0 200 OK\r\n\r\n", b"all of it")]).await;
    let opened = store().get(&origin.uri("/"), WHOLE).await.unwrap();
    assert_eq!(opened.size, None);
    let blocks: Vec<_> = opened.data.map(Result::unwrap).collect().await;
    assert_eq!(blocks.concat(), b"all of it");
}

#[tokio::test]
async fn cut_bodies_are_errors() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-10/11\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
    ] {
        let origin = Origin::of_answers(vec![Answer::new(head, b"12345")]).await;
        let start = u64::from(head.contains("206"));
        let read = conformance::read(&store(), &origin.uri("/"), ByteRange { start, len: None }).await;
        assert!(read.is_err(), "{head}");
    }
}

#[tokio::test]
async fn longer_bodies_than_announced_are_cut_to_length() {
    let head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-3/11\r\n\r\n";
    let origin = Origin::of_answers(vec![Answer::new(head, b"12345")]).await;
    let range = ByteRange { start: 1, len: Some(3) };
    assert_eq!(conformance::read(&store(), &origin.uri("/"), range).await.unwrap(), b"123");
}

#[tokio::test]
async fn compressed_bodies_are_image_data_as_they_are() {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n";
    let origin = Origin::of_answers(vec![Answer::new(head, b"\x1f\x8b\x08\x00")]).await;
    assert_eq!(conformance::read(&store(), &origin.uri("/"), WHOLE).await.unwrap(), b"\x1f\x8b\x08\x00");
    assert!(!origin.requests()[0].contains("accept-encoding"));
}

#[tokio::test]
async fn statuses_have_meanings() {
    let answer = async |status: &str| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let origin = Origin::of_answers(vec![Answer::new(&head, b"")]).await;
        error(&store(), &origin.uri("/")).await
    };
    assert!(matches!(answer("404 Not Found").await, Error::NotFound(_)));
    for status in ["401 Unauthorized", "410 Gone", "416 Range Not Satisfiable", "500 Oops", "206 Partial Content"] {
        assert!(matches!(answer(status).await, Error::Unavailable(_)), "{status}");
    }
    for status in ["301 Moved", "303 See Other", "304 Not Modified", "307 Temporary Redirect"] {
        assert!(matches!(answer(status).await, Error::BadLocation(_)), "{status}");
    }
}

#[tokio::test]
async fn few_redirects_are_followed_credentials_staying_behind() {
    let file = Origin::of_file("/deep/x", b"content".to_vec(), true).await;
    let origin = Origin::of_answers(vec![
        Answer::redirect("301 Moved", "/other?q=1"),
        Answer::redirect("302 Found", "relative"),
        Answer::redirect("302 Found", &file.uri("/deep/x")),
    ])
    .await;
    let uri = origin.uri("/dir/start").replace("http://", "http://user:CANARY@");
    assert_eq!(conformance::read(&store(), &uri, WHOLE).await.unwrap(), b"content");
    let asked: Vec<_> = origin.requests().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(asked, ["GET /dir/start HTTP/1.1", "GET /other?q=1 HTTP/1.1", "GET /relative HTTP/1.1"]);
    // base64 of "user:CANARY"
    assert!(origin.requests().iter().all(|head| head.contains("authorization: Basic dXNlcjpDQU5BUlk=\r\n")));
    assert!(file.requests().iter().all(|head| !head.contains("authorization")));
}

#[tokio::test]
async fn redirect_loops_end() {
    let origin = Origin::of_answers(vec![Answer::redirect("302 Found", "/again"); 9]).await;
    assert!(matches!(error(&store(), &origin.uri("/")).await, Error::BadLocation(_)));
    assert_eq!(origin.requests().len(), 5);
    assert_eq!(store().size(&origin.uri("/")).await.unwrap(), None);
}

#[tokio::test]
async fn redirects_lead_to_no_other_kind_of_store() {
    for location in ["file:///etc/passwd", "ftp://host/x", "gopher://host", "http://", "swift+config://CANARY/c/o"] {
        let origin = Origin::of_answers(vec![Answer::redirect("301 Moved", location)]).await;
        let error = error(&store(), &origin.uri("/")).await;
        assert!(matches!(error, Error::BadLocation(_)), "{location}: {error:?}");
        assert!(!error.to_string().contains("CANARY"));
    }
}

#[tokio::test]
async fn an_origin_that_never_answers_is_unavailable() {
    let origin = Origin::of_answers(vec![Answer::new("", b"").kept_open()]).await;
    let hasty = Http::open(&Settings { first_byte_timeout: SHORT, ..Settings::default() }).unwrap();
    assert!(matches!(error(&hasty, &origin.uri("/")).await, Error::Unavailable(_)));
    origin.closed_by_client().await;
}

#[tokio::test]
async fn an_origin_that_falls_silent_is_an_error() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    let origin = Origin::of_answers(vec![Answer::new(head, b"12345").kept_open()]).await;
    let hasty = Http::open(&Settings { read_timeout: SHORT, ..Settings::default() }).unwrap();
    let error = conformance::read(&hasty, &origin.uri("/"), WHOLE).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_dropped_stream_closes_the_connection() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
    let origin = Origin::of_answers(vec![Answer::new(head, b"12345").kept_open()]).await;
    let mut opened = store().get(&origin.uri("/"), WHOLE).await.unwrap();
    assert!(!opened.data.next().await.unwrap().unwrap().is_empty());
    drop(opened);
    origin.closed_by_client().await;
}

#[tokio::test]
async fn a_read_stream_closes_the_connection_too() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let origin = Origin::of_answers(vec![Answer::new(head, b"12345").kept_open()]).await;
    assert_eq!(conformance::read(&store(), &origin.uri("/"), WHOLE).await.unwrap(), b"12345");
    origin.closed_by_client().await;
}

#[tokio::test]
async fn errors_do_not_show_locations() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let junk = Origin::of_answers(vec![Answer::new("CANARY is not HTTP\r\n\r\n", b""); 2]).await;
    for uri in [
        format!("http://CANARY:CANARY@{closed}/CANARY?CANARY"),
        junk.uri("/CANARY").replace("http://", "http://CANARY:CANARY@"),
    ] {
        let error = error(&store(), &uri).await;
        assert!(matches!(error, Error::Unavailable(_)));
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
        assert_eq!(store().size(&uri).await.unwrap(), None);
    }
}

#[tokio::test]
async fn unannounced_and_zero_sizes_are_unknown() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 501 Not Implemented\r\nContent-Length: 7\r\n\r\n",
    ] {
        let origin = Origin::of_answers(vec![Answer::new(head, b"")]).await;
        assert_eq!(store().size(&origin.uri("/")).await.unwrap(), None, "{head}");
        assert!(origin.requests()[0].starts_with("HEAD / "));
    }
}

#[test]
fn unusable_authorities_are_named() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    for file in [empty.path(), std::path::Path::new("/nowhere/ca.pem")] {
        let settings = Settings { https_ca_certificates_file: Some(file.to_owned()), ..Settings::default() };
        let error = Http::open(&settings).unwrap_err();
        assert!(error.contains("https_ca_certificates_file"), "{error}");
    }
}

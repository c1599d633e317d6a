//! Which API a request wants (v1-api §3); the table that 2012 asserts is in `essex::test_api`.

use crate::harness::Gander;

const LIST: &str = r#"{"images": []}"#;

#[test]
fn the_root_of_v1_is_the_list() {
    let gander = Gander::plain();
    for path in ["/v1/", "/v1", "/v1/images"] {
        assert_eq!(gander.client().get(path).expect(200).text(), LIST, "{path}");
    }
}

#[test]
fn a_later_minor_version_gets_the_version_document() {
    let gander = Gander::plain();
    let answer = gander.client().get("/v1.1/images").expect(300);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let versions = answer.json()["versions"].as_array().unwrap().clone();
    assert_eq!(versions[versions.len() - 2]["id"], "v1.1");
    assert_eq!(versions[versions.len() - 1]["id"], "v1.0");
}

#[test]
fn a_media_type_without_a_version_number_is_v1() {
    let gander = Gander::plain();
    let http = gander.client().with("Accept", "application/vnd.openstack.images-foo");
    assert_eq!(http.get("/images").expect(200).text(), LIST);
}

#[test]
fn every_method_gets_the_version_document() {
    let gander = Gander::plain();
    for method in ["GET", "POST", "PUT", "DELETE"] {
        gander.client().request(method, "/").send().expect(300);
    }
    assert!(gander.client().head("/").expect(300).body.is_empty());
}

#[test]
fn links_use_the_name_by_which_the_client_called() {
    let gander = Gander::plain();
    let request = b"GET / HTTP/1.1\r\nHost: images.example.org:8080\r\nConnection: close\r\n\r\n";
    let versions = gander.client().raw(request).unwrap().expect(300).json();
    assert_eq!(versions["versions"][0]["links"][0]["href"], "http://images.example.org:8080/v2/");
}

#[test]
fn a_host_header_cannot_break_out_of_the_document() {
    let gander = Gander::plain();
    let answer = gander.client().raw(b"GET / HTTP/1.1\r\nHost: a\"b\r\nConnection: close\r\n\r\n").unwrap();
    if answer.status == 300 {
        answer.json();
    } else {
        answer.expect(400);
    }
}

#[test]
fn a_connection_carries_several_requests() {
    let gander = Gander::plain();
    let one = b"GET /v1/images HTTP/1.1\r\nHost: h\r\n\r\n";
    let stream = gander.client().connect();
    let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
    for _ in 0..3 {
        std::io::Write::write_all(&mut &stream, one).unwrap();
        let answer = crate::harness::read_response(&mut reader, false).unwrap();
        assert_eq!(answer.expect(200).text(), LIST);
    }
}

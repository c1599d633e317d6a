//! What an error looks like (v1-api §6), and which requests have no route (§8).

use crate::harness::Gander;

const UNKNOWN: &str = "/v1/images/71c675ab-d94f-49cd-a114-e12490b328d9";

#[test]
fn without_accept_an_error_is_plain_text() {
    let gander = Gander::plain();
    let answer = gander.client().get(UNKNOWN).expect(404);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=UTF-8"));
    let id = &UNKNOWN[11..];
    let expected =
        format!("404 Not Found\n\nThe resource could not be found.\n\n Image with identifier {id} not found  ");
    assert_eq!(answer.text(), expected);
}

#[test]
fn without_a_detail_the_plain_text_ends_in_three_blanks() {
    let gander = Gander::plain();
    let text = gander.client().get("/v1/nothing").expect(404).text();
    assert_eq!(text, "404 Not Found\n\nThe resource could not be found.\n\n   ");
}

#[test]
fn who_accepts_everything_gets_html() {
    let gander = Gander::plain();
    for accept in ["*/*", "text/html", "text/plain, text/html;q=0.5"] {
        let answer = gander.client().with("Accept", accept).get(UNKNOWN).expect(404);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=UTF-8"), "{accept}");
        assert!(answer.text().contains("<h1>404 Not Found</h1>"), "{}", answer.text());
    }
}

#[test]
fn html_shows_what_the_client_sent_only_escaped() {
    let gander = Gander::plain();
    let http = gander.client().with("Accept", "text/html");
    let headers = [("X-Image-Meta-Disk-Format", "<script>"), ("X-Image-Meta-Container-Format", "ovf")];
    let text = http.post("/v1/images").headers(&headers).send().expect(400).text();
    assert!(text.contains("&lt;script&gt;"), "{text}");
    assert!(!text.contains("<script>"), "{text}");
}

#[test]
fn an_error_to_head_has_no_body() {
    let gander = Gander::plain();
    let answer = gander.client().raw(format!("HEAD {UNKNOWN} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
    // `raw` reads a body if there is one; an announced length would make it incomplete.
    let answer = answer.unwrap().expect(404);
    assert_eq!(answer.header("content-length"), Some("0"));
    assert!(answer.body.is_empty());
}

#[test]
fn a_request_without_a_route_is_404() {
    let gander = Gander::plain();
    let http = gander.client();
    let below = format!("{UNKNOWN}/nothing");
    for (method, path) in [
        ("GET", "/v1/images/"),
        ("HEAD", "/v1/images"),
        ("POST", UNKNOWN),
        ("GET", "/v1/versions"),
        ("GET", &below),
        ("GET", "/v1/cached_images"),
        ("PUT", "/v1/queued_images/1"),
    ] {
        http.request(method, path).send().expect(404);
    }
}

#[test]
fn reading_one_membership_is_not_allowed() {
    let gander = Gander::plain();
    gander.client().get(&format!("{UNKNOWN}/members/1")).expect(405);
}

#[test]
fn an_unknown_method_is_refused_and_changes_nothing() {
    let gander = Gander::plain();
    let id = gander.client().add_image("Image1");
    for method in ["PATCH", "TRACE", "FOO", "OPTIONS"] {
        let status = gander.client().request(method, &format!("/v1/images/{id}")).send().status;
        assert!(matches!(status, 404 | 405 | 501), "{method}: {status}");
    }
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("active"));
}

#[test]
fn json_is_written_as_python_wrote_it() {
    let gander = Gander::plain();
    gander.client().reserve("gr\u{fc}n", &[]);
    let answer = gander.client().get("/v1/images").expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=UTF-8"));
    let text = answer.text();
    assert!(text.starts_with(r#"{"images": [{""#), "{text}");
    assert!(text.contains(r#""name": "gr\u00fcn""#), "{text}");
}

#[test]
fn a_path_that_is_not_text_is_404_in_the_usual_form() {
    let gander = Gander::plain();
    for path in ["/v1/images/%ff", "/v1/shared-images/%ff", "/v1/images/%ff/members/x"] {
        let answer = gander.client().get(path).expect(404);
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=UTF-8"));
        assert!(answer.text().starts_with("404 Not Found\n\n"), "{}", answer.text());
    }
}

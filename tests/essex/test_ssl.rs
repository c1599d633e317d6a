//! `TestSSL`: what `TestApi` asserts, of an API behind TLS (v1-essex-tests §13).

use super::{test_api, test_api_filters, test_api_refusals};
use crate::harness::{Certificates, Servers, minimal_headers};

/// Runs a test of `TestApi`, unless there can be no certificates.
fn behind_tls(test: fn(&Servers)) {
    let Some(certificates) = Certificates::make() else { return };
    test(&Servers::new("127.0.0.1").tls(&certificates).start());
}

#[test]
fn test_get_head_simple_post() {
    behind_tls(test_api::get_head_simple_post);
}

#[test]
fn test_queued_process_flow() {
    behind_tls(test_api::queued_process_flow);
}

#[test]
fn test_version_variations() {
    behind_tls(test_api::version_variations);
}

#[test]
fn test_size_greater_2g_mysql() {
    behind_tls(test_api::size_greater_2g_mysql);
}

#[test]
fn test_traceback_not_consumed() {
    behind_tls(test_api_refusals::traceback_not_consumed);
}

#[test]
fn test_filtered_images() {
    behind_tls(test_api_filters::filtered_images);
}

#[test]
fn test_limited_images() {
    behind_tls(test_api_filters::limited_images);
}

#[test]
fn test_ordered_images() {
    behind_tls(test_api_filters::ordered_images);
}

#[test]
fn test_duplicate_image_upload() {
    behind_tls(test_api_refusals::duplicate_image_upload);
}

#[test]
fn test_delete_not_existing() {
    behind_tls(test_api_refusals::delete_not_existing);
}

/// With certificates of today; the client that does not check is `--insecure` of `tests/system/tls.rs`.
#[test]
fn test_certificate_validation() {
    behind_tls(certificate_validation);
}

fn certificate_validation(servers: &Servers) {
    let Some(foreign) = Certificates::make() else { return };
    let trusting = servers.client();
    let headers = minimal_headers("Image1");
    let image = trusting.post("/v1/images").headers(&headers).body("*").send().expect(201).json();
    let path = format!("/v1/images/{}", image["image"]["id"].as_str().unwrap());
    // Who trusts only others does not even ask.
    let distrustful = trusting.over_tls(&foreign.client(&[], None));
    distrustful.request("DELETE", &path).try_send().unwrap_err();
    trusting.delete(&path).expect(200);
    assert_eq!(trusting.get("/v1/images").expect(200).text(), r#"{"images": []}"#);
}

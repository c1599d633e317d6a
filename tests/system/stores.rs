//! Options of stores, seen from outside (configuration §6).

use crate::harness::{Origin, Setup, five_kb, minimal_headers};

#[test]
fn a_driver_that_is_not_named_is_not_there() {
    let origin = Origin::serving(&five_kb());
    let add = |setup: Setup| {
        let gander = setup.start();
        let image = gander.client().post("/v1/images").headers(&minimal_headers("a")[1..]);
        image.header("x-image-meta-location", &origin.url("/images/1")).send().status
    };
    assert_eq!(add(Setup::api("")), 201);
    assert_eq!(add(Setup::api("").set("glance_store.stores", "file")), 400);
    let outcome = Setup::api("").set("glance_store.stores", "http").run_to_end();
    assert_eq!(outcome.code, Some(255), "{outcome:?}");
}

#[test]
fn remote_data_is_fetched_through_a_proxy() {
    let proxy = Origin::serving(&five_kb());
    let at = proxy.url("");
    let setup = Setup::api("").set("glance_store.http_proxy_information", format!("https:{at},http:{at}"));
    let gander = setup.start();
    let http = gander.client();
    let id = http.reserve("a", &[("x-image-meta-location", "http://far.invalid/images/1")]);
    assert_eq!(http.get(&format!("/v1/images/{id}")).expect(200).body, five_kb());
    let outcome = Setup::api("").set("glance_store.http_proxy_information", "ftp:a:1").run_to_end();
    assert!(outcome.stderr.contains("http_proxy_information: 'ftp' is not http, https or all"), "{outcome:?}");
}

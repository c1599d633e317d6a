//! Pipelines from paste files (v1-cache §9): labels are free, factories count.

use std::fs;

use crate::harness::{Setup, minimal_headers};

/// A paste file whose pipeline holds these filters; each filter is declared with its factory.
fn paste(pipeline: &str, filters: &[(&str, &str)]) -> String {
    let mut text = format!(
        "[pipeline:glance-api]\npipeline = {pipeline}\n\n[app:theapp]\n\
         paste.app_factory = glance.common.wsgi:app_factory\nglance.app_factory = glance.api.v1.router:API\n"
    );
    for (name, factory) in filters {
        text.push_str(&format!(
            "\n[filter:{name}]\npaste.filter_factory = glance.common.wsgi:filter_factory\nglance.filter_factory = {factory}\n"
        ));
    }
    text
}

const VERSIONS: (&str, &str) = ("v", "glance.api.middleware.version_negotiation:VersionNegotiationFilter");
const CONTEXT: (&str, &str) = ("c", "glance.common.context:ContextMiddleware");

#[test]
fn labels_are_free() {
    let cache = ("speicher", "glance.api.middleware.cache:CacheFilter");
    let manage = ("verwaltung", "glance.api.middleware.cache_manage:CacheManageFilter");
    let text = paste("v c speicher verwaltung theapp", &[VERSIONS, CONTEXT, cache, manage]);
    let gander = Setup::api("").paste(&text).start();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    assert_eq!(gander.client().cached(), [(id, 0)]);
}

#[test]
fn both_separators_and_continuation_lines_are_understood() {
    let versions = ("v", "\n   glance.api.middleware.version_negotiation.VersionNegotiationFilter");
    let gander = Setup::api("").paste(&paste("v c theapp", &[versions, CONTEXT])).start();
    gander.client().get("/v1/images").expect(200);
}

#[test]
fn an_unknown_factory_is_refused_with_its_name() {
    let strange = ("s", "example.middleware:Strange");
    let outcome = Setup::api("").paste(&paste("v c s theapp", &[VERSIONS, CONTEXT, strange])).run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("example.middleware:Strange"), "{outcome:?}");
}

#[test]
fn a_filter_that_is_not_declared_is_refused_with_its_name() {
    let outcome = Setup::api("").paste(&paste("v c missing theapp", &[VERSIONS, CONTEXT])).run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("missing"), "{outcome:?}");
}

#[test]
fn a_flavor_without_a_pipeline_names_application_and_file() {
    let outcome = Setup::api("caching").paste(&paste("v c theapp", &[VERSIONS, CONTEXT])).run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let expected = "ERROR: Unable to load glance-api-caching from configuration file";
    assert!(outcome.stderr.starts_with(expected), "{outcome:?}");
    assert!(outcome.stderr.contains("glance-api-paste.ini"), "{outcome:?}");
}

#[test]
fn a_pipeline_without_identity_is_refused() {
    let outcome = Setup::api("").paste(&paste("v theapp", &[VERSIONS])).run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
}

#[test]
fn a_composite_without_an_api_is_refused_with_its_name() {
    let text = "[composite:glance-api]\nuse = egg:Paste#urlmap\n/metrics = nothing\n";
    let outcome = Setup::api("").paste(text).run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.trim().ends_with("Got: composite glance-api maps no path to an API"), "{outcome:?}");
}

/// The pipeline with the filter that limits bodies, and what its section says beside the factory.
fn limited(said: &str) -> String {
    let limiter =
        format!("\n[filter:l]\npaste.filter_factory = oslo_middleware:RequestBodySizeLimiter.factory\n{said}\n");
    paste("l v c theapp", &[VERSIONS, CONTEXT]) + &limiter
}

#[test]
fn a_filter_limits_bodies_whatever_they_are_for() {
    let gander = Setup::api("").paste(&limited("")).set("oslo_middleware.max_request_body_size", 2000).start();
    let http = gander.client();
    http.add("a", &vec![0; 2000]);
    let told = http.post("/v2/images").body(vec![b' '; 2001]).send().expect(413).text();
    assert!(told.contains("Request is too large. Larger than max_request_body_size (2000)."), "{told}");
    let chunked = |bytes| http.post("/v1/images").headers(&minimal_headers("b")).chunked(&vec![0; bytes]).send();
    chunked(2000).expect(201);
    let told = chunked(2001).expect(413).text();
    assert!(told.contains("Request is too large. Larger than 2000."), "{told}");
    assert_eq!(http.ids("/v1/images").len(), 2);
    http.get("/v1/images").expect(200);
}

#[test]
fn what_a_filter_says_wins_over_the_configuration() {
    let gander = Setup::api("")
        .paste(&limited("max_request_body_size = 10"))
        .set("oslo_middleware.max_request_body_size", 2000)
        .start();
    gander.client().post("/v2/images").body(vec![b' '; 11]).send().expect(413);
}

#[test]
fn what_a_filter_says_wrongly_is_told_with_its_place() {
    let outcome = Setup::api("").paste(&limited("max_request_body_size = many")).run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("Value for option max_request_body_size in group [oslo_middleware] from the paste file /")
    );
    assert!(outcome.stderr.contains("glance-api-paste.ini is not valid: 'many' is not an integer"), "{outcome:?}");
}

#[test]
fn without_the_filter_bodies_have_limits_of_their_own() {
    let gander = Setup::api("").set("oslo_middleware.max_request_body_size", 10).start();
    gander.client().add("a", &vec![0; 200_000]);
}

#[test]
fn only_the_filters_of_a_pipeline_look_at_origins_and_proxies() {
    const CORS: (&str, &str) = ("o", "oslo_middleware.cors:filter_factory");
    const PROXY: (&str, &str) = ("p", "oslo_middleware:HTTPProxyToWSGI.factory");
    let start = |text: &str| {
        let setup = Setup::api("").paste(text).set("cors.allowed_origin", "http://page");
        setup.set("oslo_middleware.enable_proxy_headers_parsing", "True").start()
    };
    let seen = |text: &str| {
        let gander = start(text);
        let asked = gander.client().with("Origin", "http://page").with("X-Forwarded-Host", "far.example");
        let answer = asked.get("/versions");
        (answer.header("access-control-allow-origin").map(str::to_owned), answer.text().contains("far.example"))
    };
    assert_eq!(seen(&paste("v c theapp", &[VERSIONS, CONTEXT])), (None, false));
    let all = paste("o p v c theapp", &[CORS, PROXY, VERSIONS, CONTEXT]);
    assert_eq!(seen(&all), (Some("http://page".to_owned()), true));
    let own = all.replace("[filter:o]", "[filter:o]\nallowed_origin = http://other");
    let own = own.replace("[filter:p]", "[filter:p]\nenable_proxy_headers_parsing = false");
    assert_eq!(seen(&own), (None, false));
}

/// Files of a directory add to a configuration; it is still called after the file that was named.
#[test]
fn the_paste_file_is_called_after_the_last_file_that_is_not_from_a_directory() {
    let setup = Setup::api("").paste(&limited("max_request_body_size = 10"));
    let more = setup.path("more");
    fs::create_dir(&more).unwrap();
    fs::write(more.join("50-last.conf"), "[DEFAULT]\ndebug = False\n").unwrap();
    let gander = setup.arg("--config-dir").arg(more.display()).start();
    gander.client().post("/v2/images").body(vec![b' '; 11]).send().expect(413);
}

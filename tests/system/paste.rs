//! Pipelines from paste files (v1-cache §9): labels are free, factories count.

use crate::harness::Setup;

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

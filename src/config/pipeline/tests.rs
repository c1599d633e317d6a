use std::path::PathBuf;

use super::{Filter, Pipeline, Reader, built_in};
use osloconf::paste::PasteFile;

/// Names and factories as the files of 2012 have them.
const ESSEX: &str = "
[pipeline:glance-api]
pipeline = versionnegotiation context apiv1app
[pipeline:glance-api-caching]
pipeline = versionnegotiation context cache apiv1app
[pipeline:glance-api-cachemanagement]
pipeline = versionnegotiation context cache cache_manage apiv1app
[pipeline:glance-api-keystone]
pipeline = versionnegotiation authtoken auth-context apiv1app
[pipeline:glance-api-shim]
pipeline = versionnegotiation auth-context apiv1app
[pipeline:glance-api-odd]
pipeline = versionnegotiation surprise apiv1app
[app:apiv1app]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.api.v1.router:API
[filter:versionnegotiation]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory =
    glance.api.middleware.version_negotiation:VersionNegotiationFilter
[filter:cache]
glance.filter_factory = glance.api.middleware.cache:CacheFilter
[filter:cache_manage]
glance.filter_factory = glance.api.middleware.cache_manage:CacheManageFilter
[filter:context]
glance.filter_factory = glance.common.context:ContextMiddleware
[filter:authtoken]
paste.filter_factory = keystone.middleware.auth_token:filter_factory
auth_host = 127.0.0.1
delay_auth_decision = true
[filter:auth-context]
glance.filter_factory = keystone.middleware.glance_auth_token:KeystoneContextMiddleware
[filter:surprise]
paste.filter_factory = acme.filters:surprise
";

/// The shape of the file that today's Glance ships.
const TODAY: &str = "
[composite:glance-api]
paste.composite_factory = glance.api:root_app_factory
/: api
/healthcheck: healthcheck
[composite:api]
paste.composite_factory = glance.api:pipeline_factory
default = cors versionnegotiation unauthenticated-context rootapp
caching = cors versionnegotiation unauthenticated-context cache rootapp
[composite:rootapp]
paste.composite_factory = glance.api:root_app_factory
/v2: apiv2app
[app:apiv2app]
paste.app_factory = glance.api.v2.router:API.factory
[app:healthcheck]
paste.app_factory = oslo_middleware:Healthcheck.app_factory
[filter:cors]
paste.filter_factory = oslo_middleware.cors:filter_factory
[filter:versionnegotiation]
paste.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter.factory
[filter:unauthenticated-context]
paste.filter_factory = glance.api.middleware.context:UnauthenticatedContextMiddleware.factory
[filter:cache]
paste.filter_factory = glance.api.middleware.cache:CacheFilter.factory
";

fn read(text: &str, app: &str, flavor: Option<&str>) -> super::Result<Pipeline> {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("paste.ini");
    std::fs::write(&path, text).unwrap();
    Reader { app, flavor, file: &PasteFile::read(&path).unwrap() }.pipeline()
}

fn pipeline(identity: Filter, cache: bool, cache_management: bool) -> Pipeline {
    Pipeline {
        identity,
        cache,
        cache_management,
        authtoken: Vec::new(),
        cors: None,
        proxy_headers: None,
        size_limit: None,
    }
}

/// What is built in, or what today's Glance ships, has the filters for browsers.
fn with_cors(pipeline: Pipeline) -> Pipeline {
    Pipeline { cors: Some(Vec::new()), ..pipeline }
}

#[test]
fn pipelines_of_2012_are_known_by_their_factories() {
    let essex = |app| read(ESSEX, app, None).unwrap();
    assert_eq!(essex("glance-api"), pipeline(Filter::Open, false, false));
    assert_eq!(essex("glance-api-caching"), pipeline(Filter::Open, true, false));
    assert_eq!(essex("glance-api-cachemanagement"), pipeline(Filter::Open, true, true));
    assert_eq!(essex("glance-api-shim"), pipeline(Filter::Confirmed, false, false));
}

#[test]
fn the_composites_of_today_lead_to_the_flavor() {
    let today = |flavor| read(TODAY, "glance-api", flavor).unwrap();
    assert_eq!(today(None), with_cors(pipeline(Filter::Unauthenticated, false, false)));
    assert_eq!(today(Some("caching")), with_cors(pipeline(Filter::Unauthenticated, true, false)));
}

#[test]
fn what_cannot_be_served_is_refused_by_its_name() {
    let refusal = |app| read(ESSEX, app, None).unwrap_err().to_string();
    assert!(refusal("glance-api-odd").contains("filter surprise has an unknown factory 'acme.filters:surprise'"));
    let missing = refusal("glance-api-nosuch");
    assert!(missing.starts_with("Unable to load glance-api-nosuch from configuration file "), "{missing}");
}

#[test]
fn a_filter_that_validates_tokens_decides_who_is_asking() {
    let pipeline = read(ESSEX, "glance-api-keystone", None).unwrap();
    assert_eq!(pipeline.identity, Filter::Token);
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(pipeline.authtoken, [set("auth_host", "127.0.0.1"), set("delay_auth_decision", "true")]);
}

#[test]
fn a_pipeline_that_contains_itself_is_refused() {
    let circle = "[pipeline:a]\npipeline = b\n[pipeline:b]\npipeline = a\n";
    assert!(read(circle, "a", None).unwrap_err().to_string().contains("contains itself"));
}

#[test]
fn standard_flavors_need_no_file() {
    let of = |flavor| built_in("x", flavor, Filter::Open);
    let pipeline = |identity, cache, cache_management| Pipeline {
        proxy_headers: Some(Vec::new()),
        ..with_cors(pipeline(identity, cache, cache_management))
    };
    assert_eq!(of(None).unwrap(), pipeline(Filter::Open, false, false));
    assert_eq!(of(Some("caching")).unwrap(), pipeline(Filter::Open, true, false));
    assert_eq!(of(Some("cachemanagement")).unwrap(), pipeline(Filter::Open, true, true));
    assert_eq!(of(Some("keystone")).unwrap(), pipeline(Filter::Token, false, false));
    assert_eq!(of(Some("keystone+caching")).unwrap(), pipeline(Filter::Token, true, false));
    assert_eq!(of(Some("keystone+cachemanagement")).unwrap(), pipeline(Filter::Token, true, true));
    assert!(of(Some("nosuch")).is_err());
}

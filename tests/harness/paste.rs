//! Paste files, as the functional tests of 2012 wrote them: labels differ from the shipped ones, what counts are the
//! factory names; some values stand on a continuation line.

/// `api-paste.ini` of the functional tests.
pub(crate) const API: &str = "\
[pipeline:glance-api]
pipeline = versionnegotiation context apiv1app

[pipeline:glance-api-caching]
pipeline = versionnegotiation context cache apiv1app

[pipeline:glance-api-cachemanagement]
pipeline = versionnegotiation context cache cache_manage apiv1app

[pipeline:glance-api-tokenauth+keystoneshim]
pipeline = versionnegotiation tokenauth keystone_shim apiv1app

[app:apiv1app]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.api.v1.router:API

[filter:versionnegotiation]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory =
 glance.api.middleware.version_negotiation:VersionNegotiationFilter

[filter:cache]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = glance.api.middleware.cache:CacheFilter

[filter:cache_manage]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory =
 glance.api.middleware.cache_manage:CacheManageFilter

[filter:context]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = glance.common.context:ContextMiddleware

[filter:tokenauth]
paste.filter_factory = keystone.middleware.auth_token:filter_factory
service_host = 127.0.0.1
auth_host = 127.0.0.1
auth_protocol = http
admin_token = 999888777666
delay_auth_decision = 1

[filter:keystone_shim]
paste.filter_factory = keystone.middleware.glance_auth_token:filter_factory
";

/// `registry-paste.ini` of the functional tests.
pub(crate) const REGISTRY: &str = "\
[pipeline:glance-registry]
pipeline = context registryapp

[app:registryapp]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.registry.api.v1:API

[filter:context]
context_class = glance.registry.context.RequestContext
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = glance.common.context:ContextMiddleware
";

/// `scrubber-paste.ini` of the functional tests.
pub(crate) const SCRUBBER: &str = "\
[app:glance-scrubber]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.store.scrubber:Scrubber
";

/// `glance-cache-paste.ini` of the founding test.
pub(crate) const CACHE: &str = "\
[app:glance-pruner]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.image_cache.pruner:Pruner

[app:glance-prefetcher]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.image_cache.prefetcher:Prefetcher

[app:glance-cleaner]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.image_cache.cleaner:Cleaner

[app:glance-queue-image]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.image_cache.queue_image:Queuer
";

/// An API that believes the identity headers of a proxy in front.
pub(crate) const TRUSTED_HEADERS: &str = "\
[pipeline:glance-api]
pipeline = versionnegotiation auth-context apiv1app

[app:apiv1app]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.api.v1.router:API

[filter:versionnegotiation]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter

[filter:auth-context]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = keystone.middleware.glance_auth_token:KeystoneContextMiddleware
";

/// As [`TRUSTED_HEADERS`], with the cache and its management.
pub(crate) const TRUSTED_CACHING: &str = "\
[pipeline:glance-api]
pipeline = versionnegotiation auth-context cache cachemanage apiv1app

[app:apiv1app]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.api.v1.router:API

[filter:versionnegotiation]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter

[filter:cache]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = glance.api.middleware.cache:CacheFilter

[filter:cachemanage]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = glance.api.middleware.cache_manage:CacheManageFilter

[filter:auth-context]
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = keystone.middleware.glance_auth_token:KeystoneContextMiddleware
";

/// A registry that believes the identity headers of a proxy in front.
pub(crate) const TRUSTED_REGISTRY: &str = "\
[pipeline:glance-registry]
pipeline = auth-context registryapp

[app:registryapp]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory = glance.registry.api.v1:API

[filter:auth-context]
context_class = glance.registry.context.RequestContext
paste.filter_factory = glance.common.wsgi:filter_factory
glance.filter_factory = keystone.middleware.glance_auth_token:KeystoneContextMiddleware
";

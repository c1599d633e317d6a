//! Token validation: `[keystone_authtoken]` (configuration §5), and what a paste file says of it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use keystone::Wanted;
use osloconf::{Conf, Opt};

use super::auth_plugin::{self, Plugin};
use super::{Error, Loaded, Pipeline, Result};
use crate::auth::{Authority, TokenSettings};

const GROUP: &str = "keystone_authtoken";
const PURPOSE: &str = " in [keystone_authtoken], for tokens are validated by Keystone";

static WWW_AUTHENTICATE_URI: Opt = Opt::str(GROUP, "www_authenticate_uri")
    .deprecated(&[(GROUP, "auth_uri")])
    .empty_is_unset()
    .help("Where clients without a token are sent; unset: auth_url");
pub(super) static AUTH_SECTION: Opt =
    Opt::str(GROUP, "auth_section").empty_is_unset().help("Group that has this service's credentials instead");
static DELAY_AUTH_DECISION: Opt = Opt::bool(GROUP, "delay_auth_decision")
    .default("false")
    .help("Leave callers without a good token to allow_anonymous_access, instead of refusing all");
static INSECURE: Opt = Opt::bool(GROUP, "insecure").default("false").help("Do not verify Keystone's certificate");
static HTTP_CONNECT_TIMEOUT: Opt =
    Opt::int(GROUP, "http_connect_timeout").default("10").min(1).help("Seconds that Keystone may take for an answer");
static HTTP_REQUEST_MAX_RETRIES: Opt = Opt::int(GROUP, "http_request_max_retries")
    .default("3")
    .range(0, 100)
    .help("How often Keystone is tried again where nobody is found");
static SERVICE_TOKEN_ROLES: Opt =
    Opt::list(GROUP, "service_token_roles").default("service").help("Roles one of which makes a service's token one");
static SERVICE_TOKEN_ROLES_REQUIRED: Opt = Opt::bool(GROUP, "service_token_roles_required")
    .default("true")
    .help("A service's token without such a role counts for nothing");
static SERVICE_TYPE: Opt = Opt::str(GROUP, "service_type")
    .empty_is_unset()
    .help("Type of this service in the catalogue (image), by which application credentials restrict access");
static TOKEN_CACHE_TIME: Opt = Opt::int(GROUP, "token_cache_time")
    .default("300")
    .min(-1)
    .help("Seconds that Keystone's word on a token is remembered, revoked or not; -1 or 0: not at all");
static ALLOWED_CLOCK_SKEW: Opt = Opt::int(GROUP, "allowed_clock_skew")
    .default("0")
    .range(0, 86_400)
    .help("Seconds that this server's clock may be ahead of Keystone's: a token is good for that much longer here");
static MEMCACHED_SERVERS: Opt = Opt::list(GROUP, "memcached_servers")
    .deprecated(&[(GROUP, "memcache_servers")])
    .default("")
    .ignored("each server remembers tokens by itself");
static INTERFACE: Opt = Opt::str(GROUP, "interface")
    .default("internal")
    .choices(&["public", "internal", "admin", "publicURL", "internalURL", "adminURL"])
    .empty_is_unset()
    .help(
        "Which of Keystone's addresses is asked about tokens, by its catalogue; auth_url where that has none that fits",
    );
static REGION_NAME: Opt = Opt::str(GROUP, "region_name").empty_is_unset().help("Region of that address; unset: any");
static INCLUDE_SERVICE_CATALOG: Opt =
    Opt::bool(GROUP, "include_service_catalog").default("true").ignored("nothing here needs the catalogue");
static ENFORCE_TOKEN_BIND: Opt = Opt::str(GROUP, "enforce_token_bind")
    .default("permissive")
    .choices(&["disabled", "permissive"])
    .help("Tokens that are bound to something are taken as any other");
static IDENTITY_URI: Opt =
    Opt::str(GROUP, "identity_uri").empty_is_unset().help("Where Keystone is, by its name of old");
static AUTH_HOST: Opt = Opt::str(GROUP, "auth_host").empty_is_unset().help("The same in parts, of 2012");
static AUTH_PORT: Opt = Opt::port(GROUP, "auth_port").default("35357").help("Its port");
static AUTH_PROTOCOL: Opt = Opt::str(GROUP, "auth_protocol").default("https").empty_is_unset().help("http or https");
static AUTH_ADMIN_PREFIX: Opt = Opt::str(GROUP, "auth_admin_prefix").empty_is_unset().help("Path before the version");

static OWN: [&Opt; 21] = [
    &ALLOWED_CLOCK_SKEW,
    &INTERFACE,
    &REGION_NAME,
    &INCLUDE_SERVICE_CATALOG,
    &ENFORCE_TOKEN_BIND,
    &WWW_AUTHENTICATE_URI,
    &AUTH_SECTION,
    &DELAY_AUTH_DECISION,
    &INSECURE,
    &HTTP_CONNECT_TIMEOUT,
    &HTTP_REQUEST_MAX_RETRIES,
    &SERVICE_TOKEN_ROLES,
    &SERVICE_TOKEN_ROLES_REQUIRED,
    &SERVICE_TYPE,
    &TOKEN_CACHE_TIME,
    &MEMCACHED_SERVERS,
    &IDENTITY_URI,
    &AUTH_HOST,
    &AUTH_PORT,
    &AUTH_PROTOCOL,
    &AUTH_ADMIN_PREFIX,
];

/// Every option of the group.
pub(super) fn options() -> Vec<&'static Opt> {
    OWN.into_iter().chain(auth_plugin::options(GROUP)).collect()
}

impl Loaded {
    /// Who judges tokens in this pipeline.
    pub(super) fn authority(&self, pipeline: &Pipeline) -> Result<Arc<Authority>> {
        let conf = self.seen_by(&pipeline.authtoken, GROUP);
        conf.validate(&options()).map_err(Error::Values)?;
        let settings = token_settings(&conf)?;
        let authority = Authority::new(settings).map_err(|error| match error {
            keystone::Error::Setting { field, reason } => Error::Invalid { option: field, reason },
            other => Error::Invalid { option: GROUP, reason: other.to_string() },
        });
        authority.map(Arc::new)
    }
}

fn token_settings(conf: &Conf) -> Result<TokenSettings> {
    let number = |opt: &Opt| Ok::<_, Error>(conf.int(opt)?.or_else(|| opt.default?.parse().ok()).unwrap_or(0));
    let section = conf.str(&AUTH_SECTION)?;
    // Lives as long as the process, as the configuration does.
    let group = section.map_or(GROUP, |section| &*section.leak());
    let plugin = Plugin { conf, group, purpose: PURPOSE };
    let auth_url = match plugin.text("auth_url")? {
        Some(url) => url,
        None => of_old(conf)?.ok_or(Error::Missing { option: "auth_url", why: PURPOSE })?,
    };
    let timeout = Duration::from_secs(u64::try_from(number(&HTTP_CONNECT_TIMEOUT)?).unwrap_or(1));
    let retries = u32::try_from(number(&HTTP_REQUEST_MAX_RETRIES)?).unwrap_or(0);
    let remembered = u64::try_from(number(&TOKEN_CACHE_TIME)?).ok().filter(|seconds| *seconds > 0);
    let endpoint = Wanted {
        service_type: "identity".to_owned(),
        service_name: None,
        region: conf.str(&REGION_NAME)?,
        interface: conf.str(&INTERFACE)?.unwrap_or_default().trim_end_matches("URL").to_owned(),
    };
    let keystone = plugin.settings(auth_url, conf.bool(&INSECURE)?, timeout, retries)?;
    Ok(TokenSettings {
        keystone: keystone::Settings { endpoint: Some(endpoint), ..keystone },
        www_authenticate_uri: conf.str(&WWW_AUTHENTICATE_URI)?,
        remembered: remembered.map(Duration::from_secs),
        clock_skew: TimeDelta::seconds(number(&ALLOWED_CLOCK_SKEW)?),
        service_roles: conf.list(&SERVICE_TOKEN_ROLES)?,
        service_roles_required: conf.bool(&SERVICE_TOKEN_ROLES_REQUIRED)?,
        service_type: conf.str(&SERVICE_TYPE)?,
        delay: conf.bool(&DELAY_AUTH_DECISION)?,
    })
}

/// Where Keystone is, as it was said in 2012.
fn of_old(conf: &Conf) -> Result<Option<String>> {
    if let Some(uri) = conf.str(&IDENTITY_URI)? {
        return Ok(Some(uri));
    }
    let Some(host) = conf.str(&AUTH_HOST)? else { return Ok(None) };
    let protocol = conf.str(&AUTH_PROTOCOL)?.unwrap_or_default();
    let port = conf.port(&AUTH_PORT)?.unwrap_or(35357);
    let prefix = conf.str(&AUTH_ADMIN_PREFIX)?.unwrap_or_default();
    Ok(Some(format!("{protocol}://{host}:{port}/{}", prefix.trim_matches('/'))))
}

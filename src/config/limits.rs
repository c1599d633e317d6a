//! Limits that Keystone keeps: `use_keystone_limits` and `[oslo_limit]` (configuration §12).

use std::time::Duration;

use osloconf::Opt;

use super::auth_plugin::{self, Plugin};
use super::identity::OWNER_IS_TENANT;
use super::{Error, Loaded, Result};
use crate::quota::{Endpoint, Limits, Settings};

const GROUP: &str = "oslo_limit";

static USE_KEYSTONE_LIMITS: Opt = Opt::bool("DEFAULT", "use_keystone_limits")
    .default("false")
    .help("Keystone says what projects may take; user_storage_quota does not count then");
static ENDPOINT_ID: Opt =
    Opt::str(GROUP, "endpoint_id").empty_is_unset().help("This service's endpoint, to which limits belong, by its id");
static ENDPOINT_SERVICE_TYPE: Opt = Opt::str(GROUP, "endpoint_service_type")
    .empty_is_unset()
    .help("The endpoint by the type of its service, where there is no endpoint_id");
static ENDPOINT_SERVICE_NAME: Opt =
    Opt::str(GROUP, "endpoint_service_name").empty_is_unset().help("And by the name of its service");
static ENDPOINT_REGION_NAME: Opt = Opt::str(GROUP, "endpoint_region_name").empty_is_unset().help("And by its region");
static ENDPOINT_INTERFACE: Opt = Opt::str(GROUP, "endpoint_interface")
    .default("public")
    .choices(&["public", "internal", "admin", "publicURL", "internalURL", "adminURL"])
    .help("And by whom it is for");
static INSECURE: Opt = Opt::bool(GROUP, "insecure").default("false").help("Do not verify Keystone's certificate");
static TIMEOUT: Opt =
    Opt::int(GROUP, "timeout").default("10").min(1).help("Seconds that Keystone may take for an answer");
static CONNECT_RETRIES: Opt = Opt::int(GROUP, "connect_retries")
    .default("0")
    .range(0, 100)
    .help("How often Keystone is tried again where nobody is found");

static OWN: [&Opt; 9] = [
    &USE_KEYSTONE_LIMITS,
    &ENDPOINT_ID,
    &ENDPOINT_SERVICE_TYPE,
    &ENDPOINT_SERVICE_NAME,
    &ENDPOINT_REGION_NAME,
    &ENDPOINT_INTERFACE,
    &INSECURE,
    &TIMEOUT,
    &CONNECT_RETRIES,
];

/// Every option.
pub(super) fn options() -> Vec<&'static Opt> {
    OWN.into_iter().chain(auth_plugin::options(GROUP)).collect()
}

impl Loaded {
    /// Keystone's limits, if they are to be used.
    pub(crate) fn limits(&self) -> Result<Option<Limits>> {
        let conf = &self.conf;
        if !conf.bool(&USE_KEYSTONE_LIMITS)? {
            return Ok(None);
        }
        self.needs_database(&USE_KEYSTONE_LIMITS)?;
        if !conf.bool(&OWNER_IS_TENANT)? {
            let reason = "limits are for projects, and with owner_is_tenant = false images belong to users".to_owned();
            return Err(Error::Invalid { option: USE_KEYSTONE_LIMITS.name, reason });
        }
        let plugin = Plugin { conf, group: GROUP, purpose: " in [oslo_limit], for limits are kept by Keystone" };
        let auth_url = plugin.required("auth_url")?;
        let endpoint = match conf.str(&ENDPOINT_ID)? {
            Some(id) => Endpoint::Id(id),
            None => {
                let kind = conf.str(&ENDPOINT_SERVICE_TYPE)?;
                let name = conf.str(&ENDPOINT_SERVICE_NAME)?;
                if kind.is_none() && name.is_none() {
                    let why = " in [oslo_limit], or endpoint_service_type: limits belong to an endpoint";
                    return Err(Error::Missing { option: "endpoint_id", why });
                }
                let interface = conf.str(&ENDPOINT_INTERFACE)?.unwrap_or_default();
                let interface = interface.trim_end_matches("URL").to_owned();
                Endpoint::Lookup { kind, name, region: conf.str(&ENDPOINT_REGION_NAME)?, interface }
            }
        };
        let timeout = Duration::from_secs(self.natural(&TIMEOUT)?);
        let retries = u32::try_from(self.natural(&CONNECT_RETRIES)?).unwrap_or(0);
        let keystone = plugin.settings(auth_url, conf.bool(&INSECURE)?, timeout, retries)?;
        Limits::new(Settings { keystone, endpoint }).map(Some).map_err(|error| match error {
            keystone::Error::Setting { field, reason } => Error::Invalid { option: field, reason },
            other => Error::Invalid { option: GROUP, reason: other.to_string() },
        })
    }
}

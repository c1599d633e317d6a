//! The registry that an API without a database asks: `[DEFAULT] registry_*` (v1-system §5.4).

use std::time::Duration;

use osloconf::Opt;

use super::{Loaded, Result};
use crate::db::registry::Settings;

static HOST: Opt = Opt::str("DEFAULT", "registry_host").default("0.0.0.0").empty_is_unset().help("Registry's address");
static PORT: Opt = Opt::port("DEFAULT", "registry_port").default("9191").help("Registry's port");
static PROTOCOL: Opt = Opt::str("DEFAULT", "registry_client_protocol")
    .default("http")
    .choices(&["http", "https"])
    .empty_is_unset()
    .help("How to speak to the registry");
static CA_FILE: Opt = Opt::str("DEFAULT", "registry_client_ca_file")
    .empty_is_unset()
    .help("Authorities that sign the registry's certificate");
static CERT_FILE: Opt =
    Opt::str("DEFAULT", "registry_client_cert_file").empty_is_unset().help("Certificate to show it");
static KEY_FILE: Opt = Opt::str("DEFAULT", "registry_client_key_file").empty_is_unset().help("Key of that certificate");
static TIMEOUT: Opt = Opt::int("DEFAULT", "registry_client_timeout")
    .default("600")
    .min(1)
    .help("Seconds to wait for an answer of the registry");

pub(super) static OPTIONS: &[&Opt] = &[&HOST, &PORT, &PROTOCOL, &CA_FILE, &CERT_FILE, &KEY_FILE, &TIMEOUT];

impl Loaded {
    /// The registry, if one is configured.
    pub(crate) fn registry(&self) -> Result<Option<Settings>> {
        let conf = &self.conf;
        if !conf.is_set(&HOST) && !conf.is_set(&PORT) {
            return Ok(None);
        }
        self.registry_or_default().map(Some)
    }

    /// The registry, where a program cannot do without.
    pub(crate) fn registry_or_default(&self) -> Result<Settings> {
        let conf = &self.conf;
        Ok(Settings {
            protocol: conf.str(&PROTOCOL)?.unwrap_or_default(),
            host: conf.str(&HOST)?.unwrap_or_default(),
            port: conf.port(&PORT)?.unwrap_or(9191),
            ca_file: conf.str(&CA_FILE)?.map(Into::into),
            cert_file: conf.str(&CERT_FILE)?.map(Into::into),
            key_file: conf.str(&KEY_FILE)?.map(Into::into),
            timeout: Duration::from_secs(self.natural(&TIMEOUT)?),
        })
    }
}

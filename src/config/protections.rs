//! Protected properties: `[DEFAULT]` (policy-and-auth §7).

use std::path::PathBuf;

use osloconf::Opt;

use super::{Error, Loaded, Result};
use crate::policy::protections::{Format, Protections};

static FILE: Opt = Opt::str("DEFAULT", "property_protection_file")
    .empty_is_unset()
    .help("Who may create, read, update and delete which custom properties; unset: they are as free as the image");
static FORMAT: Opt = Opt::str("DEFAULT", "property_protection_rule_format")
    .default("roles")
    .empty_is_unset()
    .help("What the values of that file are: roles, or policies");

pub(super) static OPTIONS: &[&Opt] = &[&FILE, &FORMAT];

impl Loaded {
    /// The protections of properties, if there are any. A named file must exist.
    pub(super) fn protections(&self) -> Result<Option<Protections>> {
        let format = match self.conf.str(&FORMAT)?.as_deref() {
            Some("policies") => Format::Policies,
            Some("roles") | None => Format::Roles,
            Some(other) => {
                let reason = format!("'{other}' is neither roles nor policies");
                return Err(Error::Invalid { option: FORMAT.name, reason });
            }
        };
        let Some(name) = self.conf.str(&FILE)? else { return Ok(None) };
        let path = self.conf.find_file(&name).unwrap_or_else(|| PathBuf::from(&name));
        let invalid = |reason: String| Error::Invalid { option: FILE.name, reason };
        Protections::read(&path, format).map(Some).map_err(|error| invalid(error.to_string()))
    }
}

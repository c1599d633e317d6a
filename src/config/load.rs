//! Finding and reading a program's configuration.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use osloconf::{Conf, ConfigFiles, Given, Opt, Overrides, Search};

use super::{Error, Result};

/// A program and the names of its default configuration files, later ones winning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Api,
    Registry,
    Scrubber,
    Manage,
    CacheTool,
}

impl Program {
    fn file_names(self) -> &'static [&'static str] {
        match self {
            Self::Api => &["glance", "glance-api"],
            Self::Registry => &["glance", "glance-registry"],
            Self::Scrubber => &["glance", "glance-scrubber"],
            Self::Manage => &["glance", "glance-registry", "glance-api", "glance-manage"],
            Self::CacheTool => &["glance", "glance-api", "glance-cache"],
        }
    }
}

/// Every option there is.
fn all_options() -> Vec<&'static Opt> {
    [
        super::logging::OPTIONS,
        super::listener::OPTIONS,
        super::registry::OPTIONS,
        super::database::OPTIONS,
        super::front::OPTIONS,
        super::cors::OPTIONS,
        super::healthcheck::OPTIONS,
        super::v2::OPTIONS,
        super::store::OPTIONS,
        super::cache::OPTIONS,
        super::images::OPTIONS,
        super::notify::OPTIONS,
        super::identity::OPTIONS,
        super::remote_checks::OPTIONS,
        super::protections::OPTIONS,
        super::scrubber::OPTIONS,
        super::pipeline::OPTIONS,
    ]
    .concat()
    .into_iter()
    .chain(super::keystone::options())
    .chain(super::limits::options())
    .collect()
}

/// A program's configuration, every value of the right type.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(super) conf: Conf,
    /// Where things go that the configuration gives no place.
    pub(super) data_dir: PathBuf,
}

impl Loaded {
    /// Reads what the command line and the standard places name. An API that finds no configuration file gets
    /// embedded defaults below `data_dir`.
    pub(crate) fn read(program: Program, given: &[Given], overrides: Overrides, data_dir: &Path) -> Result<Self> {
        let home = std::env::home_dir();
        let files = ConfigFiles::resolve(Search::standard("glance", home), given, program.file_names())?;
        let unconfigured = files.paths().is_empty();
        let mut conf = load(&files, &overrides)?;
        if unconfigured && program == Program::Api {
            let mut embedded = overrides;
            let several_datadirs = conf.is_set(&super::store::FILESYSTEM_STORE_DATADIRS);
            for (opt, value) in embedded_defaults(data_dir) {
                let in_place_of = several_datadirs && opt.name == super::store::FILESYSTEM_STORE_DATADIR.name;
                if !conf.is_set(opt) && !in_place_of {
                    embedded.insert((opt.group.to_owned(), opt.name.to_owned()), vec![value]);
                }
            }
            conf = load(&files, &embedded)?;
        }
        conf.validate(&all_options()).map_err(Error::Values)?;
        Ok(Self { conf, data_dir: data_dir.to_owned() })
    }

    /// A whole number. Set to nothing it is its default: an empty value must not become a limit of 0, or none.
    pub(super) fn integer(&self, opt: &Opt) -> Result<i64> {
        let default = || opt.default.and_then(|text| text.parse().ok());
        Ok(self.conf.int(opt)?.or_else(default).unwrap_or(0))
    }

    /// As [`Loaded::integer`]; less than nothing is nothing.
    pub(super) fn natural(&self, opt: &Opt) -> Result<u64> {
        Ok(u64::try_from(self.integer(opt)?).unwrap_or(0))
    }

    /// The files that were read; none: embedded defaults.
    pub(crate) fn files(&self) -> &[PathBuf] {
        self.conf.files()
    }

    /// Where things go that the configuration gives no place.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Tells the log what is odd and, at debug level, every value in force.
    pub(crate) fn report(&self, logger: &str) {
        for unresolved in self.conf.unresolved() {
            tracing::warn!(
                logger = logger,
                "{}.{}: ${} names no option",
                unresolved.group,
                unresolved.name,
                unresolved.reference
            );
        }
        for deprecation in self.conf.deprecations() {
            tracing::debug!(logger = logger, "{deprecation}");
        }
        let stars = "*".repeat(80);
        tracing::debug!(logger = logger, "{stars}");
        tracing::debug!(logger = logger, "Configuration options gathered from: {:?}", self.files());
        for option in self.conf.dump() {
            let value = option.value.as_deref().unwrap_or("None");
            tracing::debug!(logger = logger, "{}.{} = {value}", option.group, option.name);
        }
        tracing::debug!(logger = logger, "{stars}");
    }
}

fn load(files: &ConfigFiles, overrides: &Overrides) -> Result<Conf> {
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    Ok(Conf::load(&all_options(), files.clone(), environment, overrides.clone())?)
}

/// A complete service below one directory, for this machine only: without an identity service everybody is admin.
fn embedded_defaults(data_dir: &Path) -> Vec<(&'static Opt, String)> {
    let below = |name: &str| data_dir.join(name).display().to_string();
    vec![
        (&super::listener::BIND_HOST, "127.0.0.1".to_owned()),
        (&super::database::CONNECTION, format!("sqlite:///{}", below("glance.sqlite"))),
        (&super::store::FILESYSTEM_STORE_DATADIR, below("images")),
        (&super::cache::IMAGE_CACHE_DIR, below("cache")),
        (&super::images::SCRUBBER_DATADIR, below("scrubber")),
        (&super::pipeline::FLAVOR, "cachemanagement".to_owned()),
    ]
}

#[cfg(test)]
mod tests;

//! Finding and reading a program's configuration.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

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
            // What imports need has a file of its own, and glance-api.conf the last word.
            Self::Api => &["glance", "glance-image-import", "glance-api"],
            Self::Registry => &["glance", "glance-registry"],
            Self::Scrubber => &["glance", "glance-scrubber"],
            Self::Manage => &["glance", "glance-registry", "glance-api", "glance-manage"],
            Self::CacheTool => &["glance", "glance-api", "glance-cache"],
        }
    }
}

/// Where the image API's files are, if the environment says so (configuration §1.1).
const DIRECTORY: &str = "OS_GLANCE_CONFIG_DIR";

impl Program {
    /// The files of the directory that the environment names, in place of those that are looked for.
    fn directory_files(self, given: &[Given]) -> Vec<Given> {
        let named = std::env::var(DIRECTORY).ok().filter(|dir| !dir.trim().is_empty());
        let Some(dir) =
            named.filter(|_| self == Self::Api && !given.iter().any(|given| matches!(given, Given::File(_))))
        else {
            return Vec::new();
        };
        let dir = Path::new(dir.trim());
        let imports = Some(dir.join("glance-image-import.conf")).filter(|file| file.exists());
        imports.into_iter().chain([dir.join("glance-api.conf")]).map(Given::File).collect()
    }
}

/// Every option there is.
pub(super) fn all_options() -> Vec<&'static Opt> {
    static ALL: LazyLock<Vec<&'static Opt>> = LazyLock::new(declared);
    ALL.clone()
}

fn declared() -> Vec<&'static Opt> {
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
        super::backends::OPTIONS,
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
    .chain(super::ignored::options())
    .collect()
}

/// A program's configuration, every value of the right type.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(super) conf: Conf,
    /// Where things go that the configuration gives no place.
    pub(super) data_dir: PathBuf,
    /// What has a value only because there is no configuration file.
    pub(super) embedded: Vec<&'static Opt>,
}

impl Loaded {
    /// Reads what the command line and the standard places name. An API that finds no configuration file gets
    /// embedded defaults below `data_dir`.
    pub(crate) fn read(program: Program, given: &[Given], overrides: Overrides, data_dir: &Path) -> Result<Self> {
        let (loaded, faults) = Self::survey(program, given, overrides, data_dir)?;
        if let Some(fault) = faults.into_iter().next() {
            return Err(fault.into());
        }
        loaded.conf.validate(&loaded.conf.options().iter().collect::<Vec<_>>()).map_err(Error::Values)?;
        Ok(loaded)
    }

    /// As [`Loaded::read`], but goes on after what is wrong in a file, and leaves the values unchecked.
    pub(super) fn survey(
        program: Program,
        given: &[Given],
        overrides: Overrides,
        data_dir: &Path,
    ) -> Result<(Self, Vec<osloconf::Error>)> {
        let home = std::env::home_dir();
        let mut all_given = program.directory_files(given);
        all_given.extend_from_slice(given);
        let files = ConfigFiles::resolve(Search::standard("glance", home), &all_given, program.file_names())?;
        let unconfigured = files.paths().is_empty();
        let (mut conf, mut faults) = load(&files, &overrides);
        let mut embedded = Vec::new();
        if unconfigured && program == Program::Api {
            let mut overrides = overrides;
            let several_datadirs = conf.is_set(&super::store::FILESYSTEM_STORE_DATADIRS);
            for (opt, value) in embedded_defaults(data_dir) {
                let in_place_of = several_datadirs && opt.name == super::store::FILESYSTEM_STORE_DATADIR.name;
                if !conf.is_set(opt) && !in_place_of {
                    overrides.insert((opt.group.to_owned(), opt.name.to_owned()), vec![value]);
                    embedded.push(opt);
                }
            }
            (conf, faults) = load(&files, &overrides);
        }
        if let Ok(Some(group)) = conf.str(&super::keystone::AUTH_SECTION)
            && !conf.options().iter().any(|opt| opt.answers_to((&group, "auth_url")))
        {
            conf.declare(&super::auth_plugin::options(group.leak()).iter().collect::<Vec<_>>());
        }
        super::backends::declare(&mut conf);
        Ok((Self { conf, data_dir: data_dir.to_owned(), embedded }, faults))
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
}

fn load(files: &ConfigFiles, overrides: &Overrides) -> (Conf, Vec<osloconf::Error>) {
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    Conf::survey(&all_options(), files.clone(), environment, overrides.clone())
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

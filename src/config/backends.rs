//! Several stores: `enabled_backends`, a group for each of its ids, and what all of these groups fall back to in
//! `[backend_defaults]` (configuration §6).

use std::path::PathBuf;

use osloconf::{Conf, Opt};

use super::images::NODE_STAGING_URI;
use super::store::{DEFAULT_STORE, FILE_OPTIONS, FILESYSTEM_STORE_CHUNK_SIZE, HTTP_OPTIONS, STORES};
use super::{Error, Loaded, Result, ignored};
use crate::store::{Driver, NamedSettings, Settings, filesystem};

static ENABLED_BACKENDS: Opt = Opt::dict("DEFAULT", "enabled_backends").empty_is_unset().help(
    "Several stores, each id:kind, with options in a group that is called as the id; unset: one store of each kind",
);
static DEFAULT_BACKEND: Opt = Opt::str("glance_store", "default_backend")
    .empty_is_unset()
    .help("Id of the store for new data, where enabled_backends names several");

pub(super) static OPTIONS: &[&Opt] = &[&ENABLED_BACKENDS, &DEFAULT_BACKEND];

/// What the options of all stores fall back to.
pub(super) const DEFAULTS: &str = "backend_defaults";
/// Where staged data is, if there are several stores.
pub(super) const STAGING: &str = "os_glance_staging_store";
/// Where tasks put their files; nothing does yet.
pub(super) const TASKS: &str = "os_glance_tasks_store";
/// Ids that begin like these are the service's own.
const RESERVED: &str = "os_glance_";

const STORE_DESCRIPTION: Opt =
    Opt::str("", "store_description").empty_is_unset().help("What users are told of this store");
const WEIGHT: Opt =
    Opt::int("", "weight").default("0").help("Data that is in several stores is taken from the heaviest one first");
const STAGING_DATADIR: Opt = Opt::str(STAGING, "filesystem_store_datadir")
    .default("/var/lib/glance/os_glance_staging_store")
    .empty_is_unset()
    .help("Directory where data waits for its import; no two deployments may share it");

/// One of the ids, and its kind as written.
struct Backend {
    /// As its group is called.
    id: &'static str,
    kind: String,
}

/// Adds the options of the stores that the configuration names.
pub(super) fn declare(conf: &mut Conf) {
    let Ok(backends) = conf.dict(&ENABLED_BACKENDS) else { return };
    if backends.is_empty() {
        return;
    }
    // They live as long as the process, as the configuration does.
    for (id, kind) in backends {
        let id: &'static str = id.leak();
        let mut options: Vec<Opt> = [STORE_DESCRIPTION, WEIGHT].map(|opt| opt.in_group(id)).into();
        // What is not set there has the value of all stores, not this default.
        let undecided = |opt: Opt| if opt.ignored.is_some() { opt } else { Opt { default: None, ..opt } };
        options.extend(options_of(&kind).into_iter().map(|opt| undecided(own(&opt, id))));
        conf.declare(&options.iter().collect::<Vec<_>>());
    }
    let kinds = ["file", "http", "rbd", "s3", "swift", "cinder", "vmware"];
    let shared: Vec<Opt> = kinds.into_iter().flat_map(options_of).map(|opt| shared(&opt)).collect();
    conf.declare(&shared.iter().collect::<Vec<_>>());
    let chunk_size = Opt { deprecated: &[], ..FILESYSTEM_STORE_CHUNK_SIZE }.ignored("files are read in larger pieces");
    let idle = Opt { default: None, ..STAGING_DATADIR.in_group(TASKS) }.ignored("tasks are not built yet");
    conf.declare(&[&STAGING_DATADIR, &chunk_size.in_group(STAGING), &idle, &chunk_size.in_group(TASKS)]);
}

/// The options of a kind of store, those without effect as well.
fn options_of(kind: &str) -> Vec<Opt> {
    let kind = plain_kind(kind);
    let effective = match kind {
        "file" => FILE_OPTIONS,
        "http" => HTTP_OPTIONS,
        _ => &[],
    };
    effective.iter().map(|opt| **opt).chain(ignored::of_store(kind)).collect()
}

/// The kind that an alias of Glance's means.
fn plain_kind(kind: &str) -> &str {
    match kind.strip_prefix("glance.store.").and_then(|rest| rest.strip_suffix(".Store")) {
        Some("filesystem") => "file",
        Some("vmware_datastore") => "vmware",
        Some(kind) => kind,
        None => kind,
    }
}

/// The option as it stands in the group of a store.
fn own(opt: &Opt, id: &'static str) -> Opt {
    Opt { deprecated: &[], ..opt.in_group(id) }
}

/// The option as it stands for all stores.
fn shared(opt: &Opt) -> Opt {
    Opt { deprecated: &[], ..opt.in_group(DEFAULTS) }
}

impl Loaded {
    /// Whether there are several stores, which have groups of their own.
    pub(super) fn has_backends(&self) -> bool {
        self.conf.dict(&ENABLED_BACKENDS).is_ok_and(|backends| !backends.is_empty())
    }

    /// The stores, if there are several.
    pub(super) fn several_stores(&self) -> Result<Option<Settings>> {
        let backends = self.backends()?;
        if backends.is_empty() {
            return Ok(None);
        }
        let unset = || Error::Invalid {
            option: "[glance_store] default_backend",
            reason: "'default_backend' config option is not set.".to_owned(),
        };
        let default_backend = self.conf.str(&DEFAULT_BACKEND)?.ok_or_else(unset)?;
        let stores = backends.iter().map(|backend| self.backend(backend)).collect::<Result<_>>()?;
        Ok(Some(Settings::Several { default_backend, stores }))
    }

    /// What `enabled_backends` names, in this order.
    fn backends(&self) -> Result<Vec<Backend>> {
        let written = self.conf.dict(&ENABLED_BACKENDS)?;
        let invalid = |reason: String| Error::Invalid { option: ENABLED_BACKENDS.name, reason };
        if written.iter().any(|(id, _)| id.starts_with(RESERVED)) {
            return Err(invalid(format!(
                "'{RESERVED}' prefix should not be used in enabled_backends config option. It is reserved for internal use \
                 only."
            )));
        }
        // Their groups were declared in the same order, under names that are there to stay.
        let groups = self.conf.options().iter().filter(|opt| opt.name == STORE_DESCRIPTION.name).map(|opt| opt.group);
        Ok(groups.zip(written).map(|(id, (_, kind))| Backend { id, kind }).collect())
    }

    fn backend(&self, Backend { id, kind }: &Backend) -> Result<NamedSettings> {
        let at = |opt: &Opt| self.of_backend(opt, id);
        let driver = match plain_kind(kind) {
            "file" => Driver::File(self.file_store(at)?),
            "http" => Driver::Http(self.http_store(at)?),
            other => Driver::unavailable(other).ok_or_else(|| Error::Invalid {
                option: ENABLED_BACKENDS.name,
                reason: format!("'{id}' is of the kind '{kind}', of which there is no store"),
            })?,
        };
        let description = self.conf.str(&STORE_DESCRIPTION.in_group(id))?;
        let weight = self.integer(&WEIGHT.in_group(id))?;
        Ok(NamedSettings { id: (*id).to_owned(), description, weight, driver })
    }

    /// The option that counts for a store: its own, or if that is not set the one of all stores.
    fn of_backend(&self, opt: &Opt, id: &'static str) -> Opt {
        let own = own(opt, id);
        if self.conf.is_set(&own) { own } else { shared(opt) }
    }

    /// The directories of the file stores, those that are filled last at the end of each.
    pub(super) fn image_directories(&self) -> Result<Vec<Vec<PathBuf>>> {
        let stores = match self.stores()? {
            Settings::Single { filesystem, .. } => vec![filesystem],
            Settings::Several { stores, .. } => stores.into_iter().filter_map(file_store).collect(),
        };
        let directories = stores.iter().filter_map(|store| store.directories().ok());
        Ok(directories.map(|choices| choices.into_iter().map(|choice| choice.path).collect()).collect())
    }

    /// Where data is staged. A server without a configuration keeps to its data directory.
    pub(super) fn staging_dir(&self) -> Result<PathBuf> {
        if self.has_backends() {
            let dir = PathBuf::from(self.conf.str(&STAGING_DATADIR)?.unwrap_or_default());
            let absolute = std::path::absolute(&dir).unwrap_or_else(|_| dir.clone());
            return match self.image_directories()?.concat().contains(&absolute) {
                true => Err(Error::Invalid {
                    option: "[os_glance_staging_store] filesystem_store_datadir",
                    reason: "is the directory of a store: what waits there would be taken for images".to_owned(),
                }),
                false => Ok(dir),
            };
        }
        if self.files().is_empty() && !self.conf.is_set(&NODE_STAGING_URI) {
            return Ok(self.data_dir.join("staging"));
        }
        let uri = self.conf.str(&NODE_STAGING_URI)?.unwrap_or_default();
        let path = uri.strip_prefix("file://").filter(|path| path.starts_with('/'));
        path.map(PathBuf::from).ok_or_else(|| Error::Invalid {
            option: "node_staging_uri",
            reason: "must be file:// and an absolute path".to_owned(),
        })
    }

    /// Why a group of several stores has no effect: there is one of each kind.
    pub(super) fn idle_store_group(&self, group: &str) -> Option<&'static str> {
        let of_several = [DEFAULTS, STAGING, TASKS].into_iter().any(|known| known.eq_ignore_ascii_case(group));
        (of_several && !self.has_backends()).then_some("enabled_backends is not set")
    }

    /// Why an option has no effect that is for the other of the two ways to have stores.
    pub(super) fn idle_store_option(&self, name: (&str, &str)) -> Option<&'static str> {
        let several = self.has_backends();
        let of_one = [FILE_OPTIONS, HTTP_OPTIONS, &[&DEFAULT_STORE, &STORES, &NODE_STAGING_URI]];
        if of_one.into_iter().flatten().any(|opt| opt.answers_to(name)) {
            return several.then_some("with enabled_backends there are groups for it");
        }
        (DEFAULT_BACKEND.answers_to(name) && !several).then_some("enabled_backends is not set")
    }
}

fn file_store(store: NamedSettings) -> Option<filesystem::Settings> {
    match store.driver {
        Driver::File(settings) => Some(settings),
        _ => None,
    }
}

//! Pipelines: what a paste file means, or the built-in flavors where there is none (v1-cache §9, configuration §2.1).
//!
//! Components are recognised by their factories; section names are only labels.

use std::path::{Path, PathBuf};

use osloconf::paste::{PasteFile, Section};
use osloconf::{Conf, Opt};

use super::{Error, Loaded, Result};
use crate::auth::Filter;

pub(super) static FLAVOR: Opt = Opt::str("paste_deploy", "flavor").empty_is_unset().help(
    "Pipeline: empty, caching, cachemanagement, keystone, keystone+caching, keystone+cachemanagement, or one of the \
     paste file's own",
);
static CONFIG_FILE: Opt = Opt::str("paste_deploy", "config_file")
    .empty_is_unset()
    .help("Paste file; unset: the last configuration file's name with -paste.ini for .conf, if there is one");

pub(super) static OPTIONS: &[&Opt] = &[&FLAVOR, &CONFIG_FILE];

/// What a filter's section of the paste file sets; it wins over the configuration.
pub(crate) type Local = Vec<(String, String)>;

/// Which filters are in a server's pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pipeline {
    /// Who is asking.
    pub(crate) identity: Filter,
    /// Downloads go through the image cache.
    pub(crate) cache: bool,
    /// The routes that manage the cache are there.
    pub(crate) cache_management: bool,
    /// What the filter that validates tokens says of `[keystone_authtoken]`.
    pub(crate) authtoken: Local,
    /// Pages of other origins are told what they may, if this filter is there.
    pub(crate) cors: Option<Local>,
    /// What a proxy says of the client is looked at.
    pub(crate) proxy_headers: Option<Local>,
    /// Bodies of requests are limited.
    pub(crate) size_limit: Option<Local>,
}

/// What a factory makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Component {
    Identity(Filter),
    Cache,
    CacheManagement,
    /// Whatever context filter follows, it believes what Keystone says.
    TokenValidation,
    Cors,
    ProxyHeaders,
    SizeLimit,
    /// Built in, or without effect on what this service answers.
    Neutral,
    /// Known, wanted by some, not there yet: worth a warning.
    Idle,
}

/// Module paths and class names that the field's paste files use, and what they stand for.
const FACTORIES: [(&str, Component); 22] = [
    ("glance.api.middleware.version_negotiation", Component::Neutral),
    ("glance.common.context", Component::Identity(Filter::Open)),
    ("glance.registry.context", Component::Identity(Filter::Open)),
    ("glance.api.middleware.context:UnauthenticatedContextMiddleware", Component::Identity(Filter::Unauthenticated)),
    ("glance.api.middleware.context:ContextMiddleware", Component::Identity(Filter::Confirmed)),
    ("keystone.middleware.glance_auth_token", Component::Identity(Filter::Confirmed)),
    ("glance.api.middleware.cache:CacheFilter", Component::Cache),
    ("glance.api.middleware.cache_manage", Component::CacheManagement),
    ("keystone.middleware.auth_token", Component::TokenValidation),
    ("keystoneclient.middleware.auth_token", Component::TokenValidation),
    ("keystonemiddleware.auth_token", Component::TokenValidation),
    ("osprofiler", Component::Neutral),
    ("oslo_middleware.cors", Component::Cors),
    ("oslo_middleware:CORS", Component::Cors),
    ("oslo_middleware:HTTPProxyToWSGI", Component::ProxyHeaders),
    ("oslo_middleware:RequestBodySizeLimiter", Component::SizeLimit),
    ("oslo_middleware.sizelimit", Component::SizeLimit),
    ("oslo_middleware:Healthcheck", Component::Neutral),
    ("oslo_middleware", Component::Idle),
    ("oslo.middleware", Component::Idle),
    ("glance.api.middleware.gzip", Component::Idle),
    ("glance.api.middleware.cache_control", Component::Neutral),
];

impl Loaded {
    /// The pipeline of `base` (`glance-api`, `glance-registry`) with the configured flavor, and its full name.
    pub(crate) fn pipeline(&self, base: &str) -> Result<(Pipeline, String)> {
        let flavor = self.conf.str(&FLAVOR)?;
        let app = flavor.as_deref().map_or_else(|| base.to_owned(), |flavor| format!("{base}-{flavor}"));
        let pipeline = match self.paste_file()? {
            Some(path) => Reader { app: &app, flavor: flavor.as_deref(), file: &PasteFile::read(&path)? }.pipeline()?,
            None => {
                let identity = match base {
                    "glance-registry" => Filter::Open,
                    // Whoever names a flavor knows Glance; whoever does not gets what works by itself.
                    _ if self.files().is_empty() || flavor.is_none() => Filter::Sole,
                    _ => Filter::Unauthenticated,
                };
                built_in(&app, flavor.as_deref(), identity)?
            }
        };
        Ok((pipeline, app))
    }

    /// The configuration as a filter sees it whose section of the paste file says something of this group.
    pub(super) fn seen_by(&self, filter: &Local, group: &str) -> Conf {
        let said = filter.iter().map(|(name, value)| ((group.to_owned(), name.clone()), vec![value.clone()]));
        let file = self.paste_file().ok().flatten().unwrap_or_default();
        self.conf.overridden(said.collect(), format!("the paste file {}", file.display()))
    }

    pub(super) fn paste_file(&self) -> Result<Option<PathBuf>> {
        if let Some(name) = self.conf.str(&CONFIG_FILE)? {
            let found = self.conf.find_file(&name);
            let missing = || Error::Invalid { option: "config_file", reason: format!("there is no file {name}") };
            return found.ok_or_else(missing).map(Some);
        }
        // Files of a directory only add to it.
        let named = self.conf.main_file().and_then(|conf| {
            let name = conf.file_name()?.to_str()?.strip_suffix(".conf")?;
            self.conf.find_file(format!("{name}-paste.ini"))
        });
        Ok(named)
    }
}

fn built_in(app: &str, flavor: Option<&str>, identity: Filter) -> Result<Pipeline> {
    let failure =
        |reason: &str| Error::Paste { app: app.to_owned(), path: "(built in)".into(), reason: reason.to_owned() };
    let (keystone, rest) = match flavor.unwrap_or("").strip_prefix("keystone") {
        Some(rest) => (true, rest.trim_start_matches('+')),
        None => (false, flavor.unwrap_or("")),
    };
    let (cache, cache_management) = match rest {
        "" => (false, false),
        "caching" => (true, false),
        "cachemanagement" => (true, true),
        _ => return Err(failure("there is no built-in pipeline of this flavor, and no paste file")),
    };
    let identity = if keystone { Filter::Token } else { identity };
    Ok(Pipeline {
        identity,
        cache,
        cache_management,
        authtoken: Vec::new(),
        cors: Some(Vec::new()),
        proxy_headers: Some(Vec::new()),
        size_limit: None,
    })
}

/// A filter of a pipeline.
type Found<'a> = (Component, &'a Section);

/// What a filter's section sets, but for what makes the filter.
fn options(filter: &Section) -> Local {
    let made_by = ["paste.filter_factory", "glance.filter_factory", "use"];
    let set = filter.iter().filter(|(key, _)| !made_by.contains(key));
    set.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Follows the sections of a paste file.
struct Reader<'a> {
    app: &'a str,
    flavor: Option<&'a str>,
    file: &'a PasteFile,
}

impl Reader<'_> {
    fn pipeline(&self) -> Result<Pipeline> {
        let mut found = Vec::new();
        self.follow(self.app, 0, &mut found)?;
        let local =
            |wanted| found.iter().find(|(component, _)| *component == wanted).map(|(_, filter)| options(filter));
        let authtoken = local(Component::TokenValidation);
        let components: Vec<Component> = found.iter().map(|(component, _)| *component).collect();
        let identity = components.iter().rev().find_map(|component| match component {
            Component::Identity(filter) => Some(*filter),
            _ => None,
        });
        let cache_management = components.contains(&Component::CacheManagement);
        Ok(Pipeline {
            identity: match authtoken {
                Some(_) => Filter::Token,
                None => identity.ok_or_else(|| self.failure("the pipeline has no context filter".to_owned()))?,
            },
            authtoken: authtoken.unwrap_or_default(),
            cache: components.contains(&Component::Cache) || cache_management,
            cache_management,
            cors: local(Component::Cors),
            proxy_headers: local(Component::ProxyHeaders),
            size_limit: local(Component::SizeLimit),
        })
    }

    /// Collects the components of the pipeline, composite or app called `name`.
    fn follow<'a>(&'a self, name: &str, depth: usize, components: &mut Vec<Found<'a>>) -> Result<()> {
        /// Composites nest three deep in the files that are shipped; more than this is a circle.
        const DEEPEST: usize = 8;
        if depth > DEEPEST {
            return Err(self.failure(format!("{name} contains itself")));
        }
        if let Some(section) = self.file.section("pipeline", name) {
            return self.follow_pipeline(section.get("pipeline").unwrap_or(""), depth, components);
        }
        if let Some(section) = self.file.section("composite", name) {
            return self.follow_composite(name, section, depth, components);
        }
        match self.file.section("app", name) {
            Some(_) => Ok(()),
            None => Err(self.failure(format!("there is no pipeline, composite or app called {name}"))),
        }
    }

    fn follow_pipeline<'a>(&'a self, line: &str, depth: usize, components: &mut Vec<Found<'a>>) -> Result<()> {
        let names: Vec<&str> = line.split_whitespace().collect();
        let Some((app, filters)) = names.split_last() else {
            return Err(self.failure("an empty pipeline".to_owned()));
        };
        for name in filters {
            components.push(self.filter(name)?);
        }
        self.follow(app, depth + 1, components)
    }

    /// Of a map of paths, the one for the API counts; of a list of flavors, the configured one.
    fn follow_composite<'a>(
        &'a self,
        name: &str,
        section: &Section,
        depth: usize,
        components: &mut Vec<Found<'a>>,
    ) -> Result<()> {
        if section.get("paste.composite_factory").is_some_and(|factory| factory.contains("pipeline_factory")) {
            let flavor = self.flavor.unwrap_or("default");
            let line = section.get(flavor).ok_or_else(|| self.failure(format!("there is no flavor {flavor}")))?;
            return self.follow_pipeline(line, depth, components);
        }
        let api = ["/v1", "/v2", "/"].iter().find_map(|path| section.get(path));
        match api {
            Some(api) => self.follow(api, depth + 1, components),
            None => Err(self.failure(format!("composite {name} maps no path to an API"))),
        }
    }

    fn filter(&self, name: &str) -> Result<Found<'_>> {
        let section = self.file.section("filter", name);
        let section = section.ok_or_else(|| self.failure(format!("there is no filter called {name}")))?;
        let factory = ["glance.filter_factory", "paste.filter_factory", "use"].iter().find_map(|key| section.get(key));
        let factory = factory.unwrap_or("").trim();
        let component = FACTORIES.iter().find(|(known, _)| names(factory, known)).map(|(_, component)| *component);
        match component {
            None => Err(self.failure(format!("filter {name} has an unknown factory '{factory}'"))),
            Some(component) => {
                if component == Component::Idle {
                    tracing::warn!("filter {name} ({factory}) has no effect in this release");
                }
                Ok((component, section))
            }
        }
    }

    fn failure(&self, reason: String) -> Error {
        Error::Paste { app: self.app.to_owned(), path: Path::to_owned(self.file.path()), reason }
    }
}

/// Whether a factory lies in the module, or is the class, that is known; `:` and `.` both separate.
fn names(factory: &str, known: &str) -> bool {
    let (factory, known) = (factory.replace(':', "."), known.replace(':', "."));
    factory.strip_prefix(&known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests;

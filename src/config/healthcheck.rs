//! The health check: `[healthcheck]`, and the section of a paste file that mounts it, whose keys win (operations §3).

use osloconf::Opt;
use osloconf::paste::{PasteFile, Section};

use super::{Error, Loaded, Result};
use crate::api::{Check, Details, Health};

static DETAILED: Opt = Opt::bool("healthcheck", "detailed")
    .default("false")
    .help("Tell which file decided, and version, host and age of the server; not for strangers");
static BACKENDS: Opt = Opt::list("healthcheck", "backends")
    .default("disable_by_file")
    .help("What is looked at: disable_by_file, disable_by_files_ports, enable_by_files");
static DISABLE_BY_FILE_PATH: Opt =
    Opt::str("healthcheck", "disable_by_file_path").empty_is_unset().help("Out of service while this file is there");
static DISABLE_BY_FILE_PATHS: Opt = Opt::list("healthcheck", "disable_by_file_paths")
    .help("port:path, ...: a server on that port is out of service while the file is there");
static ENABLE_BY_FILE_PATHS: Opt =
    Opt::list("healthcheck", "enable_by_file_paths").help("Out of service while one of these files is missing");
static ALLOWED_SOURCE_RANGES: Opt =
    Opt::list("healthcheck", "allowed_source_ranges").help("Networks that are answered; none: all");
static IGNORE_PROXIED_REQUESTS: Opt = Opt::bool("healthcheck", "ignore_proxied_requests")
    .default("false")
    .help("Do not answer requests that came through a proxy");

pub(super) static OPTIONS: &[&Opt] = &[
    &DETAILED,
    &BACKENDS,
    &DISABLE_BY_FILE_PATH,
    &DISABLE_BY_FILE_PATHS,
    &ENABLE_BY_FILE_PATHS,
    &ALLOWED_SOURCE_RANGES,
    &IGNORE_PROXIED_REQUESTS,
];

/// Where it is, if nobody says otherwise.
const PATH: &str = "/healthcheck";

impl Loaded {
    /// The health check of a server on `port`; `None` where the paste file has none.
    pub(super) fn health(&self, port: u16) -> Result<Option<Health>> {
        let Some(paste) = self.paste_file()? else { return self.health_at(PATH, None, port).map(Some) };
        let paste = PasteFile::read(&paste)?;
        match mounted(&paste) {
            None => Ok(None),
            Some((path, section)) => self.health_at(path, Some(section), port).map(Some),
        }
    }

    fn health_at(&self, path: &str, section: Option<&Section>, port: u16) -> Result<Health> {
        let list = |opt: &Opt| match section.and_then(|section| section.get(opt.name)) {
            Some(text) => {
                Ok(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
            }
            None => self.conf.list(opt),
        };
        let own = |opt: &Opt| section.and_then(|section| section.get(opt.name)).map(str::to_owned);
        let flag = |opt: &Opt| match own(opt) {
            Some(text) => Ok(matches!(text.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")),
            None => self.conf.bool(opt),
        };
        let mut checks = Vec::new();
        let backends: Vec<String> = list(&BACKENDS)?;
        if ["disable_by_file", "enable_by_files"].iter().all(|one| backends.iter().any(|other| other == one)) {
            return Err(invalid(BACKENDS.name, "disable_by_file and enable_by_files exclude each other".to_owned()));
        }
        for backend in backends {
            match backend.as_str() {
                "disable_by_file" => {
                    let file = own(&DISABLE_BY_FILE_PATH)
                        .map_or_else(|| self.conf.str(&DISABLE_BY_FILE_PATH), |own| Ok(Some(own)));
                    checks.push(Check::DisabledBy(file?.map(Into::into)));
                }
                "disable_by_files_ports" => {
                    for pair in list(&DISABLE_BY_FILE_PATHS)? {
                        let (of, file) = port_and_file(&pair)?;
                        checks.extend((of == port).then(|| Check::DisabledBy(Some(file.into()))));
                    }
                }
                "enable_by_files" => {
                    checks.extend(list(&ENABLE_BY_FILE_PATHS)?.into_iter().map(|file| Check::EnabledBy(file.into())));
                }
                other => return Err(invalid(BACKENDS.name, format!("there is no backend '{other}'"))),
            }
        }
        if checks.is_empty() {
            checks.push(Check::DisabledBy(None));
        }
        let ranges: Vec<String> = list(&ALLOWED_SOURCE_RANGES)?;
        let range = |text: &String| {
            // An address alone is a network of its own.
            let parsed = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(Into::into));
            parsed.map_err(|_| invalid(ALLOWED_SOURCE_RANGES.name, format!("'{text}' is not a network")))
        };
        Ok(Health {
            path: path.to_owned(),
            checks,
            sources: ranges.iter().map(range).collect::<Result<_>>()?,
            ignore_proxied: flag(&IGNORE_PROXIED_REQUESTS)?,
            details: flag(&DETAILED)?.then(Details::of_now),
        })
    }
}

/// Path and section of the health check: an application that a map of paths names, or a filter of the older files.
fn mounted(paste: &PasteFile) -> Option<(&str, &Section)> {
    let composites = paste.sections().iter().filter(|section| section.kind == "composite");
    let mut mounts = composites.flat_map(Section::iter).filter(|(path, _)| path.starts_with('/'));
    let app =
        mounts.find_map(|(path, name)| Some((path, paste.section("app", name).filter(|app| is_healthcheck(app))?)));
    app.or_else(|| {
        let filter = paste.sections().iter().find(|section| section.kind == "filter" && is_healthcheck(section))?;
        Some((filter.get("path").unwrap_or(PATH), filter))
    })
}

fn is_healthcheck(section: &Section) -> bool {
    let factories = ["paste.app_factory", "paste.filter_factory", "use"];
    factories
        .iter()
        .filter_map(|key| section.get(key))
        .any(|factory| factory.to_ascii_lowercase().contains("healthcheck"))
}

fn port_and_file(pair: &str) -> Result<(u16, &str)> {
    let parsed = pair.split_once(':').and_then(|(port, file)| Some((port.trim().parse().ok()?, file.trim())));
    parsed.ok_or_else(|| invalid(DISABLE_BY_FILE_PATHS.name, format!("'{pair}' is not port:path")))
}

fn invalid(option: &'static str, reason: String) -> Error {
    Error::Invalid { option, reason }
}

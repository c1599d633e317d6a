//! Everything that is wrong with a configuration of the image API, without opening or creating anything.

use std::path::Path;

use osloconf::{Given, Overrides};

use super::findings::{Finding, Severity, place};
use super::logging::LOG_CONFIG_APPEND;
use super::{Error, Loaded, Program, Result};
use crate::ops::log;
use crate::store::{OpenError, Stores};

const PROGRAM: &str = "glance-api";
/// Where the image API listens when nobody says otherwise.
const PORT: u16 = 9292;

impl Loaded {
    /// Reads what `glance-api` would read, and tells all that is wrong or odd: errors first.
    pub(crate) fn check(given: &[Given], overrides: Overrides, data_dir: &Path) -> Vec<Finding> {
        let (loaded, faults) = match Self::survey(Program::Api, given, overrides, data_dir) {
            Ok(survey) => survey,
            Err(error) => return vec![plain(None, error.to_string())],
        };
        let mut findings: Vec<Finding> = faults.into_iter().map(|fault| loaded.fault(fault)).collect();
        let values = loaded.conf.validate(&loaded.conf.options().iter().collect::<Vec<_>>());
        findings.extend(values.err().into_iter().flatten().map(|fault| loaded.fault(fault)));
        for error in loaded.refusals() {
            for finding in loaded.refusal(error) {
                // A bad value stops each part that needs it.
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        findings.extend(loaded.oddities());
        findings.extend(loaded.former_names());
        findings
    }

    /// What the parts of the server say to their settings.
    fn refusals(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        let mut ask = |answer: Result<()>| errors.extend(answer.err());
        ask(self.logging(PROGRAM).and_then(|settings| {
            let option = |error: &log::Error| match error {
                log::Error::Facility(_) => "syslog_log_facility",
                _ => "log_date_format",
            };
            settings.check().map_err(|error| Error::Invalid { option: option(&error), reason: error.to_string() })
        }));
        ask(self.log_config().map(drop));
        ask(self.listener(PORT).map(drop));
        ask(self.database().and_then(|settings| {
            settings.check().map_err(|bad| Error::Invalid { option: "[database] connection", reason: bad.reason() })
        }));
        ask(self.registry().map(drop));
        ask(self.openable_stores());
        ask(self.cipher().map(drop));
        // Some of these are parts of others, which tell but the first thing that is wrong.
        ask(self.images().map(drop));
        ask(self.staging_dir().map(drop));
        ask(self.storage_quota().map(drop));
        ask(self.protections().map(drop));
        ask(self.remote_checks().map(drop));
        ask(self.notification_drivers().map(drop));
        ask(self.limits().map(drop));
        ask(self.notifier().map(drop));
        ask(self.policy().map(drop));
        ask(self.prefetcher_interval().map(drop));
        ask(self.pipeline(PROGRAM).and_then(|(pipeline, _)| {
            if pipeline.cache {
                self.cache_node(&self.cache()?)?;
            }
            self.front(PORT, &pipeline)?;
            self.identity(&pipeline).map(drop)
        }));
        errors
    }

    fn openable_stores(&self) -> Result<()> {
        let opened = Stores::open(&self.stores()?.without_directories());
        opened.map(drop).map_err(|error| {
            let reason = error.to_string();
            // What is wrong with a store says with which of its options.
            let named = super::store::OPTIONS.iter().map(|opt| opt.name).find(|name| reason.starts_with(name));
            let option = match error {
                OpenError::UnknownDefaultBackend(_) => "[glance_store] default_backend",
                OpenError::UnknownDefault(_) | OpenError::BadSetting(_) => named.unwrap_or("default_store"),
            };
            Error::Invalid { option, reason }
        })
    }

    /// What stands in a file, or in the environment, and cannot be read.
    fn fault(&self, fault: osloconf::Error) -> Finding {
        match fault {
            osloconf::Error::Syntax { path, line, reason } => {
                plain(Some(format!("{}:{line}", path.display())), reason.to_owned())
            }
            osloconf::Error::ReadFile { path, source } => {
                plain(Some(path.display().to_string()), format!("cannot be read: {source}"))
            }
            osloconf::Error::Value(bad) => Finding {
                severity: Severity::Error,
                place: place(&bad.origin),
                option: Some((bad.group.to_owned(), bad.option.to_owned())),
                what: format!("'{}' {}", bad.value, bad.reason),
            },
            other => plain(None, other.to_string()),
        }
    }

    /// What a part of the server refuses to start with.
    fn refusal(&self, error: Error) -> Vec<Finding> {
        match error {
            Error::Conf(fault) => vec![self.fault(fault)],
            Error::Values(faults) => faults.into_iter().map(|fault| self.fault(fault)).collect(),
            Error::Missing { option, why } => {
                // Several groups have options of these names; the reason tells which is meant.
                let group = why.split_once('[').and_then(|(_, rest)| Some(rest.split_once(']')?.0));
                let option = group.map_or_else(|| option.to_owned(), |group| format!("[{group}] {option}"));
                vec![self.about(&option, format!("must be set{why}"))]
            }
            Error::Invalid { option, reason } => vec![self.about(option, reason)],
            Error::NoLogConfig(_) => vec![self.about(LOG_CONFIG_APPEND.name, error.to_string())],
            Error::Paste { ref path, .. } => vec![plain(Some(path.display().to_string()), error.to_string())],
        }
    }

    /// An error about an option that is called by its name, or by `[group] name`.
    fn about(&self, option: &str, what: String) -> Finding {
        let split = option.strip_prefix('[').and_then(|rest| rest.split_once("] "));
        let (group, name) = split.map_or((None, option), |(group, name)| (Some(group), name));
        let named = || {
            let options = self.conf.options().iter();
            options.filter(|opt| opt.name == name && group.is_none_or(|group| opt.group == group))
        };
        let found = named().find(|opt| self.conf.is_set(opt)).or_else(|| named().next());
        Finding {
            severity: Severity::Error,
            place: found.and_then(|opt| self.conf.origin(opt)).as_ref().and_then(place),
            option: found.map(|opt| (opt.group.to_owned(), opt.name.to_owned())),
            what: if found.is_some() { what } else { format!("{option}: {what}") },
        }
    }

    /// The options that have another name now.
    fn former_names(&self) -> impl Iterator<Item = Finding> {
        self.conf.deprecations().into_iter().map(|found| Finding {
            severity: Severity::Warning,
            place: place(&found.origin),
            option: Some((found.used_group.to_owned(), found.used_name.to_owned())),
            what: format!("is called [{}] {} today", found.group, found.name),
        })
    }
}

fn plain(place: Option<String>, what: String) -> Finding {
    Finding { severity: Severity::Error, place, option: None, what }
}

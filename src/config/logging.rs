//! Logging: `[DEFAULT]` (configuration §3.1, v1-system §5.2).

use std::path::PathBuf;

use osloconf::Opt;

use super::{Error, Loaded, Result};
use crate::ops::log::{self, LogSettings};

static DEBUG: Opt = Opt::bool("DEFAULT", "debug").default("false").help("Log at DEBUG level");
static VERBOSE: Opt = Opt::bool("DEFAULT", "verbose").default("true").ignored("INFO is always logged");
static LOG_FILE: Opt = Opt::str("DEFAULT", "log_file")
    .deprecated(&[("DEFAULT", "logfile")])
    .empty_is_unset()
    .help("File to log to; standard error if unset");
static LOG_DIR: Opt = Opt::str("DEFAULT", "log_dir")
    .deprecated(&[("DEFAULT", "logdir")])
    .empty_is_unset()
    .help("Directory of the log file");
pub(super) static LOG_CONFIG_APPEND: Opt = Opt::str("DEFAULT", "log_config_append")
    .deprecated(&[("DEFAULT", "log_config")])
    .empty_is_unset()
    .help("Python logging configuration; must exist if named, but is not interpreted");
static LOG_FORMAT: Opt = Opt::str("DEFAULT", "log_format")
    .default(log::DEFAULT_FORMAT)
    .deprecated(&[("DEFAULT", "logging_default_format_string")])
    .empty_is_unset()
    .help("Form of a log line");
static LOG_DATE_FORMAT: Opt =
    Opt::str("DEFAULT", "log_date_format").default(log::DEFAULT_DATE_FORMAT).empty_is_unset().help("Form of its time");
static USE_SYSLOG: Opt = Opt::bool("DEFAULT", "use_syslog").default("false").help("Log to syslog");
static SYSLOG_LOG_FACILITY: Opt =
    Opt::str("DEFAULT", "syslog_log_facility").default("LOG_USER").empty_is_unset().help("Syslog facility");

pub(super) static OPTIONS: &[&Opt] = &[
    &DEBUG,
    &VERBOSE,
    &LOG_FILE,
    &LOG_DIR,
    &LOG_CONFIG_APPEND,
    &LOG_FORMAT,
    &LOG_DATE_FORMAT,
    &USE_SYSLOG,
    &SYSLOG_LOG_FACILITY,
];

impl Loaded {
    /// How `program` logs.
    pub(crate) fn logging(&self, program: &str) -> Result<LogSettings> {
        let conf = &self.conf;
        Ok(LogSettings {
            program: program.to_owned(),
            debug: conf.bool(&DEBUG)?,
            log_file: conf.str(&LOG_FILE)?.map(Into::into),
            log_dir: conf.str(&LOG_DIR)?.map(Into::into),
            log_format: conf.str(&LOG_FORMAT)?.unwrap_or_default(),
            log_date_format: conf.str(&LOG_DATE_FORMAT)?.unwrap_or_default(),
            use_syslog: conf.bool(&USE_SYSLOG)?,
            syslog_log_facility: conf.str(&SYSLOG_LOG_FACILITY)?.unwrap_or_default(),
        })
    }

    /// The Python logging configuration, if one is named; it exists.
    pub(crate) fn log_config(&self) -> Result<Option<PathBuf>> {
        let file = self.conf.str(&LOG_CONFIG_APPEND)?.map(PathBuf::from);
        match file {
            Some(file) if !file.exists() => Err(Error::NoLogConfig(file)),
            found => Ok(found),
        }
    }
}

//! Logging: `[DEFAULT]` (configuration §3.1, v1-system §5.2).

use std::path::PathBuf;

use osloconf::Opt;
use tracing::level_filters::LevelFilter;

use super::{Error, Loaded, Result};
use crate::ops::log::{self, LogSettings, Period, Rotation, When};

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
static USE_STDERR: Opt =
    Opt::bool("DEFAULT", "use_stderr").default("false").help("Log to standard error, to a file or not");
static USE_JOURNAL: Opt = Opt::bool("DEFAULT", "use_journal").default("false").help("Log to the journal of systemd");
static USE_JSON: Opt = Opt::bool("DEFAULT", "use_json").default("false").help("Log JSON, an object on each line");
static DEFAULT_LOG_LEVELS: Opt = Opt::list("DEFAULT", "default_log_levels").help(
    "Levels of single loggers, as gander::images=DEBUG; Python's names for what is here as well are understood. \
     Libraries never log more than warnings",
);
static LOG_ROTATION_TYPE: Opt = Opt::str("DEFAULT", "log_rotation_type")
    .default("none")
    .choices(&["none", "interval", "size"])
    .any_case()
    .help("When the log file is put aside: by another program, which is noticed; or by this one");
static LOG_ROTATE_INTERVAL: Opt = Opt::int("DEFAULT", "log_rotate_interval")
    .default("1")
    .range(0, 1_000_000)
    .help("How long a log file lasts, if log_rotation_type is interval; for Weekday the day, Monday being 0");
static LOG_ROTATE_INTERVAL_TYPE: Opt = Opt::str("DEFAULT", "log_rotate_interval_type")
    .default("Days")
    .choices(&["Seconds", "Minutes", "Hours", "Days", "Weekday", "Midnight"])
    .any_case()
    .help("What that is counted in");
static MAX_LOGFILE_COUNT: Opt = Opt::int("DEFAULT", "max_logfile_count")
    .default("30")
    .range(0, 1_000_000)
    .help("Log files that were put aside and are kept");
static MAX_LOGFILE_SIZE_MB: Opt = Opt::int("DEFAULT", "max_logfile_size_mb")
    .default("200")
    .range(0, 1_000_000)
    .help("MiB of a log file, if log_rotation_type is size");
static LOGGING_CONTEXT_FORMAT_STRING: Opt = Opt::str("DEFAULT", "logging_context_format_string")
    .default(log::DEFAULT_REQUEST_FORMAT)
    .empty_is_unset()
    .help("Form of a log line of a request");
static LOGGING_USER_IDENTITY_FORMAT: Opt = Opt::str("DEFAULT", "logging_user_identity_format")
    .default(log::DEFAULT_IDENTITY_FORMAT)
    .empty_is_unset()
    .help("Form of user_identity in it");
static LOG_FORMAT: Opt = Opt::str("DEFAULT", "log_format")
    .default(log::DEFAULT_FORMAT)
    .deprecated(&[("DEFAULT", "logging_default_format_string")])
    .empty_is_unset()
    .help("Form of all other log lines");
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
    &USE_STDERR,
    &USE_JOURNAL,
    &USE_JSON,
    &DEFAULT_LOG_LEVELS,
    &LOG_ROTATION_TYPE,
    &LOG_ROTATE_INTERVAL,
    &LOG_ROTATE_INTERVAL_TYPE,
    &MAX_LOGFILE_COUNT,
    &MAX_LOGFILE_SIZE_MB,
    &LOGGING_CONTEXT_FORMAT_STRING,
    &LOGGING_USER_IDENTITY_FORMAT,
];

/// What is here as well as in Python, and what it is called there.
const LOGGERS: [(&str, &str); 12] = [
    ("glance.image_cache", "gander::cache"),
    ("glance.store", "gander::store"),
    ("glance_store", "gander::store"),
    ("glance", "gander"),
    ("oslo_policy", "oslopolicy"),
    ("oslo.policy", "oslopolicy"),
    ("oslo_config", "osloconf"),
    ("keystonemiddleware", "keystone"),
    ("keystoneauth", "keystone"),
    ("sqlalchemy", "sqlx"),
    ("urllib3", "hyper"),
    ("requests", "reqwest"),
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
            use_journal: conf.bool(&USE_JOURNAL)?,
            use_stderr: conf.bool(&USE_STDERR)?,
            use_json: conf.bool(&USE_JSON)?,
            rotation: self.rotation()?,
            levels: self.log_levels()?,
            request_format: conf.str(&LOGGING_CONTEXT_FORMAT_STRING)?.unwrap_or_default(),
            identity_format: conf.str(&LOGGING_USER_IDENTITY_FORMAT)?.unwrap_or_default(),
        })
    }

    fn rotation(&self) -> Result<Option<Rotation>> {
        let small = |opt: &Opt| Ok::<_, Error>(u32::try_from(self.natural(opt)?).unwrap_or(u32::MAX));
        let when = match self.conf.str(&LOG_ROTATION_TYPE)?.as_deref() {
            Some("size") => When::Full(self.natural(&MAX_LOGFILE_SIZE_MB)? << 20),
            Some("interval") => When::Over(self.period(small(&LOG_ROTATE_INTERVAL)?)?),
            _ => return Ok(None),
        };
        Ok(Some(Rotation { when, keep: small(&MAX_LOGFILE_COUNT)? as usize }))
    }

    fn period(&self, count: u32) -> Result<Period> {
        let invalid = |reason: &str| Error::Invalid { option: LOG_ROTATE_INTERVAL.name, reason: reason.to_owned() };
        let kind = self.conf.str(&LOG_ROTATE_INTERVAL_TYPE)?.unwrap_or_default();
        match (kind.as_str(), count) {
            ("Midnight", _) => Ok(Period::Midnight),
            ("Weekday", 0..=6) => Ok(Period::Weekday(count)),
            ("Weekday", _) => Err(invalid("a day of the week is 0 (Monday) to 6")),
            (_, 0) => Err(invalid("must be at least 1")),
            ("Seconds", _) => Ok(Period::Seconds(count)),
            ("Minutes", _) => Ok(Period::Minutes(count)),
            ("Hours", _) => Ok(Period::Hours(count)),
            _ => Ok(Period::Days(count)),
        }
    }

    /// Levels of what is here; other loggers of Python's are nobody's.
    fn log_levels(&self) -> Result<Vec<(String, LevelFilter)>> {
        let mut levels = Vec::new();
        for pair in self.conf.list(&DEFAULT_LOG_LEVELS)?.iter().filter(|pair| !pair.is_empty()) {
            let level = pair.split_once('=').and_then(|(name, level)| Some((name.trim(), log_level(level.trim())?)));
            let (name, level) = level.ok_or_else(|| Error::Invalid {
                option: DEFAULT_LOG_LEVELS.name,
                reason: format!("'{pair}' is not logger=LEVEL, as gander=DEBUG"),
            })?;
            let known = LOGGERS.iter().find(|(python, _)| *python == name).map(|(_, here)| *here);
            levels.push((known.map_or_else(|| name.replace('.', "::"), str::to_owned), level));
        }
        Ok(levels)
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

/// A level by Python's name or number.
fn log_level(text: &str) -> Option<LevelFilter> {
    let number = match text.to_ascii_uppercase().as_str() {
        "CRITICAL" | "FATAL" => 50,
        "ERROR" => 40,
        "WARNING" | "WARN" => 30,
        "INFO" => 20,
        "DEBUG" | "NOTSET" => 10,
        number => number.parse().ok()?,
    };
    Some(match number {
        ..=19_u32 => LevelFilter::DEBUG,
        20..=29 => LevelFilter::INFO,
        30..=39 => LevelFilter::WARN,
        40..=49 => LevelFilter::ERROR,
        _ => LevelFilter::OFF,
    })
}

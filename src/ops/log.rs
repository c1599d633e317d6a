//! The log: which records are kept, how a line looks, and where it goes (v1-system §5.2, operations §10).
//!
//! It knows lines and destinations, nothing of configuration files or of what is logged. A record is on its way to
//! disk when the call that made it returns: what must be in the log before a port opens is simply logged before.

mod daemon;
mod destination;
mod file;
mod format;
mod journal;
mod json;
mod layer;
mod rotation;
mod syslog;

use std::path::{Path, PathBuf};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use destination::Destinations;
use file::LogFile;
use format::LineFormat;
use journal::Journal;
use json::JsonFormat;
use layer::{Form, LineLayer};
pub(crate) use rotation::{Period, Rotation, When};
use syslog::{Facility, Syslog};

/// Essex's line: `2012-02-20 18:06:51 5473    DEBUG [glance-api] ****`.
pub(crate) const DEFAULT_FORMAT: &str = "%(asctime)s %(process)d %(levelname)8s [%(name)s] %(message)s";
/// What lines of requests have in common with Glance's today: whose they are.
pub(crate) const DEFAULT_REQUEST_FORMAT: &str = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s \
                                                 [%(global_request_id)s %(request_id)s %(user_identity)s] \
                                                 %(instance)s%(message)s";
/// Who asks, in such a line.
pub(crate) const DEFAULT_IDENTITY_FORMAT: &str =
    "%(user)s %(project)s %(domain)s %(system_scope)s %(user_domain)s %(project_domain)s";
/// The time in a line, to the second.
pub(crate) const DEFAULT_DATE_FORMAT: &str = "%Y-%m-%d %H:%M:%S";
/// Where syslog daemons listen.
const SYSLOG_SOCKET: &str = "/dev/log";
/// Where the journal of systemd does.
const JOURNAL_SOCKET: &str = "/run/systemd/journal/socket";

/// Targets of our own code; they obey `debug`. Libraries may only warn, whatever is set:
/// their DEBUG lines hold statements and headers, secrets included.
const OUR_TARGETS: [&str; 3] = ["gander", "osloconf", "oslopolicy"];

/// Target of what a program tells its user on standard error by itself: where the log goes there too, it is left out.
pub(crate) const TOLD_ON_STDERR: &str = "gander::told";

/// What the options of the log say.
#[derive(Debug, Clone)]
pub(crate) struct LogSettings {
    /// DEBUG and above instead of INFO and above.
    pub(crate) debug: bool,
    /// The log file; relative to `log_dir` if that is given. With neither, lines go to standard error.
    pub(crate) log_file: Option<PathBuf>,
    /// The folder of log files. Alone it means `<program>.log` in it.
    pub(crate) log_dir: Option<PathBuf>,
    /// Name of the program, for the log file and for syslog.
    pub(crate) program: String,
    /// Log to syslog; also to the file, if one is named.
    pub(crate) use_syslog: bool,
    /// Facility for syslog, such as `LOG_USER` or `local0`.
    pub(crate) syslog_log_facility: String,
    /// Log to the journal of systemd; also to the file, if one is named.
    pub(crate) use_journal: bool,
    /// Log to standard error as well.
    pub(crate) use_stderr: bool,
    /// Write objects, and not lines of the formats below.
    pub(crate) use_json: bool,
    /// When the log file is put aside; `None`: when somebody else does so.
    pub(crate) rotation: Option<Rotation>,
    /// Levels of loggers (a module or library, as they are called here) that differ from `debug`.
    pub(crate) levels: Vec<(String, LevelFilter)>,
    /// Format of a line of a request.
    pub(crate) request_format: String,
    /// Format of `%(user_identity)s` in it.
    pub(crate) identity_format: String,
    /// Format of a line, with Python's placeholders.
    pub(crate) log_format: String,
    /// Format of the time in a line, with `strftime`'s placeholders.
    pub(crate) log_date_format: String,
}

impl LogSettings {
    /// The defaults of a program: INFO to standard error.
    #[cfg(test)]
    pub(crate) fn new(program: &str) -> Self {
        Self {
            debug: false,
            log_file: None,
            log_dir: None,
            program: program.to_owned(),
            use_syslog: false,
            syslog_log_facility: "LOG_USER".to_owned(),
            use_journal: false,
            use_stderr: false,
            use_json: false,
            rotation: None,
            levels: Vec::new(),
            request_format: DEFAULT_REQUEST_FORMAT.to_owned(),
            identity_format: DEFAULT_IDENTITY_FORMAT.to_owned(),
            log_format: DEFAULT_FORMAT.to_owned(),
            log_date_format: DEFAULT_DATE_FORMAT.to_owned(),
        }
    }

    /// Tells what is wrong without opening anything.
    pub(crate) fn check(&self) -> Result<(), Error> {
        form(self)?;
        self.facility().map(drop)
    }

    fn facility(&self) -> Result<Facility, Error> {
        Facility::named(&self.syslog_log_facility).ok_or_else(|| Error::Facility(self.syslog_log_facility.clone()))
    }

    fn path(&self) -> Option<PathBuf> {
        let folder = self.log_dir.as_deref();
        match &self.log_file {
            Some(file) => Some(folder.unwrap_or(Path::new("")).join(file)),
            None => folder.map(|folder| folder.join(format!("{}.log", self.program))),
        }
    }

    /// Standard error is where the log goes if it goes nowhere else.
    fn is_on_stderr_alone(&self) -> bool {
        self.path().is_none() && !self.use_syslog && !self.use_journal
    }

    fn level(&self) -> LevelFilter {
        if self.debug { LevelFilter::DEBUG } else { LevelFilter::INFO }
    }
}

/// Why there is no log; the program must not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// `log_file` or `log_dir` names a place that cannot be written.
    #[error("Unable to open log file {path}: {source}")]
    File {
        /// The log file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// `syslog_log_facility` is none.
    #[error("Invalid syslog facility: {0}")]
    Facility(String),
    /// `use_syslog` without a syslog daemon.
    #[error("Unable to reach syslog at {SYSLOG_SOCKET}: {0}")]
    Syslog(std::io::Error),
    /// `use_journal` without a journal.
    #[error("Unable to reach the journal at {JOURNAL_SOCKET}: {0}")]
    Journal(std::io::Error),
    /// `log_date_format` holds a placeholder that does not exist.
    #[error("Invalid log_date_format: {0}")]
    DateFormat(String),
    /// A program opens its log once.
    #[error("the log is open already")]
    Twice,
}

/// Opens the log of this process. The log file exists afterwards, even if nothing is ever logged.
pub(crate) fn init(settings: &LogSettings) -> Result<(), Error> {
    let subscriber = tracing_subscriber::registry().with(filter(settings)).with(layer(settings)?);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| Error::Twice)
}

fn filter(settings: &LogSettings) -> Targets {
    let ours = OUR_TARGETS.iter().map(|target| (*target, settings.level()));
    let told = if settings.is_on_stderr_alone() { LevelFilter::OFF } else { settings.level() };
    let single = settings.levels.iter().map(|(target, level)| {
        let is_ours = OUR_TARGETS.iter().any(|ours| target == ours || target.starts_with(&format!("{ours}::")));
        (target.as_str(), if is_ours { *level } else { (*level).min(LevelFilter::WARN) })
    });
    let targets = Targets::new().with_default(LevelFilter::WARN).with_targets(ours).with_targets(single);
    targets.with_target(TOLD_ON_STDERR, told)
}

fn layer(settings: &LogSettings) -> Result<LineLayer, Error> {
    Ok(LineLayer::new(form(settings)?, destinations(settings)?))
}

fn form(settings: &LogSettings) -> Result<Form, Error> {
    let parse = |format: &str| {
        LineFormat::parse(format, &settings.log_date_format)
            .ok_or_else(|| Error::DateFormat(settings.log_date_format.clone()))
    };
    Ok(match settings.use_json {
        true => Form::Json(JsonFormat {
            format: parse("")?,
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            program: settings.program.clone(),
            opened: chrono::Utc::now().timestamp_millis(),
        }),
        false => Form::Line {
            of_request: parse(&settings.request_format.replace("%(user_identity)s", &settings.identity_format))?,
            other: parse(&settings.log_format)?,
        },
    })
}

fn destinations(settings: &LogSettings) -> Result<Destinations, Error> {
    let facility = settings.facility()?;
    let file = settings
        .path()
        .map(|path| LogFile::open(path.clone(), settings.rotation).map_err(|source| Error::File { path, source }))
        .transpose()?;
    let syslog = settings
        .use_syslog
        .then(|| Syslog::connect(Path::new(SYSLOG_SOCKET), facility, &settings.program).map_err(Error::Syslog))
        .transpose()?;
    let journal = settings
        .use_journal
        .then(|| Journal::connect(Path::new(JOURNAL_SOCKET), facility, &settings.program).map_err(Error::Journal))
        .transpose()?;
    Ok(Destinations { file, syslog, journal, stderr: settings.use_stderr || settings.is_on_stderr_alone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(dir: &Path) -> LogSettings {
        LogSettings { log_dir: Some(dir.to_owned()), ..LogSettings::new("glance-api") }
    }

    /// Runs `body` with a log as [`init`] would open it, but for this thread only.
    fn logged(settings: &LogSettings, body: impl FnOnce()) -> String {
        let subscriber = tracing_subscriber::registry().with(filter(settings)).with(layer(settings).unwrap());
        tracing::subscriber::with_default(subscriber, body);
        std::fs::read_to_string(settings.path().unwrap()).unwrap()
    }

    #[test]
    fn a_folder_alone_means_a_file_named_after_the_program() {
        let mut settings = settings(Path::new("/var/log"));
        assert_eq!(settings.path(), Some(PathBuf::from("/var/log/glance-api.log")));
        settings.log_file = Some("api.log".into());
        assert_eq!(settings.path(), Some(PathBuf::from("/var/log/api.log")));
        settings.log_file = Some("/elsewhere/api.log".into());
        assert_eq!(settings.path(), Some(PathBuf::from("/elsewhere/api.log")));
        assert_eq!(LogSettings::new("glance-api").path(), None);
    }

    #[test]
    fn the_essex_line() {
        let dir = tempfile::tempdir().unwrap();
        let settings = LogSettings { debug: true, ..settings(dir.path()) };
        let text = logged(&settings, || tracing::debug!(logger = "glance-api", "****"));
        let (time, rest) = text.split_at(DEFAULT_DATE_FORMAT.len() + 2);
        assert!(chrono::NaiveDateTime::parse_from_str(time, DEFAULT_DATE_FORMAT).is_ok(), "{text}");
        assert_eq!(rest, format!(" {}    DEBUG [glance-api] ****\n", std::process::id()));
    }

    #[test]
    fn without_debug_the_file_exists_and_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let text = logged(&settings(dir.path()), || tracing::debug!(logger = "glance-api", "****"));
        assert_eq!(text, "");
    }

    #[test]
    fn libraries_may_only_warn() {
        let dir = tempfile::tempdir().unwrap();
        let settings = LogSettings { debug: true, log_format: "%(name)s %(message)s".into(), ..settings(dir.path()) };
        let text = logged(&settings, || {
            tracing::debug!(target: "sqlx::query", "select");
            tracing::warn!(target: "sqlx::pool", "slow");
            tracing::debug!(target: "gander::images", "ours");
        });
        assert_eq!(text, "sqlx::pool slow\ngander::images ours\n");
    }

    #[test]
    fn nobody_forges_lines() {
        let dir = tempfile::tempdir().unwrap();
        let settings = LogSettings { log_format: "%(message)s".into(), ..settings(dir.path()) };
        let name = "x\r\n2012-02-20 ERROR \u{1b}[2J";
        let text = logged(&settings, || tracing::info!(image = name, size = 3, "uploaded {name}"));
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with("uploaded x\\r\\n2012-02-20 ERROR \\u{1b}[2J image=x\\r\\n"), "{text}");
        assert!(text.ends_with(" size=3\n"), "{text}");
    }

    #[test]
    fn what_cannot_be_opened_is_named() {
        let missing = settings(Path::new("/nonexistent/log"));
        assert!(destinations(&missing).unwrap_err().to_string().contains("/nonexistent/log/glance-api.log"));
        let facility = LogSettings { syslog_log_facility: "LOG_MOON".into(), ..LogSettings::new("glance-api") };
        assert_eq!(destinations(&facility).unwrap_err().to_string(), "Invalid syslog facility: LOG_MOON");
        let date = LogSettings { log_date_format: "%Q".into(), ..LogSettings::new("glance-api") };
        assert!(matches!(layer(&date), Err(Error::DateFormat(_))));
    }
}

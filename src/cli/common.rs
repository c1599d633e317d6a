//! Options that every program with a configuration takes (v1-system §5.2, configuration §1.10).

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, FromArgMatches};
use osloconf::{Given, Overrides};

use super::terminal::{complain, explain};
use crate::config::{Finding, Loaded, Program};
use crate::ops::log;
use crate::store::OpenError;

/// What supervisors of 2012 know an unusable `default_store` by (v1-system §2).
const UNKNOWN_DEFAULT_STORE: u8 = 255;

/// The options; they win over the environment and the files.
#[derive(Debug, Default, Args)]
pub(super) struct CommonOptions {
    /// Configuration file; may be given several times, later ones win
    #[arg(long, value_name = "PATH")]
    config_file: Vec<PathBuf>,
    /// Directory whose *.conf files are read as well; may be given several times
    #[arg(long, value_name = "DIR")]
    config_dir: Vec<PathBuf>,
    /// Log at DEBUG level
    #[arg(short, long)]
    debug: bool,
    /// Do not log at DEBUG level
    #[arg(long)]
    nodebug: bool,
    /// Accepted for old scripts; INFO is always logged
    #[arg(short, long)]
    verbose: bool,
    /// Accepted for old scripts
    #[arg(long)]
    noverbose: bool,
    /// File to log to; standard error if unset
    #[arg(long, value_name = "PATH", alias = "logfile")]
    log_file: Option<String>,
    /// Directory of the log file
    #[arg(long, value_name = "DIR", alias = "logdir")]
    log_dir: Option<String>,
    /// Python logging configuration; must exist, but is not interpreted
    #[arg(long, value_name = "PATH", visible_alias = "log-config")]
    log_config_append: Option<String>,
    /// Form of a log line
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Form of its time
    #[arg(long, value_name = "FORMAT")]
    log_date_format: Option<String>,
    /// Log to syslog
    #[arg(long)]
    use_syslog: bool,
    /// Do not log to syslog
    #[arg(long)]
    nouse_syslog: bool,
    /// Log to the journal of systemd
    #[arg(long)]
    use_journal: bool,
    /// Do not log to the journal of systemd
    #[arg(long)]
    nouse_journal: bool,
    /// Log JSON, an object on each line
    #[arg(long)]
    use_json: bool,
    /// Do not log JSON
    #[arg(long)]
    nouse_json: bool,
    /// Accepted for old scripts; it is always noticed that the log file was moved
    #[arg(long)]
    watch_log_file: bool,
    /// Accepted for old scripts
    #[arg(long)]
    nowatch_log_file: bool,
    /// Syslog facility
    #[arg(long, value_name = "FACILITY")]
    syslog_log_facility: Option<String>,
    /// Where things go that the configuration gives no place [default: ~/.local/share/gander]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl CommonOptions {
    /// Reads the configuration. `further` are options of the program itself, as `(group, name, value)`.
    pub(super) fn load(
        &self,
        program: Program,
        given: &[Given],
        further: &[(&str, &str, String)],
    ) -> anyhow::Result<Loaded> {
        let overrides = self.overrides(further);
        Ok(Loaded::read(program, given, overrides, &self.data_dir())?)
    }

    /// All that is wrong or odd about the configuration of the image API.
    pub(super) fn check(&self, given: &[Given]) -> Vec<Finding> {
        Loaded::check(given, self.overrides(&[]), &self.data_dir())
    }

    fn overrides(&self, further: &[(&str, &str, String)]) -> Overrides {
        let mut overrides = Overrides::new();
        let mut set = |group: &str, name: &str, value: Option<String>| {
            if let Some(value) = value {
                overrides.insert((group.to_owned(), name.to_owned()), vec![value]);
            }
        };
        let flag = |yes: bool, no: bool| (yes || no).then(|| (yes && !no).to_string());
        set("DEFAULT", "debug", flag(self.debug, self.nodebug));
        set("DEFAULT", "verbose", flag(self.verbose, self.noverbose));
        set("DEFAULT", "log_file", self.log_file.clone());
        set("DEFAULT", "log_dir", self.log_dir.clone());
        set("DEFAULT", "log_config_append", self.log_config_append.clone());
        set("DEFAULT", "log_format", self.log_format.clone());
        set("DEFAULT", "log_date_format", self.log_date_format.clone());
        set("DEFAULT", "use_syslog", flag(self.use_syslog, self.nouse_syslog));
        set("DEFAULT", "use_journal", flag(self.use_journal, self.nouse_journal));
        set("DEFAULT", "use_json", flag(self.use_json, self.nouse_json));
        set("DEFAULT", "syslog_log_facility", self.syslog_log_facility.clone());
        for (group, name, value) in further {
            set(group, name, Some(value.clone()));
        }
        overrides
    }

    fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(default_data_dir)
    }
}

/// The common options that were typed in, in their order, as words for the command line of another program.
pub(super) fn words(matches: &ArgMatches) -> Vec<String> {
    let common = CommonOptions::augment_args(clap::Command::new("common"));
    let mut typed: Vec<(usize, String)> = Vec::new();
    for arg in common.get_arguments() {
        let (name, option) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        if matches.value_source(name) != Some(ValueSource::CommandLine) {
            continue;
        }
        let word = |value: &OsStr| match arg.get_action().takes_values() {
            true => format!("--{option}={}", value.to_string_lossy()),
            false => format!("--{option}"),
        };
        let values = matches.get_raw(name).into_iter().flatten().map(word);
        typed.extend(matches.indices_of(name).into_iter().flatten().zip(values));
    }
    in_order(typed)
}

/// Configuration files and directories in the order they were typed in.
fn given(matches: &ArgMatches) -> Vec<Given> {
    type Wrap = fn(PathBuf) -> Given;
    let kinds: [(&str, Wrap); 2] = [("config_file", Given::File), ("config_dir", Given::Dir)];
    let mut typed: Vec<(usize, Given)> = Vec::new();
    for (name, wrap) in kinds {
        let paths = matches.get_many::<PathBuf>(name).into_iter().flatten().cloned();
        typed.extend(matches.indices_of(name).into_iter().flatten().zip(paths.map(wrap)));
    }
    in_order(typed)
}

fn in_order<T>(mut typed: Vec<(usize, T)>) -> Vec<T> {
    typed.sort_by_key(|(index, _)| *index);
    typed.into_iter().map(|(_, item)| item).collect()
}

fn default_data_dir() -> PathBuf {
    std::env::home_dir().map_or_else(|| PathBuf::from("/var/lib/gander"), |home| home.join(".local/share/gander"))
}

/// The command line of one program: its own options `O` beside the common ones.
#[derive(Debug)]
pub(super) struct CommandLine<O> {
    pub(super) own: O,
    pub(super) common: CommonOptions,
    pub(super) given: Vec<Given>,
}

/// What holds for every program with a configuration.
const AFTER_HELP: &str = "\
Configuration:
  Without --config-file, glance.conf and the program's own file (glance-api.conf, glance-registry.conf,
  glance-scrubber.conf, glance-cache.conf, glance-manage.conf) are read, each from the first of ~/.glance, ~,
  /etc/glance, /etc and ./etc that has it; without --config-dir, the directories of these names ending in .d.
  The image API reads glance-image-import.conf before glance-api.conf, and both of OS_GLANCE_CONFIG_DIR if that is set.
  The command line wins over the environment (OS_<GROUP>__<OPTION>), the environment over the files.

Exit status:
  0    done
  1    failed; one line on standard error says why
  2    the command line was not understood
  255  default_store names no store (of programs that open stores)";

/// Parses a program's words, or says what to answer instead: help, the version, or a usage error.
pub(super) fn parse<O: Args>(
    name: &'static str,
    about: &'static str,
    words: &[String],
) -> Result<CommandLine<O>, ExitCode> {
    let command = clap::Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .arg(clap::Arg::new("version").long("version").action(ArgAction::Version).help("Print the version and exit"));
    // The sets of options bring a description of their own, so the program's comes last.
    let command = O::augment_args(CommonOptions::augment_args(command)).about(about).after_help(AFTER_HELP);
    let parsed = command.try_get_matches_from(std::iter::once(name).chain(words.iter().map(String::as_str)));
    let matches = parsed.map_err(|answer| {
        explain(&answer);
        ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2))
    })?;
    let usage = |error: clap::Error| {
        explain(&error);
        ExitCode::from(2)
    };
    Ok(CommandLine {
        own: O::from_arg_matches(&matches).map_err(usage)?,
        common: CommonOptions::from_arg_matches(&matches).map_err(usage)?,
        given: given(&matches),
    })
}

/// Runs a program: its words parsed, its outcome an exit code.
pub(super) fn run<O: Args>(
    name: &'static str,
    about: &'static str,
    words: &[String],
    work: impl FnOnce(CommandLine<O>) -> anyhow::Result<()>,
) -> ExitCode {
    match parse(name, about, words).map(work) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error),
        Err(answer) => answer,
    }
}

/// Starts logging.
pub(super) fn start_logging(loaded: &Loaded, program: &str) -> anyhow::Result<()> {
    let settings = loaded.logging(program)?;
    let log_config = loaded.log_config()?;
    log::init(&settings)?;
    if let Some(file) = log_config {
        let file = file.display();
        tracing::warn!("{file} is not interpreted: log_config_append has no effect in this release");
    }
    Ok(())
}

/// A failure as one line on standard error and in the log, if that is elsewhere; and its exit code.
pub(super) fn failed(error: &anyhow::Error) -> ExitCode {
    let line = error.to_string().replace('\n', " ");
    tracing::error!(target: log::TOLD_ON_STDERR, "{line}");
    if let Some(OpenError::UnknownDefault(_)) = error.downcast_ref() {
        complain(&line);
        return ExitCode::from(UNKNOWN_DEFAULT_STORE);
    }
    complain(&format!("ERROR: {line}"));
    ExitCode::FAILURE
}

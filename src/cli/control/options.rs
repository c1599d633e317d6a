//! The command line of `glance-control`: options anywhere, then server, command and configuration file.

use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::cli::common::{self, CommonOptions};

/// The servers, in the order in which `all` goes through them.
const SERVERS: [&str; 3] = ["glance-api", "glance-registry", "glance-scrubber"];

/// What the command line holds, before its words are understood.
#[derive(Debug, Parser)]
#[command(
    name = "glance-control",
    version,
    about = "Starts and stops the image servers: api, registry, scrubber or all of them",
    override_usage = "glance-control [options] <SERVER> <COMMAND> [CONFPATH]",
    after_help = "Commands: start, stop, shutdown, restart, reload, force-reload"
)]
pub(super) struct Options {
    /// File that holds the process id [default: /var/run/glance/SERVER.pid]
    #[arg(long, value_name = "PATH")]
    pub(super) pid_file: Option<PathBuf>,
    /// Wait up to that long for the server to die, and exit with its exit code
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(super) await_child: u64,
    /// Send the server's output to syslog instead of nowhere
    #[arg(long)]
    pub(super) capture_output: bool,
    /// Stay in the foreground and start the server again when it dies
    #[arg(long)]
    pub(super) respawn: bool,
    #[command(flatten)]
    common: CommonOptions,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Full names of the servers.
    pub(super) servers: Vec<&'static str>,
    /// What to do with each of them.
    pub(super) command: Command,
    /// Their configuration file, not yet looked for.
    pub(super) conf: Option<PathBuf>,
}

/// What can be done with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Start it in the background.
    Start,
    /// End it.
    Stop,
    /// Let it finish running requests, then end it.
    Shutdown,
    /// Stop and start.
    Restart,
    /// Shut down and start.
    Reload,
}

/// A command line that cannot be carried out. The texts are the reference's (v1-system §4 "errors").
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UsageError {
    /// Fewer than two words: the caller shows the usage.
    #[error("a server and a command are needed")]
    MissingWords,
    /// The first word names no server; holds the name with its `glance-`.
    #[error("Unknown server '{0}' specified. Please specify all, or one of the servers: api, registry, scrubber")]
    UnknownServer(String),
    /// The second word names no command.
    #[error(
        "Unknown command {0} specified. Please specify a command in this list: \
         start, stop, shutdown, restart, reload, force-reload"
    )]
    UnknownCommand(String),
    /// Two options that contradict each other: waiting for a death, and undoing it.
    #[error("--await-child and --respawn are mutually exclusive")]
    AwaitAndRespawn,
    /// Three servers cannot share a pid file: each would take the others for itself.
    #[error("--pid-file holds the process id of one server and cannot be used with all")]
    OnePidFileForAll,
}

impl Options {
    /// Reads the command line, and in it the common options as words for the servers: `glance-control` writes no log
    /// and reads no configuration of its own (v1-system §4).
    pub(super) fn read(args: &[String]) -> Result<(Self, Vec<String>), clap::Error> {
        let line = std::iter::once("glance-control").chain(args.iter().map(String::as_str));
        let matches = Self::command().try_get_matches_from(line)?;
        Ok((Self::from_arg_matches(&matches)?, common::words(&matches)))
    }

    /// Understands the words.
    pub(super) fn request(&self) -> Result<Request, UsageError> {
        if self.await_child > 0 && self.respawn {
            return Err(UsageError::AwaitAndRespawn);
        }
        let [server, command, rest @ ..] = self.words.as_slice() else { return Err(UsageError::MissingWords) };
        let servers = parse_servers(server)?;
        if servers.len() > 1 && self.pid_file.is_some() {
            return Err(UsageError::OnePidFileForAll);
        }
        Ok(Request { servers, command: parse_command(command)?, conf: rest.first().map(|path| Path::new(path).into()) })
    }
}

fn parse_servers(word: &str) -> Result<Vec<&'static str>, UsageError> {
    let mut name = word.to_lowercase();
    if name == "all" {
        return Ok(SERVERS.to_vec());
    }
    if !name.starts_with("glance-") {
        name.insert_str(0, "glance-");
    }
    match SERVERS.iter().find(|server| **server == name) {
        Some(server) => Ok(vec![server]),
        None => Err(UsageError::UnknownServer(name)),
    }
}

fn parse_command(word: &str) -> Result<Command, UsageError> {
    Ok(match word.to_lowercase().as_str() {
        "start" => Command::Start,
        "stop" => Command::Stop,
        "shutdown" => Command::Shutdown,
        "restart" => Command::Restart,
        "reload" | "force-reload" => Command::Reload,
        _ => return Err(UsageError::UnknownCommand(word.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Options, Vec<String>) {
        let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::read(&args).unwrap()
    }

    fn parse(line: &str) -> Options {
        read(line).0
    }

    #[test]
    fn options_may_stand_anywhere() {
        for line in ["--pid-file=/p api start c.conf --respawn", "api --respawn start --pid-file /p c.conf"] {
            let options = parse(line);
            assert_eq!(options.pid_file, Some(PathBuf::from("/p")));
            assert!(options.respawn);
            let wanted =
                Request { servers: vec!["glance-api"], command: Command::Start, conf: Some(PathBuf::from("c.conf")) };
            assert_eq!(options.request(), Ok(wanted));
        }
    }

    #[test]
    fn servers_are_known_with_and_without_prefix_in_any_case() {
        assert_eq!(parse_servers("GLANCE-Registry"), Ok(vec!["glance-registry"]));
        assert_eq!(parse_servers("all"), Ok(SERVERS.to_vec()));
        assert_eq!(
            parse_servers("foo").unwrap_err().to_string(),
            "Unknown server 'glance-foo' specified. Please specify all, or one of the servers: api, registry, scrubber"
        );
    }

    #[test]
    fn contradictions_are_refused() {
        assert_eq!(parse("api").request(), Err(UsageError::MissingWords));
        assert_eq!(parse("api foo").request(), Err(UsageError::UnknownCommand("foo".into())));
        assert_eq!(parse("api start --await-child 1 --respawn").request(), Err(UsageError::AwaitAndRespawn));
        assert_eq!(parse("all stop --pid-file x").request(), Err(UsageError::OnePidFileForAll));
    }

    #[test]
    fn common_options_are_handed_on_in_their_order() {
        let (_, words) = read("api start -d --log-file /l --config-dir b --config-file a --use-syslog --config-dir=c");
        let wanted =
            ["--debug", "--log-file=/l", "--config-dir=b", "--config-file=a", "--use-syslog", "--config-dir=c"];
        assert_eq!(words, wanted);
        assert_eq!(read("api start --log-config /c --data-dir /d").1, ["--log-config-append=/c", "--data-dir=/d"]);
        assert!(read("api start").1.is_empty());
    }
}

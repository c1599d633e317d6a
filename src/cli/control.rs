//! `glance-control`: starts, stops and watches over the servers of one node (v1-system §4).
//!
//! It knows servers only as processes with a pid file; what they do, and what their configuration means, is theirs.

mod options;
mod pid_file;
mod process;
mod respawn;
mod start;
mod stop;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use options::{Command, Options, Request, UsageError};
use pid_file::PidFile;
use process::Launch;
use start::{Daemon, Verb};

/// Runs `glance-control` with the words after the program name.
pub(crate) fn run(args: &[String]) -> ExitCode {
    if let Some((first, rest)) = args.split_first()
        && first == process::EXEC_SERVER
    {
        return process::become_server(rest);
    }
    let options =
        match Options::try_parse_from(std::iter::once("glance-control").chain(args.iter().map(String::as_str))) {
            Ok(options) => options,
            Err(answer) => {
                // Nothing is left to be said to a terminal that has gone away.
                let _ = answer.print();
                return exit_code(answer.exit_code());
            }
        };
    match options.request() {
        Ok(request) => carry_out(&options, &request),
        Err(UsageError::MissingWords) => {
            say(Options::command().render_help().to_string().trim_end());
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Does the request for each server in turn. The exit code is that of the last server that had trouble.
fn carry_out(options: &Options, request: &Request) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mut started = Vec::new();
    for &server in &request.servers {
        let pid_file = PidFile::new(options.pid_file.clone().unwrap_or_else(|| default_pid_file(server)));
        let launch = Launch {
            server,
            conf: request.conf.clone(),
            options: options.server_options.words(),
            capture_output: options.capture_output,
        };
        match carry_out_one(request.command, launch, pid_file) {
            Ok(daemon) => started.extend(daemon),
            Err(error) => {
                complain(&format!("{error:#}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    if options.respawn {
        respawn::supervise(started);
    } else if options.await_child > 0 {
        for daemon in started {
            if let Some(status) = daemon.await_death(std::time::Duration::from_secs(options.await_child)) {
                code = exit_code(status);
            }
        }
    }
    code
}

fn carry_out_one(command: Command, launch: Launch, pid_file: PidFile) -> anyhow::Result<Option<Daemon>> {
    let server = launch.server;
    match command {
        Command::Start => start::start(launch, pid_file, Verb::Start),
        Command::Stop => stop::stop(server, &pid_file, stop::TERMINATE).map(|()| None),
        Command::Shutdown => stop::stop(server, &pid_file, stop::DRAIN).map(|()| None),
        Command::Restart => {
            stop::stop(server, &pid_file, stop::TERMINATE)?;
            start::start(launch, pid_file, Verb::Restart)
        }
        Command::Reload => {
            stop::stop(server, &pid_file, stop::DRAIN)?;
            start::start(launch, pid_file, Verb::Restart)
        }
    }
}

fn default_pid_file(server: &str) -> PathBuf {
    PathBuf::from(format!("/var/run/glance/{server}.pid"))
}

/// The exit code a shell would see; what does not fit in eight bits counts as failure.
fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Prints one line for the user. Unlike `println!` it survives a reader that has gone away:
/// a respawning launcher outlives the terminal or the script that began it.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints one line on standard error, with the same patience as [`say`].
fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

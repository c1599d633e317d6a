//! `glance-control`: starts, stops and watches over the servers of one node (v1-system §4).
//!
//! It knows servers only as processes with a pid file; what they do, and what their configuration means, is theirs.

mod options;
mod pid_file;
mod process;
mod respawn;
mod start;
mod stop;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;

use super::terminal::{complain, explain, say};
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
    let (options, server_options) = match Options::read(args) {
        Ok(read) => read,
        Err(answer) => {
            explain(&answer);
            return exit_code(answer.exit_code());
        }
    };
    match options.request() {
        Ok(request) => carry_out(&options, &server_options, &request),
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
fn carry_out(options: &Options, server_options: &[String], request: &Request) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    let mut started = Vec::new();
    for &server in &request.servers {
        let pid_file = PidFile::new(options.pid_file.clone().unwrap_or_else(|| default_pid_file(server)));
        let launch = Launch {
            server,
            conf: request.conf.clone(),
            options: server_options.to_vec(),
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

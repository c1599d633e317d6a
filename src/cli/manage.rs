//! `glance-manage`: the configuration of its verbs.

mod verbs;

use std::process::ExitCode;

use clap::Args;

use super::common::{self, CommandLine};
use crate::config::Program;
use crate::server;

#[derive(Debug, Args)]
struct Options {
    /// SQLAlchemy URL of the database; wins over the configuration
    #[arg(long, value_name = "URL")]
    sql_connection: Option<String>,
    /// What to do: `db sync`, `db version`, `db check`, ...; `db --help` lists all
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs one verb.
pub(super) fn run(words: &[String]) -> ExitCode {
    let line: CommandLine<Options> = match common::parse("glance-manage", "Create and check the database.", words) {
        Ok(line) => line,
        Err(answer) => return answer,
    };
    let command = match verbs::parse(&line.own.command) {
        Ok(command) => command,
        Err(refused) => return refused.report(),
    };
    let work = || -> anyhow::Result<ExitCode> {
        let url = line.own.sql_connection.clone().map(|url| ("database", "connection", url));
        let loaded = line.common.load(Program::Manage, &line.given, url.as_slice())?;
        common::start_logging(&loaded, "glance-manage")?;
        loaded.report("glance-manage");
        let settings = loaded.database()?;
        Ok(server::runtime()?.block_on(verbs::run(command, &settings)))
    };
    work().unwrap_or_else(|error| common::failed(&error))
}

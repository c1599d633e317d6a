//! `gander policy`: tells the operator which rules hold, and what they say of a caller. Nothing is changed, and nothing
//! is logged.

mod asked;
mod check;
mod list;

use std::process::ExitCode;

use super::common::CommandLine;
use super::terminal::{complain, say};
use crate::config::{Loaded, Program};

/// Exit code of a command line that cannot be understood.
const BAD_USAGE: u8 = 2;

const HELP: &str = "\
Explain who may do what: the rules of policy of the image API (v2, and v1 where it is judged by the same).

Usage: gander policy list [OPTIONS]
       gander policy check [OPTIONS]

Commands:
  list   every rule in effect, where it comes from, and what is wrong with it
  check  which rules a caller passes, and why

See gander policy COMMAND --help";

/// Runs `gander policy` with the words after it.
pub(super) fn run(words: &[String]) -> ExitCode {
    let (word, rest) = words.split_first().map_or(("", words), |(word, rest)| (word.as_str(), rest));
    match word {
        "list" => list::run(rest),
        "check" => check::run(rest),
        "-h" | "--help" | "help" => {
            say(HELP);
            ExitCode::SUCCESS
        }
        "" => usage(HELP),
        unknown => usage(&format!("error: there is no command '{unknown}'; see gander policy --help")),
    }
}

fn usage(told: &str) -> ExitCode {
    complain(told);
    ExitCode::from(BAD_USAGE)
}

/// The configuration of the image API.
fn load<O>(line: &CommandLine<O>) -> anyhow::Result<Loaded> {
    line.common.load(Program::Api, &line.given, &[])
}

//! `gander config`: tells the operator what the image API makes of its configuration. Nothing is changed, opened or
//! logged.

mod check;
mod show;

use std::process::ExitCode;

use super::terminal::{complain, say};

/// Exit code of a command line that cannot be understood.
const BAD_USAGE: u8 = 2;

const HELP: &str = "\
Tell what the image API makes of its configuration. Nothing is started or changed.

Usage: gander config check [OPTIONS] [FILE]...
       gander config show [OPTIONS]

Commands:
  check  everything that is wrong or odd: bad values, options that nobody knows or that have no effect
  show   the values in effect, and where each of them comes from

See gander config COMMAND --help";

/// Runs `gander config` with the words after it.
pub(super) fn run(words: &[String]) -> ExitCode {
    let (word, rest) = words.split_first().map_or(("", words), |(word, rest)| (word.as_str(), rest));
    match word {
        "check" => check::run(rest),
        "show" => show::run(rest),
        "-h" | "--help" | "help" => {
            say(HELP);
            ExitCode::SUCCESS
        }
        "" => usage(HELP),
        unknown => usage(&format!("error: there is no command '{unknown}'; see gander config --help")),
    }
}

fn usage(told: &str) -> ExitCode {
    complain(told);
    ExitCode::from(BAD_USAGE)
}

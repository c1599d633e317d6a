//! `gander config check`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use osloconf::Given;

use crate::cli::common::{self, CommandLine};
use crate::cli::terminal::say;
use crate::config::{Finding, Severity};

const ABOUT: &str = "Read the configuration as the image API would, and tell all that is wrong or odd, one line for \
                     each: 'PLACE: error|warning: [GROUP] OPTION: WHAT', where the place is FILE:LINE if it is in a \
                     file. Fails (exit status 1) if there is an error, with which the image API would not start. \
                     Nothing is started or changed; whether Keystone, the database or a directory can be \
                     reached is not looked at.";

#[derive(Debug, Args)]
struct Options {
    /// Configuration file, as --config-file
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Prints what is found.
pub(super) fn run(words: &[String]) -> ExitCode {
    common::parse("gander config check", ABOUT, words).map_or_else(|answer| answer, |line| check(&line))
}

fn check(line: &CommandLine<Options>) -> ExitCode {
    let files = line.own.files.iter().cloned().map(Given::File);
    let given: Vec<Given> = files.chain(line.given.iter().cloned()).collect();
    let findings = line.common.check(&given);
    for finding in &findings {
        say(&told(finding));
    }
    match findings.iter().any(|finding| finding.severity == Severity::Error) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// One line, whatever is in a value.
fn told(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{place}{}: {}", finding.severity, finding.told()).replace('\n', " ")
}

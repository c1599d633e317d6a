//! Words for whoever runs a program. Unlike `println!` these survive a reader that has gone away: a respawning launcher
//! outlives the terminal or the script that began it, and nobody is left to be told.

use std::io::Write;

/// Prints one line, or several, on standard output.
pub(super) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints one line on standard error.
pub(super) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints what the command line parser has to say, help or a fault, where it belongs.
pub(super) fn explain(answer: &clap::Error) {
    let _ = answer.print();
}

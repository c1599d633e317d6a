//! `gander policy list`

use std::fmt::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use osloconf::mask_passwords;
use serde_json::{Value, json};

use super::load;
use crate::cli::common;
use crate::cli::terminal::say;
use crate::policy::Listed;

const ABOUT: &str = "List every rule of the image API in effect, where it comes from, and what is wrong with it.";
const BUILT_IN: &str = "built-in";

#[derive(Debug, Args)]
struct Options {
    /// Form of the list
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Lines of text, and below a rule what is to be known about it
    Table,
    /// A list of objects: name, file (null: built-in), check, known (the API asks for it), faults
    Json,
}

/// Prints the rules.
pub(super) fn run(words: &[String]) -> ExitCode {
    common::run("gander policy list", ABOUT, words, |line: common::CommandLine<Options>| {
        let rules = load(&line)?.policy()?.list()?;
        let text = match line.own.format {
            Format::Table => table(&rules),
            Format::Json => format!("{:#}", rules.iter().map(object).collect::<Value>()),
        };
        // Rules may ask other servers, with a password.
        say(&mask_passwords(&text));
        Ok(())
    })
}

fn object(rule: &Listed) -> Value {
    let file = rule.file.as_ref().map(|file| file.display().to_string());
    json!({"name": rule.name, "file": file, "check": rule.check, "known": rule.known, "faults": rule.faults})
}

fn table(rules: &[Listed]) -> String {
    let from = |rule: &Listed| rule.file.as_ref().map_or(BUILT_IN.to_owned(), |file| file.display().to_string());
    let widest = |width: &dyn Fn(&Listed) -> usize| rules.iter().map(width).max().unwrap_or(0);
    let name_width = widest(&|rule| rule.name.chars().count());
    let from_width = widest(&|rule| from(rule).chars().count());
    let mut out = format!("{:name_width$}  {:from_width$}  CHECK", "RULE", "FROM");
    for rule in rules {
        // A rule may have been written on several lines.
        let words: Vec<&str> = rule.check.split_whitespace().collect();
        let check = if words.is_empty() { "\"\"".to_owned() } else { words.join(" ") };
        let _ = write!(out, "\n{:name_width$}  {:from_width$}  {check}", rule.name, from(rule));
        for fault in &rule.faults {
            let _ = write!(out, "\n  fault: {fault}");
        }
        if !rule.known {
            out.push_str("\n  note: only other rules can ask for it, or property protections; the image API does not");
        }
    }
    out
}

//! `gander policy check`, which answers as `oslopolicy-checker` does.

use std::process::ExitCode;

use clap::Args;
use osloconf::mask_passwords;
use oslopolicy::{Explanation, Outcome};

use super::asked::Asked;
use super::{load, usage};
use crate::cli::common::{self, CommandLine};
use crate::cli::terminal::say;
use crate::policy::{Checked, Listed};
use crate::server;

const ABOUT: &str = "Tell which rules of the image API a caller passes: one line for each, 'passed: RULE' or \
                     'failed: RULE'. Fails (exit status 1) if a rule that --rule names does not pass.";

#[derive(Debug, Args)]
struct Options {
    /// Rule to check; may be given several times; all if none is
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
    #[command(flatten)]
    asked: Asked,
    /// Tell below each rule where it comes from, and which part of it passed or failed
    #[arg(long)]
    explain: bool,
}

/// Prints what comes of the rules.
pub(super) fn run(words: &[String]) -> ExitCode {
    match common::parse("gander policy check", ABOUT, words).map(|line| check(&line)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => common::failed(&error),
        Err(answer) => answer,
    }
}

fn check(line: &CommandLine<Options>) -> anyhow::Result<ExitCode> {
    let options = &line.own;
    let loaded = load(line)?;
    let policy = loaded.policy()?;
    let rules = policy.list()?;
    // The server would ask the default rule, which lets everybody pass: a slip of the pen must not look like that.
    if let Some(unknown) = options.rule.iter().find(|name| rules.iter().all(|rule| rule.name != **name)) {
        return Ok(usage(&format!("error: there is no rule '{unknown}'; see gander policy list")));
    }
    let ctx = options.asked.caller(loaded.stranger()?)?;
    let target = options.asked.target(&ctx)?;
    let runtime = server::runtime()?;
    let mut all_passed = true;
    for rule in rules.iter().filter(|rule| options.rule.is_empty() || options.rule.contains(&rule.name)) {
        let checked = runtime.block_on(policy.check(&ctx, &rule.name, &target))?;
        all_passed &= checked.passed;
        say(&format!("{}: {}", if checked.passed { "passed" } else { "failed" }, rule.name));
        if options.explain {
            explain(rule, &checked);
        }
    }
    let code = if all_passed || options.rule.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    Ok(code)
}

fn explain(rule: &Listed, checked: &Checked) {
    let check = if rule.check.is_empty() { "\"\"" } else { &rule.check };
    // It may ask another server, with a password.
    say(&mask_passwords(&format!("  check: {check}")));
    match &rule.file {
        None => say("  from: built-in"),
        Some(file) => say(&format!("  from: {}", file.display())),
    }
    for part in &checked.explanation.parts {
        parts(part, 1);
    }
    if let Some(barred) = checked.barred {
        say(&format!("  failed: {barred}"));
    }
}

fn parts(part: &Explanation, depth: usize) {
    let outcome = match part.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Fault => "fault",
    };
    let note = part.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    say(&mask_passwords(&format!("{}{outcome}: {}{note}", "  ".repeat(depth), part.check)));
    for inner in &part.parts {
        parts(inner, depth + 1);
    }
}

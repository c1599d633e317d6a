//! `gander config show`

use std::fmt::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use osloconf::{Dumped, Origin};
use serde_json::{Value, json};

use crate::cli::common::{self, CommandLine};
use crate::cli::terminal::say;
use crate::config::Program;

const ABOUT: &str = "Show the values that the image API would work with, each with where it comes from: the command \
                     line, the environment, a line of a file, or its default. Secrets are shown as ****, and so are \
                     passwords inside URLs.";

#[derive(Debug, Args)]
struct Options {
    /// Show every option that there is, also those that nobody has set
    #[arg(long)]
    all: bool,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "ini")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// As in a configuration file; above each value, behind a #, where it comes from
    Ini,
    /// A list of objects: group, name, values (each value, from, and file and line if it is from a file), ignored
    /// (why it has no effect; null: it has one)
    Json,
}

/// Prints the values.
pub(super) fn run(words: &[String]) -> ExitCode {
    common::run("gander config show", ABOUT, words, |line: CommandLine<Options>| {
        let loaded = line.common.load(Program::Api, &line.given, &[])?;
        let mut options = loaded.effective();
        if !line.own.all {
            options.retain(|option| option.values.iter().any(|(_, origin)| *origin != Origin::Default));
        }
        options.sort_by_key(|option| (option.group != "DEFAULT", option.group, option.name));
        match line.own.format {
            Format::Ini => say(ini(&options).trim_end()),
            Format::Json => say(&format!("{:#}", options.iter().map(object).collect::<Value>())),
        }
        Ok(())
    })
}

fn ini(options: &[Dumped]) -> String {
    let mut out = String::new();
    let mut group = "";
    for option in options {
        if group != option.group {
            group = option.group;
            let _ = writeln!(out, "[{group}]");
        }
        if let Some(why) = option.ignored {
            let _ = writeln!(out, "# has no effect: {why}");
        }
        if option.values.is_empty() {
            let _ = writeln!(out, "# not set\n# {} =", option.name);
        }
        for (value, origin) in &option.values {
            // What goes on below a value is indented there.
            let value = value.replace('\n', "\n    ");
            let _ = writeln!(out, "# from {origin}\n{} = {value}", option.name);
        }
        out.push('\n');
    }
    out
}

fn object(option: &Dumped) -> Value {
    let values: Vec<Value> = option.values.iter().map(|(value, origin)| placed(value, origin)).collect();
    json!({"group": option.group, "name": option.name, "values": values, "ignored": option.ignored})
}

fn placed(value: &str, origin: &Origin) -> Value {
    match origin {
        Origin::CommandLine => json!({"value": value, "from": "command line"}),
        Origin::Environment(name) => json!({"value": value, "from": "environment", "variable": name}),
        Origin::File { path, line } => {
            json!({"value": value, "from": "file", "file": path.display().to_string(), "line": line})
        }
        Origin::Named(place) => json!({"value": value, "from": place}),
        Origin::Default => json!({"value": value, "from": "default"}),
    }
}

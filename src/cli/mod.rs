//! The programs: one executable that takes the name it is called by, or its first word, for the program to be.

// They panic when nobody reads any more; `terminal` does not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod api;
mod assemble;
mod cache_manage;
mod cache_tools;
mod common;
mod config;
mod control;
mod manage;
mod policy;
mod registry;
mod scrubber;
mod terminal;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use terminal::{complain, say};

/// A program of the field, and what it is for.
struct Entry {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> ExitCode,
}

const PROGRAMS: [Entry; 13] = [
    Entry { name: "api", about: "serve the image API (what gander does by default)", run: api::run },
    Entry { name: "registry", about: "serve image metadata to API servers that have no database", run: registry::run },
    Entry { name: "control", about: "start, stop, restart and reload the servers", run: control::run },
    Entry { name: "scrubber", about: "remove the data of images whose delayed delete is due", run: scrubber::run },
    Entry { name: "manage", about: "create and check the database", run: manage::run },
    Entry { name: "cache-manage", about: "look into the image cache of a running server", run: cache_manage::run },
    Entry { name: "cache-prefetcher", about: "fetch the queued images into the cache", run: cache_tools::prefetcher },
    Entry { name: "cache-pruner", about: "shrink the cache to its configured size", run: cache_tools::pruner },
    Entry { name: "cache-cleaner", about: "remove what failed and abandoned fills left", run: cache_tools::cleaner },
    Entry { name: "cache", about: "verify what is cached (gander cache verify)", run: cache_tools::cache },
    Entry { name: "cache-queue-image", about: "queue images for the cache", run: cache_tools::queue_image },
    Entry {
        name: "policy",
        about: "explain who may do what (gander policy list, gander policy check)",
        run: policy::run,
    },
    Entry {
        name: "config",
        about: "check and explain the configuration (gander config check, gander config show)",
        run: config::run,
    },
];

/// Runs the program that the command line names.
pub(crate) fn main() -> ExitCode {
    let words: Option<Vec<String>> = std::env::args_os().map(|word| OsString::into_string(word).ok()).collect();
    let Some(words) = words else {
        complain("ERROR: a word of the command line is not valid UTF-8");
        return ExitCode::FAILURE;
    };
    let called = words.first().map_or("", |word| file_name(word));
    if let Some(entry) = called.strip_prefix("glance-").and_then(find) {
        return (entry.run)(words.get(1..).unwrap_or_default());
    }
    match words.get(1).map(String::as_str) {
        None => api::run(&[]),
        Some("-h" | "--help" | "help") => help(),
        Some("-V" | "--version") => {
            say(concat!("gander ", env!("CARGO_PKG_VERSION")));
            ExitCode::SUCCESS
        }
        Some(word) => match find(word.strip_prefix("glance-").unwrap_or(word)) {
            Some(entry) => (entry.run)(words.get(2..).unwrap_or_default()),
            None if word.starts_with('-') => api::run(words.get(1..).unwrap_or_default()),
            None => {
                complain(&format!("gander: there is no program '{word}'; see gander --help"));
                ExitCode::FAILURE
            }
        },
    }
}

fn find(name: &str) -> Option<&'static Entry> {
    PROGRAMS.iter().find(|entry| entry.name == name)
}

fn file_name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or("")
}

fn help() -> ExitCode {
    say("NAME\n    gander - an image service that speaks Glance's API, with a transparent node-local cache\n\n\
         SYNOPSIS\n    gander [PROGRAM] [OPTIONS]\n\n\
         DESCRIPTION\n    Without a program and without a configuration file, serves the image API on 127.0.0.1:9292\n    \
         with everything below one data directory: SQLite, files, the image cache and its management,\n    \
         and no identity service (whoever can connect is admin). Called by the name of a program of the\n    \
         field (glance-api, glance-control, ...), gander is that program.\n\nPROGRAMS");
    for entry in &PROGRAMS {
        say(&format!("    {:<18}{}", entry.name, entry.about));
    }
    say("\nSEE ALSO\n    gander PROGRAM --help");
    ExitCode::SUCCESS
}

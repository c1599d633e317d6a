//! `glance-cache-manage`: looks at and tends the image cache of one API node, over its REST interface (v1-cache §11.2).
//!
//! It never touches the cache directory: only the node that owns it does.

mod api;
mod commands;
mod table;

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory, Parser};

use api::{ApiError, CacheApi};
use commands::{Command, Session};

use super::terminal::{self, complain};

/// What the command line holds. Options may stand before, between and after the words.
#[derive(Debug, Parser)]
#[command(
    name = "glance-cache-manage",
    version,
    about = "Looks at and tends the image cache of an API node",
    override_usage = "glance-cache-manage <command> [options] [args]",
    after_help = commands::OVERVIEW
)]
struct Options {
    /// Print more verbose output
    #[arg(short, long)]
    verbose: bool,
    /// Print the whole story of an error
    #[arg(short, long)]
    debug: bool,
    /// Address of the Glance API host; one that holds `https` is spoken to over TLS
    #[arg(short = 'H', long, value_name = "ADDRESS", default_value = "0.0.0.0")]
    host: String,
    /// Port the Glance API host listens on
    #[arg(short, long, value_name = "PORT", default_value_t = 9292)]
    port: u16,
    /// Accept any certificate of the API host
    #[arg(short = 'k', long)]
    insecure: bool,
    /// Authentication token to identify with; without it that of the environment variable OS_TOKEN
    #[arg(short = 'A', long = "auth_token", visible_alias = "os-auth-token", value_name = "TOKEN")]
    auth_token: Option<String>,
    /// Do not ask before changing anything
    #[arg(short, long)]
    force: bool,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Runs `glance-cache-manage` with the words after the program name.
pub(crate) fn run(args: &[String]) -> ExitCode {
    let words = std::iter::once("glance-cache-manage").chain(args.iter().map(String::as_str));
    let options = match Options::try_parse_from(words) {
        Ok(options) => options,
        Err(answer) => {
            terminal::explain(&answer);
            return u8::try_from(answer.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let (input, mut out) = (std::io::stdin().lock(), std::io::stdout().lock());
    match answer(&options, input, &mut out) {
        Ok(code) => code,
        // Standard output has gone away, and with it whoever wanted to know.
        Err(_) => ExitCode::FAILURE,
    }
}

/// Understands the words and does what they say. Fails only if the output cannot be written.
fn answer(options: &Options, input: impl BufRead, out: &mut impl Write) -> std::io::Result<ExitCode> {
    let usage = || Options::command().render_help();
    let Some((word, args)) = options.words.split_first() else {
        write!(out, "{}", usage())?;
        return Ok(ExitCode::SUCCESS);
    };
    let (word, help) = match (word.as_str(), args) {
        ("help", [word]) => (word.as_str(), true),
        ("help", _) => {
            complain("Please specify a command");
            return Ok(ExitCode::FAILURE);
        }
        (word, _) => (word, false),
    };
    let Some(command) = Command::named(word) else {
        write!(out, "{}", usage())?;
        complain(&format!("Unknown command: {word}"));
        return Ok(ExitCode::FAILURE);
    };
    if help {
        writeln!(out, "{}", command.help())?;
        return Ok(ExitCode::SUCCESS);
    }
    carry_out(options, command, args.first().map(String::as_str), input, out)
}

/// Carries a command out and says what went wrong, in the words of v1-cache §11.2.
fn carry_out(
    options: &Options,
    command: Command,
    id: Option<&str>,
    input: impl BufRead,
    out: &mut impl Write,
) -> std::io::Result<ExitCode> {
    let begun = Instant::now();
    if command.needs_id() && id.is_none() {
        writeln!(out, "Please specify the ID of the image you wish to {} ", command.verb())?;
        writeln!(out, "from the cache as the first argument")?;
        return Ok(ExitCode::FAILURE);
    }
    let token = options.auth_token.clone().or_else(|| std::env::var("OS_TOKEN").ok());
    let done = match CacheApi::new(&options.host, options.port, token, options.insecure) {
        Ok(api) => {
            let mut session = Session { api, input, out: &mut *out, verbose: options.verbose, force: options.force };
            session.carry_out(command, id.unwrap_or_default())?
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => {
            if options.verbose {
                writeln!(out, "Completed in {:.4} sec.", begun.elapsed().as_secs_f64())?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        Err(ApiError::NotEnabled) => {
            writeln!(out, "Cache management middleware not enabled on host {}", options.host)?;
        }
        Err(ApiError::NotAuthorized) => {
            let hint = "Check your credentials (OS_AUTH_USER, OS_AUTH_KEY, ...).";
            writeln!(out, "Not authorized to make this request. {hint}")?;
        }
        Err(error) => {
            writeln!(out, "Failed to {}. Got error:\n{}", command.action(), error.to_string().trim_end())?;
            if options.debug {
                complain(&format!("{error:?}"));
            }
        }
    }
    Ok(ExitCode::FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> (bool, String) {
        let words = std::iter::once("glance-cache-manage").chain(line.split_whitespace());
        let options = Options::try_parse_from(words).unwrap();
        let mut out = Vec::new();
        let code = answer(&options, std::io::empty(), &mut out).unwrap();
        (code == ExitCode::SUCCESS, String::from_utf8(out).unwrap())
    }

    #[test]
    fn without_a_command_there_is_usage() {
        for line in ["", "-v"] {
            let (fine, text) = told(line);
            assert!(fine && text.contains("Usage: glance-cache-manage <command> [options] [args]"), "{text}");
            assert!(text.contains("list-cached") && text.contains("--auth_token"), "{text}");
        }
    }

    #[test]
    fn unknown_commands_are_refused() {
        for line in ["clean", "help", "help clean", "help list-cached list-queued"] {
            assert!(!told(line).0, "{line}");
        }
    }

    #[test]
    fn help_explains_a_command() {
        assert_eq!(told("-v help list-cached"), (true, format!("{}\n", Command::ListCached.help())));
    }

    #[test]
    fn an_id_is_asked_for() {
        let end = "\nfrom the cache as the first argument\n";
        assert_eq!(
            told("queue-image -f"),
            (false, format!("Please specify the ID of the image you wish to queue {end}"))
        );
        assert_eq!(
            told("delete-queued-image"),
            (false, format!("Please specify the ID of the image you wish to delete {end}"))
        );
    }

    #[test]
    fn a_refused_change_reaches_no_server() {
        let (fine, text) = told("--port 1 delete-all-cached-images");
        assert!(fine);
        assert_eq!(text, "Delete all cached images? [y/N] ");
    }

    #[test]
    fn an_unreachable_server_is_named() {
        let (fine, text) = told("-H 127.0.0.1 -p 1 list-cached");
        assert!(!fine);
        let wanted = "Failed to show cached images. Got error:\n\
                      Failed to connect to the Glance API server 127.0.0.1:1. Is the server running?\n";
        assert_eq!(text, wanted);
    }
}

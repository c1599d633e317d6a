//! SQLAlchemy URLs (database §9): which server or file, with which driver options.

mod mysql;
mod pem;
mod postgres;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use url::Url;

/// Why a URL names no database. Never holds the URL, which may hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("[database] connection: {0}")]
pub(crate) struct BadUrl(pub(super) String);

impl BadUrl {
    /// The same without the option's name.
    pub(crate) fn reason(&self) -> String {
        self.0.clone()
    }
}

/// What a URL names.
#[derive(Debug)]
pub(super) enum Target {
    /// A database that lives and dies with the process.
    Memory,
    /// A SQLite file.
    File(PathBuf),
    /// A PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
    /// A MySQL or MariaDB server.
    Mysql(Box<MySqlConnectOptions>),
}

/// Reads a URL.
pub(super) fn parse(text: &str) -> Result<Target, BadUrl> {
    let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("it is not of the form dialect://…"))?;
    match scheme.split('+').next() {
        Some("sqlite") => sqlite(rest),
        Some("postgresql" | "postgres") => {
            postgres::options(&server(text)?).map(|options| Target::Postgres(Box::new(options)))
        }
        Some("mysql" | "mariadb") => mysql::options(&server(text)?).map(|options| Target::Mysql(Box::new(options))),
        _ => Err(bad(&format!("unknown dialect '{scheme}'; known are sqlite, mysql and postgresql"))),
    }
}

fn bad(reason: &str) -> BadUrl {
    BadUrl(reason.to_owned())
}

/// SQLAlchemy reads what follows `sqlite:///` literally: no percent-encoding, a fourth slash makes it absolute.
fn sqlite(rest: &str) -> Result<Target, BadUrl> {
    let path = rest.split('?').next().unwrap_or_default();
    match path {
        "" | "/" | "/:memory:" => Ok(Target::Memory),
        _ => path
            .strip_prefix('/')
            .map(|file| Target::File(PathBuf::from(file)))
            .ok_or_else(|| bad("SQLite takes no host: write sqlite:///relative/path or sqlite:////absolute/path")),
    }
}

fn server(text: &str) -> Result<Url, BadUrl> {
    // SQLAlchemy takes a user without a host, where the host is said otherwise or is this one.
    let no_host =
        text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).filter(|(who, _)| who.ends_with('@'));
    let text = if no_host.is_some() { text.replacen("@/", "@localhost/", 1) } else { text.to_owned() };
    let url = Url::parse(&text)
        .map_err(|error| bad(&format!("{error} (are special characters of the password percent-encoded?)")))?;
    if url.fragment().is_some() {
        return Err(bad("a '#' must be percent-encoded"));
    }
    Ok(url)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn database(url: &Url) -> Result<String, BadUrl> {
    match url.path().trim_start_matches('/') {
        "" => Err(bad("it names no database")),
        name => Ok(decoded(name)),
    }
}

/// What a URL says of encryption, to be told to whoever finds that the server is not reached so: `sslmode=require`.
pub(super) fn encryption(text: &str) -> String {
    let Ok(url) = server(text) else { return String::new() };
    let said = url.query_pairs().filter(|(name, _)| name.starts_with("ssl") && !name.contains("password"));
    said.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}

/// Yes or no, as the URL spells it.
fn switch(name: &str, value: &str) -> Result<bool, BadUrl> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(bad(&format!("{name} is true or false, and not '{value}'"))),
    }
}

/// A parameter that no driver of Python's would take either. Its name is told unless it may be a part of a password.
fn unknown(name: &str) -> BadUrl {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        bad(&format!("unknown parameter '{name}'"))
    } else {
        bad("a parameter has a name that none has (are special characters of the password percent-encoded?)")
    }
}

/// A parameter that would have to be obeyed, and cannot be.
fn impossible(name: &str, instead: &str) -> BadUrl {
    bad(&format!("{name} is not possible here: {instead}"))
}

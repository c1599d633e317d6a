//! SQLAlchemy URLs (database §9): which server or file, with which driver options.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
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
        Some("postgresql" | "postgres") => postgres(&server(text)?).map(|options| Target::Postgres(Box::new(options))),
        Some("mysql" | "mariadb") => mysql(&server(text)?).map(|options| Target::Mysql(Box::new(options))),
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

fn postgres(url: &Url) -> Result<PgConnectOptions, BadUrl> {
    let mut options = PgConnectOptions::new_without_pgpass().database(&database(url)?);
    if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
        options = options.host(host.trim_matches(['[', ']']));
    }
    if let Some(port) = url.port() {
        options = options.port(port);
    }
    if !url.username().is_empty() {
        options = options.username(&decoded(url.username()));
    }
    if let Some(password) = url.password() {
        options = options.password(&decoded(password));
    }
    for (name, value) in url.query_pairs() {
        options = match name.as_ref() {
            "host" if value.starts_with('/') => options.socket(value.as_ref()),
            "host" => options.host(&value),
            "port" => options.port(value.parse().map_err(|_| bad(&format!("'{value}' is no port")))?),
            "sslmode" => {
                options.ssl_mode(value.parse::<PgSslMode>().map_err(|_| bad(&format!("unknown sslmode '{value}'")))?)
            }
            "sslrootcert" => options.ssl_root_cert(value.as_ref()),
            "sslcert" => options.ssl_client_cert(value.as_ref()),
            "sslkey" => options.ssl_client_key(value.as_ref()),
            _ => ignored(&name, options),
        };
    }
    Ok(options)
}

fn mysql(url: &Url) -> Result<MySqlConnectOptions, BadUrl> {
    let mut options = MySqlConnectOptions::new().database(&database(url)?);
    if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
        options = options.host(host.trim_matches(['[', ']']));
    }
    if let Some(port) = url.port() {
        options = options.port(port);
    }
    if !url.username().is_empty() {
        options = options.username(&decoded(url.username()));
    }
    if let Some(password) = url.password() {
        options = options.password(&decoded(password));
    }
    for (name, value) in url.query_pairs() {
        let wanted = value.eq_ignore_ascii_case("true") || value == "1";
        options = match name.as_ref() {
            "unix_socket" => options.socket(value.as_ref()),
            "ssl_ca" => options.ssl_ca(value.as_ref()).ssl_mode(MySqlSslMode::VerifyCa),
            "ssl_cert" => options.ssl_client_cert(value.as_ref()),
            "ssl_key" => options.ssl_client_key(value.as_ref()),
            "ssl_verify_cert" if wanted => options.ssl_mode(MySqlSslMode::VerifyCa),
            "ssl_verify_identity" if wanted => options.ssl_mode(MySqlSslMode::VerifyIdentity),
            "ssl_disabled" if wanted => options.ssl_mode(MySqlSslMode::Disabled),
            // Text is exchanged in the full UTF-8, whatever subset the URL names: the rows hold three-byte text only.
            "charset" => options,
            _ => ignored(&name, options),
        };
    }
    Ok(options)
}

/// Parameters of Python drivers and SQLAlchemy plugins mean nothing here.
fn ignored<T>(name: &str, options: T) -> T {
    tracing::debug!(parameter = name, "parameter of the database URL ignored");
    options
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Target, parse};

    #[test]
    fn sqlite_urls_name_files_or_memory() {
        for text in ["sqlite://", "sqlite:///", "sqlite:///:memory:"] {
            assert!(matches!(parse(text), Ok(Target::Memory)), "{text}");
        }
        let file = |text: &str| match parse(text) {
            Ok(Target::File(path)) => path,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(file("sqlite:///tests.sqlite"), Path::new("tests.sqlite"));
        assert_eq!(file("sqlite:////var/lib/a b%20.db?timeout=3"), Path::new("/var/lib/a b%20.db"));
    }

    #[test]
    fn server_urls_are_decoded() {
        let Ok(Target::Mysql(options)) = parse("mysql+pymysql://gl%40nce:s%2Fcret@db.example:3307/glance?charset=utf8")
        else {
            panic!("not MySQL");
        };
        assert_eq!((options.get_host(), options.get_port()), ("db.example", 3307));
        assert_eq!((options.get_username(), options.get_database()), ("gl@nce", Some("glance")));
        let Ok(Target::Postgres(options)) = parse("postgresql+psycopg2://u:p@[::1]/glance?sslmode=disable") else {
            panic!("not PostgreSQL");
        };
        assert_eq!((options.get_host(), options.get_database()), ("::1", Some("glance")));
        let Ok(Target::Postgres(options)) = parse("postgresql://u:p@/glance?host=/run/postgresql&port=5433") else {
            panic!("not PostgreSQL");
        };
        assert_eq!(options.get_socket().map(|path| path.as_path()), Some(Path::new("/run/postgresql")));
        assert_eq!((options.get_port(), options.get_username()), (5433, "u"));
        let Ok(Target::Mysql(options)) = parse("mysql://u:p@h/glance?ssl_ca=/etc/a@/ca.pem") else {
            panic!("not MySQL")
        };
        assert_eq!((options.get_host(), options.get_port()), ("h", 3306));
    }

    #[test]
    fn bad_urls_are_refused_without_their_password() {
        for text in [
            "",
            "glance.db",
            "oracle://u:secret@h/db",
            "sqlite://secret@host/x",
            "mysql://u:secret@host",
            "mysql://u:secret#x@host/db",
            "postgresql://u:secret@host:port/db",
            "postgresql://u:secret@host/db?sslmode=maybe",
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.starts_with("[database] connection: ") && !error.contains("secret"), "{error}");
        }
    }
}

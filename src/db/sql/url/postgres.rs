//! What URLs of PostgreSQL may say, in the words of libpq, which both of Python's drivers pass on to it.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::{BadUrl, bad, database, decoded, impossible, pem, unknown};

/// What libpq takes and has no meaning here: how long it waits (here as long as an attempt at an operation may take), how
/// it exchanges text, how it would compress, what it does with further hosts, and what SQLAlchemy hangs onto it.
const MEANINGLESS: [&str; 18] = [
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "plugin",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcompression",
    "sslnegotiation",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// What a URL says of encryption.
#[derive(Debug, Default)]
struct Encryption {
    mode: Option<PgSslMode>,
    rootcert: Option<String>,
    system: bool,
    cert: Option<String>,
    key: Option<String>,
}

/// Reads a URL.
pub(super) fn options(url: &Url) -> Result<PgConnectOptions, BadUrl> {
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
    let mut encryption = Encryption::default();
    let mut hosts = 0;
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "host" => {
                hosts += 1 + value.matches(',').count();
                options = if value.starts_with('/') { options.socket(value.as_ref()) } else { options.host(&value) };
            }
            "port" => options = options.port(value.parse().map_err(|_| bad(&format!("'{value}' is no port")))?),
            "user" => options = options.username(&value),
            "password" => options = options.password(&value),
            "application_name" => options = options.application_name(&value),
            "channel_binding" | "gssencmode" if value == "require" => return Err(impossible(&name, "use sslmode")),
            "channel_binding" | "gssencmode" => {}
            "options" => return Err(impossible(&name, "set such things for the role, by ALTER ROLE")),
            other if MEANINGLESS.contains(&other) => tracing::debug!(parameter = other, "a driver's parameter ignored"),
            other if other.starts_with("ssl") => encryption.read(other, &value)?,
            other => return Err(unknown(other)),
        }
    }
    if hosts > 1 {
        return Err(bad("it names several hosts; put an address that moves with the database before them"));
    }
    encryption.of(options)
}

impl Encryption {
    fn read(&mut self, name: &str, value: &str) -> Result<(), BadUrl> {
        match name {
            "sslmode" => self.mode = Some(value.parse().map_err(|_| bad(&format!("unknown sslmode '{value}'")))?),
            "sslrootcert" if value == "system" => {
                self.system = true;
                self.rootcert = Some(pem::of_the_system(name)?);
            }
            "sslrootcert" => self.rootcert = Some(pem::certificates(name, value)?),
            "sslcert" => self.cert = Some(pem::certificates(name, value)?),
            "sslkey" => self.key = Some(pem::key(name, value)?),
            "sslcrl" | "sslcrldir" => return Err(impossible(name, "revoked certificates are not looked up")),
            "sslpassword" => return Err(impossible(name, "the key must need no password")),
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// libpq's own rules: who names an authority and wants encryption wants it to be asked, and the system's authorities
    /// sign for everybody, so that the server's name must be looked at.
    fn mode(&self, default: PgSslMode) -> Result<PgSslMode, BadUrl> {
        let mode = self.mode.unwrap_or(if self.system { PgSslMode::VerifyFull } else { default });
        Ok(match mode {
            PgSslMode::VerifyFull if self.rootcert.is_none() => {
                return Err(bad("sslmode=verify-full needs sslrootcert (sslrootcert=system: what this system trusts)"));
            }
            PgSslMode::VerifyFull => mode,
            _ if self.system => return Err(bad("sslrootcert=system is possible with sslmode=verify-full only")),
            PgSslMode::VerifyCa if self.rootcert.is_none() => return Err(bad("sslmode=verify-ca needs sslrootcert")),
            PgSslMode::Require if self.rootcert.is_some() => PgSslMode::VerifyCa,
            // Without encryption if need be. The driver knows no other order of the two attempts.
            PgSslMode::Allow => PgSslMode::Prefer,
            _ => mode,
        })
    }

    fn of(self, options: PgConnectOptions) -> Result<PgConnectOptions, BadUrl> {
        // What nobody says is the driver's default, which libpq's variables of the environment may have changed.
        let mode = self.mode(options.get_ssl_mode())?;
        // A socket of this machine is never encrypted, whatever is asked for.
        let mode = if options.get_socket().is_some() { PgSslMode::Disable } else { mode };
        let mut options = options.ssl_mode(mode);
        if let Some(rootcert) = &self.rootcert {
            options = options.ssl_root_cert(rootcert);
        }
        match (self.cert, self.key) {
            (Some(cert), Some(key)) => Ok(options.ssl_client_cert(cert).ssl_client_key(key)),
            (Some(_), None) => Err(bad("sslcert is given without sslkey")),
            (None, Some(_)) => Err(bad("sslkey is given without sslcert")),
            (None, None) => Ok(options),
        }
    }
}

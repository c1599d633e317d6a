//! What URLs of MySQL may say, in the words of PyMySQL, mysqlclient and MySQL Connector.

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use url::Url;

use super::{BadUrl, bad, database, decoded, impossible, pem, switch, unknown};

/// What Python's drivers take and has no meaning here: how they exchange text (here in the full UTF-8, whatever subset the
/// URL names: the rows hold three-byte text only), how long they wait (here as long as an attempt at an operation may
/// take), what they fill their objects with, and what SQLAlchemy hangs onto them.
const MEANINGLESS: [&str; 27] = [
    "auth_plugin",
    "auth_plugin_map",
    "autocommit",
    "binary_prefix",
    "bind_address",
    "buffered",
    "charset",
    "client_flag",
    "collation",
    "compress",
    "connect_timeout",
    "connection_timeout",
    "converter_class",
    "defer_connect",
    "local_infile",
    "max_allowed_packet",
    "named_pipe",
    "plugin",
    "program_name",
    "raise_on_warnings",
    "read_timeout",
    "server_public_key",
    "ssl_cipher",
    "tls_versions",
    "use_pure",
    "use_unicode",
    "write_timeout",
];

/// What a URL says of encryption.
#[derive(Debug, Default)]
struct Encryption {
    mode: Option<MySqlSslMode>,
    disabled: bool,
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
    verify_cert: Option<bool>,
    verify_identity: Option<bool>,
    check_hostname: Option<bool>,
}

/// Reads a URL.
pub(super) fn options(url: &Url) -> Result<MySqlConnectOptions, BadUrl> {
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
    let mut encryption = Encryption::default();
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "unix_socket" => options = options.socket(value.as_ref()),
            "read_default_file" | "read_default_group" => {
                return Err(impossible(&name, "write what is there into the URL"));
            }
            "init_command" => return Err(impossible(&name, "set such things in the server")),
            "sql_mode" => return Err(impossible(&name, "use mysql_sql_mode")),
            other if other.starts_with("ssl_") && !MEANINGLESS.contains(&other) => encryption.read(other, &value)?,
            other if MEANINGLESS.contains(&other) => tracing::debug!(parameter = other, "a driver's parameter ignored"),
            other => return Err(unknown(other)),
        }
    }
    // SQLAlchemy's own driver for `mysql://` is mysqlclient.
    encryption.of(options, url.scheme().ends_with("+pymysql"))
}

impl Encryption {
    fn read(&mut self, name: &str, value: &str) -> Result<(), BadUrl> {
        match name {
            "ssl_ca" => self.ca = Some(pem::certificates(name, value)?),
            "ssl_cert" => self.cert = Some(pem::certificates(name, value)?),
            "ssl_key" => self.key = Some(pem::key(name, value)?),
            "ssl_mode" => {
                let mode = value.parse().map_err(|_| bad(&format!("unknown ssl_mode '{value}'")))?;
                self.mode = Some(mode);
            }
            "ssl_disabled" => self.disabled = switch(name, value)?,
            "ssl_verify_cert" => self.verify_cert = Some(switch(name, value)?),
            "ssl_verify_identity" => self.verify_identity = Some(switch(name, value)?),
            "ssl_check_hostname" => self.check_hostname = Some(switch(name, value)?),
            "ssl_capath" => return Err(impossible(name, "name one file of authorities by ssl_ca")),
            "ssl_key_password" => return Err(impossible(name, "the key must need no password")),
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// What is looked at before the server is trusted. Naming an authority means to ask it; PyMySQL then looks at the
    /// server's name as well. Nothing said is what all drivers of today do: encrypted if the server can.
    fn mode(&self, pymysql: bool) -> MySqlSslMode {
        if let Some(mode) = self.mode {
            return mode;
        }
        if self.disabled {
            return MySqlSslMode::Disabled;
        }
        let name = self.verify_identity.or(self.check_hostname);
        match (self.verify_cert, name) {
            (Some(false), None | Some(false)) => MySqlSslMode::Required,
            (_, Some(true)) => MySqlSslMode::VerifyIdentity,
            (Some(true), _) => MySqlSslMode::VerifyCa,
            (None, Some(false)) if self.ca.is_some() => MySqlSslMode::VerifyCa,
            (None, None) if self.ca.is_some() && pymysql => MySqlSslMode::VerifyIdentity,
            (None, None) if self.ca.is_some() => MySqlSslMode::VerifyCa,
            _ if self.cert.is_some() || self.key.is_some() => MySqlSslMode::Required,
            _ => MySqlSslMode::Preferred,
        }
    }

    fn of(self, options: MySqlConnectOptions, pymysql: bool) -> Result<MySqlConnectOptions, BadUrl> {
        let mode = self.mode(pymysql);
        let mut options = options.ssl_mode(mode);
        if let Some(ca) = &self.ca {
            options = options.ssl_ca(ca);
        } else if matches!(mode, MySqlSslMode::VerifyCa | MySqlSslMode::VerifyIdentity) {
            options = options.ssl_ca(pem::of_the_system("ssl_ca")?);
        }
        match (self.cert, self.key) {
            (Some(cert), Some(key)) => Ok(options.ssl_client_cert(cert).ssl_client_key(key)),
            // Both may be in one file.
            (Some(cert), None) => {
                let key = pem::key("ssl_cert without ssl_key", &cert)?;
                Ok(options.ssl_client_cert(cert).ssl_client_key(key))
            }
            (None, Some(_)) => Err(bad("ssl_key is given without ssl_cert")),
            (None, None) => Ok(options),
        }
    }
}

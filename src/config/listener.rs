//! Listening: `[DEFAULT]` (configuration §1.8, v1-system §2).

use std::path::PathBuf;
use std::time::Duration;

use osloconf::Opt;

use super::{Error, Loaded, Result};
use crate::server::{self, Tls, TlsFile, TlsFiles};

/// The longest timeout in seconds: beyond any use, yet within what clocks can add.
const A_YEAR: i64 = 365 * 24 * 60 * 60;

pub(super) static BIND_HOST: Opt =
    Opt::str("DEFAULT", "bind_host").default("0.0.0.0").empty_is_unset().help("Address to listen on");
static BIND_PORT: Opt = Opt::port("DEFAULT", "bind_port").help("Port; 9292 for the API, 9191 for the registry");
static BACKLOG: Opt = Opt::int("DEFAULT", "backlog").default("4096").range(1, 65535).help("Pending connections");
static TCP_KEEPIDLE: Opt = Opt::int("DEFAULT", "tcp_keepidle")
    .default("600")
    .range(1, 32767)
    .help("Seconds of silence before a keep-alive probe");
static MAX_HEADER_LINE: Opt = Opt::int("DEFAULT", "max_header_line")
    .default("16384")
    .range(2048, 1_048_576)
    .help("Longest header line in bytes; the whole header block may have four times as many");
static CLIENT_SOCKET_TIMEOUT: Opt = Opt::int("DEFAULT", "client_socket_timeout").default("900").range(0, A_YEAR).help(
    "Seconds for a client to agree on TLS, to send the head of its next request, to go on with a body, and to take \
           some of an answer; 0: for ever",
);
static HTTP_KEEPALIVE: Opt = Opt::bool("DEFAULT", "http_keepalive")
    .default("true")
    .help("Leave connections open for further requests; false: each request has one of its own");
static GRACEFUL_SHUTDOWN_TIMEOUT: Opt = Opt::int("DEFAULT", "graceful_shutdown_timeout")
    .default("60")
    .range(0, A_YEAR)
    .help("Seconds that running requests get when the server stops; after SIGTERM no more than 10");
static WORKERS: Opt = Opt::int("DEFAULT", "workers")
    .default("0")
    .range(0, 1024)
    .help("Threads that serve requests; 0: one per processor");
static CERT_FILE: Opt = Opt::str("DEFAULT", "cert_file").empty_is_unset().help(
    "PEM file of the server's certificate and those above it: with it and key_file TLS is served, and nothing else",
);
static KEY_FILE: Opt = Opt::str("DEFAULT", "key_file").empty_is_unset().help("PEM file of that certificate's key");
static CA_FILE: Opt = Opt::str("DEFAULT", "ca_file")
    .empty_is_unset()
    .help("PEM file of authorities: with it clients must show a certificate of one of them");
static MAX_CONCURRENT_STREAMS: Opt = Opt::int("DEFAULT", "max_concurrent_streams")
    .default("100")
    .range(0, 65535)
    .help("Requests that one connection of HTTP/2, which TLS has, may have running; 0: HTTP/2 is not offered");

pub(super) static OPTIONS: &[&Opt] = &[
    &BIND_HOST,
    &BIND_PORT,
    &BACKLOG,
    &TCP_KEEPIDLE,
    &MAX_HEADER_LINE,
    &CLIENT_SOCKET_TIMEOUT,
    &HTTP_KEEPALIVE,
    &GRACEFUL_SHUTDOWN_TIMEOUT,
    &WORKERS,
    &CERT_FILE,
    &KEY_FILE,
    &CA_FILE,
    &MAX_CONCURRENT_STREAMS,
];

/// A header block holds this many lines of the greatest length.
const LINES_OF_GREATEST_LENGTH: usize = 4;

impl Loaded {
    /// Where and how to listen.
    pub(crate) fn listener(&self, default_port: u16) -> Result<server::Settings> {
        let (conf, tls) = (&self.conf, self.tls()?);
        let seconds = |opt| self.natural(opt);
        let line = usize::try_from(self.natural(&MAX_HEADER_LINE)?).unwrap_or(usize::MAX / LINES_OF_GREATEST_LENGTH);
        Ok(server::Settings {
            host: conf.str(&BIND_HOST)?.unwrap_or_default(),
            port: conf.port(&BIND_PORT)?.unwrap_or(default_port),
            backlog: u32::try_from(self.natural(&BACKLOG)?).unwrap_or(u32::MAX),
            keepidle: Duration::from_secs(seconds(&TCP_KEEPIDLE)?),
            header_bytes: line * LINES_OF_GREATEST_LENGTH,
            silence: Some(seconds(&CLIENT_SOCKET_TIMEOUT)?).filter(|s| *s > 0).map(Duration::from_secs),
            keep_alive: conf.bool(&HTTP_KEEPALIVE)?,
            streams: u32::try_from(self.natural(&MAX_CONCURRENT_STREAMS)?).unwrap_or(u32::MAX),
            tls,
            grace: Duration::from_secs(seconds(&GRACEFUL_SHUTDOWN_TIMEOUT)?),
            workers: self.workers()?,
        })
    }

    /// How connections are made confidential, if they are.
    fn tls(&self) -> Result<Option<Tls>> {
        let conf = &self.conf;
        let file = |opt| conf.str(opt).map(|path| path.map(PathBuf::from));
        let client_authorities = file(&CA_FILE)?;
        let (certificates, key) = match (file(&CERT_FILE)?, file(&KEY_FILE)?) {
            (None, None) if client_authorities.is_none() => return Ok(None),
            (None, None) => {
                // Who wants to know his clients must not get others without a word.
                let reason = "is for TLS, which needs cert_file and key_file".to_owned();
                return Err(Error::Invalid { option: "ca_file", reason });
            }
            (Some(certificates), Some(key)) => (certificates, key),
            _ => {
                let reason = "When running server in SSL mode, you must specify both a cert_file and key_file option \
                              value in your configuration file";
                return Err(Error::Invalid { option: "cert_file", reason: reason.to_owned() });
            }
        };
        let files = TlsFiles { certificates, key, client_authorities };
        // A connection of HTTP/2 is made for several requests.
        let http2 = self.natural(&MAX_CONCURRENT_STREAMS)? > 0 && conf.bool(&HTTP_KEEPALIVE)?;
        Tls::open(&files, http2).map(Some).map_err(|error| {
            let option = match error.file {
                TlsFile::Certificates => "cert_file",
                TlsFile::Key => "key_file",
                TlsFile::ClientAuthorities => "ca_file",
            };
            Error::Invalid { option, reason: error.to_string() }
        })
    }

    /// Threads that serve requests; `None`: one per processor.
    pub(super) fn workers(&self) -> Result<Option<usize>> {
        Ok(usize::try_from(self.natural(&WORKERS)?).ok().filter(|workers| *workers > 0))
    }
}

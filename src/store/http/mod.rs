//! The read-only http(s) store: images that lie on other people's web servers (v1-system §9.2, stores §6.2).
//!
//! Nothing is remembered of an origin: each operation opens one connection of its own and closes it, also early,
//! because single-threaded origins serve nobody else meanwhile. Locations may carry credentials, so no error and no
//! log line shows more of one than the host.

mod body;
mod fetch;
mod piece;
mod target;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, LAST_MODIFIED};
use reqwest::{Method, StatusCode};

use self::fetch::Fetcher;
use self::piece::Piece;
use self::target::Target;
use super::{Added, ByteRange, Error, Opened, Result, Store};
use crate::model::{ByteStream, ImageId};

/// The operator's choices. There is no limit on a whole download: images take as long as they take.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Longest wait for a connection, TLS included.
    pub(crate) connect_timeout: Duration,
    /// Longest wait for the head of an answer, connecting included.
    pub(crate) first_byte_timeout: Duration,
    /// Longest wait for the next bytes of a body.
    pub(crate) read_timeout: Duration,
    /// Accept any certificate (Glance's default); a CA file makes it void.
    pub(crate) https_insecure: bool,
    /// PEM file of the only authorities to trust.
    pub(crate) https_ca_certificates_file: Option<PathBuf>,
    /// Proxies by the scheme of what they are asked for: `http`, `https` or `all`.
    pub(crate) proxies: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(60),
            read_timeout: Duration::from_secs(60),
            https_insecure: true,
            https_ca_certificates_file: None,
            proxies: Vec::new(),
        }
    }
}

/// The driver.
#[derive(Debug)]
pub(crate) struct Http {
    fetcher: Fetcher,
    read_timeout: Duration,
}

impl Http {
    /// The error names the option at fault. Blocks.
    pub(crate) fn open(settings: &Settings) -> std::result::Result<Self, String> {
        Ok(Self { fetcher: Fetcher::new(settings)?, read_timeout: settings.read_timeout })
    }
}

#[async_trait]
impl Store for Http {
    fn schemes(&self) -> &'static [&'static str] {
        &["http", "https"]
    }

    fn check_client_location(&self, uri: &str) -> Result<()> {
        Target::parse(uri).map(drop)
    }

    fn is_read_only(&self) -> bool {
        true
    }

    /// All of the web, but nothing says which of several such stores it is.
    fn claims(&self, uri: &str) -> Option<usize> {
        Target::parse(uri).is_ok().then_some(0)
    }

    async fn add(&self, _id: &ImageId, _data: ByteStream, _size: Option<u64>) -> Result<Added> {
        Err(Error::Unsupported("The http store is read-only: it cannot store images".to_owned()))
    }

    async fn get(&self, uri: &str, range: ByteRange) -> Result<Opened> {
        let target = Target::parse(uri)?;
        let response = self.fetcher.send(Method::GET, &target, piece::request_header(range)).await?;
        let piece = Piece::of(range, response.status(), response.headers())?;
        let version = version(response.headers());
        let data = body::stream(response, &piece, self.read_timeout);
        Ok(Opened { data, file: None, size: piece.object_size, version })
    }

    /// Origins that refuse or fail, or announce nothing, are of unknown size; an announced 0 means unknown in v1.
    async fn size(&self, uri: &str) -> Result<Option<u64>> {
        let target = Target::parse(uri)?;
        let Ok(response) = self.fetcher.send(Method::HEAD, &target, None).await else { return Ok(None) };
        let announced = response.headers().get(CONTENT_LENGTH).filter(|_| response.status() == StatusCode::OK);
        Ok(announced.and_then(|length| length.to_str().ok()?.parse().ok()).filter(|&size| size > 0))
    }

    async fn delete(&self, _uri: &str) -> Result<()> {
        Err(Error::Unsupported("The http store is read-only: it cannot delete images".to_owned()))
    }
}

/// The validator of an answer (RFC 9110 §8.8): its entity tag, also a weak one, else its time.
fn version(headers: &HeaderMap) -> Option<String> {
    let validator = headers.get(ETAG).or_else(|| headers.get(LAST_MODIFIED))?;
    validator.to_str().ok().map(str::to_owned)
}

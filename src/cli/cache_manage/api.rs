//! The cache management routes of an API node (v1-cache §4), as this program calls them.

use std::time::Duration;

use reqwest::Method;
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

const CONNECT: Duration = Duration::from_secs(10);
/// A node that deletes a full cache takes its time.
const ANSWER: Duration = Duration::from_secs(120);

/// One image that is cached.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct CachedImage {
    /// Its id.
    pub(super) image_id: String,
    /// Seconds since the epoch, or a date, as the node's cache driver has it.
    #[serde(default)]
    pub(super) last_accessed: Value,
    /// The same for the moment it was cached.
    #[serde(default)]
    pub(super) last_modified: Value,
    /// Bytes.
    #[serde(default)]
    pub(super) size: Value,
    /// Complete downloads served from the cache.
    #[serde(default)]
    pub(super) hits: Value,
}

/// Why the node did not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// There are no such routes: the cache management filter is not in the pipeline.
    #[error("cache management is not enabled")]
    NotEnabled,
    /// The token is missing, wrong, or not an administrator's.
    #[error("not authorized")]
    NotAuthorized,
    /// Nobody listens there.
    #[error("Failed to connect to the Glance API server {address}. Is the server running?")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What was tried.
        source: reqwest::Error,
    },
    /// The node answered something else.
    #[error("{status}\n{text}")]
    Refused {
        /// Status of the answer.
        status: StatusCode,
        /// Its body.
        text: String,
    },
    /// The conversation broke off, or makes no sense.
    #[error("The answer of the Glance API server cannot be used: {0}")]
    Broken(#[from] reqwest::Error),
    /// The command line names no host.
    #[error("Invalid host {0}")]
    Host(String),
}

/// An API node.
#[derive(Debug)]
pub(super) struct CacheApi {
    base: Url,
    client: Client,
    token: Option<String>,
}

impl CacheApi {
    /// Names a node; nothing is sent yet. The address is dialled as given: 0.0.0.0 reaches this machine.
    /// Neither proxies nor redirections are followed: the token is for this node alone.
    pub(super) fn new(host: &str, port: u16, token: Option<String>, insecure: bool) -> Result<Self, ApiError> {
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .tls_danger_accept_invalid_certs(insecure)
            .build()?;
        Ok(Self { base: base(host, port).ok_or_else(|| ApiError::Host(host.to_owned()))?, client, token })
    }

    /// The cached images.
    pub(super) fn cached_images(&self) -> Result<Vec<CachedImage>, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            cached_images: Vec<CachedImage>,
        }
        Ok(self.send(Method::GET, "cached_images", None)?.json::<Answer>()?.cached_images)
    }

    /// Ids of the images that wait to be cached, oldest first.
    pub(super) fn queued_images(&self) -> Result<Vec<String>, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            queued_images: Vec<String>,
        }
        Ok(self.send(Method::GET, "queued_images", None)?.json::<Answer>()?.queued_images)
    }

    /// Queues an image for caching.
    pub(super) fn queue_image(&self, id: &str) -> Result<(), ApiError> {
        self.send(Method::PUT, "queued_images", Some(id)).map(drop)
    }

    /// Removes an image from the cache. What the node answers (nothing, or `null`) says no more than its status.
    pub(super) fn delete_cached_image(&self, id: &str) -> Result<(), ApiError> {
        self.send(Method::DELETE, "cached_images", Some(id)).map(drop)
    }

    /// Takes an image from the queue.
    pub(super) fn delete_queued_image(&self, id: &str) -> Result<(), ApiError> {
        self.send(Method::DELETE, "queued_images", Some(id)).map(drop)
    }

    /// Empties the cache; how many images it held.
    pub(super) fn delete_all_cached_images(&self) -> Result<u64, ApiError> {
        self.delete_all("cached_images")
    }

    /// Empties the queue; how many images it held.
    pub(super) fn delete_all_queued_images(&self) -> Result<u64, ApiError> {
        self.delete_all("queued_images")
    }

    fn delete_all(&self, collection: &str) -> Result<u64, ApiError> {
        #[derive(Deserialize)]
        struct Answer {
            num_deleted: u64,
        }
        Ok(self.send(Method::DELETE, collection, None)?.json::<Answer>()?.num_deleted)
    }

    fn send(&self, method: Method, collection: &str, id: Option<&str>) -> Result<Response, ApiError> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(["v1", collection]).extend(id);
        }
        let mut request = self.client.request(method, url);
        if let Some(token) = &self.token {
            request = request.header("X-Auth-Token", token);
        }
        let answer = request.send().map_err(|error| self.explain(error))?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            StatusCode::NOT_FOUND => Err(ApiError::NotEnabled),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ApiError::NotAuthorized),
            status => Err(ApiError::Refused { status, text: answer.text()? }),
        }
    }

    fn explain(&self, error: reqwest::Error) -> ApiError {
        if !error.is_connect() {
            return ApiError::Broken(error);
        }
        let (host, port) = (self.base.host_str().unwrap_or_default(), self.base.port_or_known_default().unwrap_or(0));
        ApiError::Unreachable { address: format!("{host}:{port}"), source: error }
    }
}

/// The address of a node. Whether it speaks TLS is written in the host, as in the reference (v1-cache §11.2).
fn base(host: &str, port: u16) -> Option<Url> {
    let scheme = if host.contains("https") { "https" } else { "http" };
    let name = host.split_once("://").map_or(host, |(_, rest)| rest).trim_end_matches('/');
    let name = if name.contains(':') && !name.starts_with('[') { format!("[{name}]") } else { name.to_owned() };
    Url::parse(&format!("{scheme}://{name}:{port}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        assert_eq!(base("0.0.0.0", 9292).unwrap().as_str(), "http://0.0.0.0:9292/");
        assert_eq!(base("https://glance.example/", 9292).unwrap().as_str(), "https://glance.example:9292/");
        assert_eq!(base("::1", 9292).unwrap().as_str(), "http://[::1]:9292/");
        assert!(base("", 9292).is_none());
    }

    #[test]
    fn times_may_be_numbers_dates_or_missing() {
        let read = |text| serde_json::from_str::<CachedImage>(text).unwrap();
        assert_eq!(read(r#"{"image_id": "a", "last_accessed": 0.0, "hits": 1}"#).last_accessed, Value::from(0.0));
        assert_eq!(read(r#"{"image_id": "a", "last_accessed": "2012-02-20T18:06:51"}"#).last_modified, Value::Null);
    }
}

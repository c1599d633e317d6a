//! One request to an origin, redirects followed.

use std::time::Duration;

use reqwest::header::{HeaderValue, LOCATION, RANGE};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Proxy, Response, StatusCode};
use url::Url;

use super::Settings;
use super::target::{Target, fetchable};
use crate::store::{Error, Result};

/// Requests for one operation, redirected ones included (stores §6.2).
const MAX_REQUESTS: usize = 5;

/// Sends requests.
#[derive(Debug)]
pub(super) struct Fetcher {
    client: Client,
    first_byte_timeout: Duration,
}

impl Fetcher {
    /// The error names the option at fault.
    pub(super) fn new(settings: &Settings) -> std::result::Result<Self, String> {
        let mut client = Client::builder()
            .connect_timeout(settings.connect_timeout)
            // The environment of the service is nobody's idea of its configuration.
            .no_proxy()
            // Each hop is judged here.
            .redirect(Policy::none())
            // A kept connection would block an origin that serves one at a time.
            .pool_max_idle_per_host(0);
        for (scheme, url) in &settings.proxies {
            client = client.proxy(proxy(scheme, url)?);
        }
        if let Some(file) = &settings.https_ca_certificates_file {
            let unusable = |error: &dyn std::fmt::Display| {
                format!("https_ca_certificates_file {} cannot be used: {error}", file.display())
            };
            let pem = std::fs::read(file).map_err(|error| unusable(&error))?;
            let authorities = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(&error))?;
            if authorities.is_empty() {
                return Err(unusable(&"it holds no certificate"));
            }
            client = client.tls_certs_only(authorities);
        } else {
            client = client.tls_danger_accept_invalid_certs(settings.https_insecure);
        }
        let client = client.build().map_err(|error| format!("The http store cannot be opened: {}", reason(error)))?;
        Ok(Self { client, first_byte_timeout: settings.first_byte_timeout })
    }

    /// The answer that is not a redirect. Only 301 and 302 are followed.
    pub(super) async fn send(&self, method: Method, target: &Target, range: Option<HeaderValue>) -> Result<Response> {
        let mut url = target.url.clone();
        for _ in 0..MAX_REQUESTS {
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some((user, password)) = target.credentials_for(&url) {
                request = request.basic_auth(user, Some(password));
            }
            if let Some(range) = range.clone() {
                request = request.header(RANGE, range);
            }
            let response = match tokio::time::timeout(self.first_byte_timeout, request.send()).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(unavailable(&url, &reason(error))),
                Err(_) => return Err(unavailable(&url, "no answer in time")),
            };
            if !matches!(response.status(), StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND) {
                return Ok(response);
            }
            url = next_hop(&url, &response)?;
        }
        Err(Error::BadLocation(format!("The http location was redirected more than {} times", MAX_REQUESTS - 1)))
    }
}

/// A proxy by its URL; `http://` need not be said. Not repeated where it is wrong: it may hold a password.
fn proxy(scheme: &str, url: &str) -> std::result::Result<Proxy, String> {
    let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let made = match scheme {
        "http" => Proxy::http(url),
        "https" => Proxy::https(url),
        "all" => Proxy::all(url),
        other => return Err(format!("http_proxy_information: '{other}' is not http, https or all")),
    };
    made.map_err(|_| format!("http_proxy_information: the proxy for {scheme} is not a URL"))
}

fn next_hop(url: &Url, response: &Response) -> Result<Url> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    next.ok_or_else(|| Error::BadLocation("The http location redirects to no usable location".to_owned()))
        .and_then(fetchable)
}

fn unavailable(url: &Url, reason: &str) -> Error {
    tracing::warn!(host = url.host_str(), reason, "the origin of an http location cannot be asked");
    Error::Unavailable("Remote server where the image is present is unavailable.".to_owned())
}

/// An error and its causes in one line, without the URL.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

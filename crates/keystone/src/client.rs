//! Asking Keystone.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{Certificate, Identity, Method, Response};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::catalog::Wanted;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::token::Token;

const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");
/// Says that the asker obeys the access rules of application credentials; Keystone refuses to show such tokens to others.
const ACCESS_RULES: HeaderName = HeaderName::from_static("openstack-identity-access-rules");

/// The own token is renewed that long before it ends, so that no request starts with one that ends on its way.
const RENEWED_BEFORE: TimeDelta = TimeDelta::seconds(60);
/// Longest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 16 << 20;
/// Between one try and the next, growing with each.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Where Keystone is, who asks, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its address, with or without `/v3`.
    pub auth_url: String,
    /// Which of its addresses is asked once the service has logged in, by the catalogue; `auth_url` where the catalogue
    /// has none that fits. `None`: `auth_url`.
    pub endpoint: Option<Wanted>,
    /// Who asks.
    pub credentials: Credentials,
    /// For one request, the connection included.
    pub timeout: Duration,
    /// Further tries of a request that found nobody.
    pub retries: u32,
    /// How `https` is trusted.
    pub tls: Tls,
}

/// What `https` is trusted by.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Authorities that sign Keystone's certificate; `None`: those of the system.
    pub cafile: Option<PathBuf>,
    /// Certificate of the service itself.
    pub certfile: Option<PathBuf>,
    /// Its key.
    pub keyfile: Option<PathBuf>,
    /// Take any certificate.
    pub insecure: bool,
}

/// A Keystone, asked by one service.
pub struct Keystone {
    http: reqwest::Client,
    base: Url,
    endpoint: Option<Wanted>,
    credentials: Credentials,
    retries: u32,
    own: Mutex<Login>,
}

/// How it went when the service logged in last.
#[derive(Default)]
struct Login {
    own: Option<Own>,
    failed: Option<(Instant, Error)>,
}

/// The service's own token.
#[derive(Clone)]
struct Own {
    id: HeaderValue,
    token: Token,
    /// Where it is shown.
    base: Url,
}

impl fmt::Debug for Keystone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystone").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Keystone {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::Setting`]: the address is none, or a certificate cannot be read.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let base = base(&settings.auth_url)?;
        let tls = &settings.tls;
        let mut client = reqwest::Client::builder()
            // Tokens are for Keystone alone, wherever it would send them.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout)
            .tls_danger_accept_invalid_certs(tls.insecure);
        if let Some(path) = &tls.cafile {
            let certificates = Certificate::from_pem_bundle(&read("cafile", path)?);
            client = client.tls_certs_only(certificates.map_err(|error| setting("cafile", error))?);
        }
        if let Some(path) = &tls.certfile {
            let mut pem = read("certfile", path)?;
            if let Some(key) = &tls.keyfile {
                pem.push(b'\n');
                pem.extend(read("keyfile", key)?);
            }
            client = client.identity(Identity::from_pem(&pem).map_err(|error| setting("certfile", error))?);
        }
        let http = client.build().map_err(|error| setting("auth_url", error))?;
        let Settings { endpoint, credentials, retries, .. } = settings;
        Ok(Self { http, base, endpoint, credentials, retries, own: Mutex::default() })
    }

    /// The address that is asked, without `/v3`.
    #[must_use]
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/').trim_end_matches("/v3")
    }

    /// What a token is worth. An expired one is good for some time yet if `allow_expired`, as Keystone is configured. The
    /// services come with it if `with_catalog`.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], and whatever keeps Keystone from telling.
    pub async fn validate(&self, token: &str, allow_expired: bool, with_catalog: bool) -> Result<Token, Error> {
        let mut subject = HeaderValue::from_str(token).map_err(|_| Error::InvalidToken)?;
        subject.set_sensitive(true);
        let mut query = Vec::new();
        if !with_catalog {
            query.push(("nocatalog", ""));
        }
        if allow_expired {
            query.push(("allow_expired", "1"));
        }
        let headers = [(SUBJECT_TOKEN, subject), (ACCESS_RULES, HeaderValue::from_static("1.0"))];
        let answer = self.ask("auth/tokens", &query, &HeaderMap::from_iter(headers)).await?;
        match answer.status() {
            StatusCode::OK => Token::parse(&body(answer).await?),
            // What cannot be a token at all is a bad request to some releases.
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Err(Error::InvalidToken),
            status => Err(refused(status, "to show tokens")),
        }
    }

    /// Whatever Keystone has at this path below `/v3`, such as `limits/model`; `None` if it has nothing there.
    ///
    /// # Errors
    /// [`Error::Unavailable`], or [`Error::Refused`] where the service may not ask.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Value>, Error> {
        let answer = self.ask(path, query, &HeaderMap::new()).await?;
        match answer.status() {
            StatusCode::OK => serde_json::from_slice(&body(answer).await?)
                .map(Some)
                .map_err(|error| Error::Unavailable(format!("its answer is no JSON: {error}"))),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(refused(status, &format!("to show {path}"))),
        }
    }

    /// Where a service is, by the catalogue that comes with the own token.
    ///
    /// # Errors
    /// The own token cannot be had.
    pub async fn endpoint(&self, wanted: &Wanted) -> Result<Option<String>, Error> {
        Ok(self.own_token(None).await?.token.catalog.find(wanted).map(str::to_owned))
    }

    /// The project of the own token.
    ///
    /// # Errors
    /// The own token cannot be had.
    pub async fn own(&self) -> Result<Token, Error> {
        Ok(self.own_token(None).await?.token)
    }

    /// Asks with the own token. One that is refused, which may have been revoked, is replaced once.
    async fn ask(&self, path: &str, query: &[(&str, &str)], headers: &HeaderMap) -> Result<Response, Error> {
        let own = self.own_token(None).await?;
        let answer = self.send(Method::GET, path, query, headers, Some(&own), None).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let own = self.own_token(Some(&own)).await?;
        self.send(Method::GET, path, query, headers, Some(&own), None).await
    }

    /// The own token, but not `refused`. Whoever comes while it is fetched waits for that, and fails if it does.
    async fn own_token(&self, refused: Option<&Own>) -> Result<Own, Error> {
        let come = Instant::now();
        let mut login = self.own.lock().await;
        if let Some((_, error)) = login.failed.as_ref().filter(|(when, _)| *when > come) {
            return Err(error.clone());
        }
        if let Some(own) = &login.own
            && refused.is_none_or(|refused| refused.id != own.id)
            && own.token.expires_at - RENEWED_BEFORE > Utc::now()
        {
            return Ok(own.clone());
        }
        let outcome = self.log_in().await;
        match &outcome {
            Ok(own) => *login = Login { own: Some(own.clone()), failed: None },
            Err(error) => login.failed = Some((Instant::now(), error.clone())),
        }
        outcome
    }

    async fn log_in(&self) -> Result<Own, Error> {
        let request = self.credentials.request();
        let answer = self.send(Method::POST, "auth/tokens", &[], &HeaderMap::new(), None, Some(&request)).await?;
        if answer.status() != StatusCode::CREATED {
            return Err(match answer.status() {
                StatusCode::UNAUTHORIZED => Error::Refused("its credentials are not accepted".to_owned()),
                status => refused(status, "to log in"),
            });
        }
        let id = answer.headers().get(SUBJECT_TOKEN).cloned();
        let mut id = id.ok_or_else(|| Error::Unavailable("it answers a login without a token".to_owned()))?;
        id.set_sensitive(true);
        let token = Token::parse(&body(answer).await?)?;
        let listed = self.endpoint.as_ref().and_then(|wanted| token.catalog.find(wanted));
        let base = listed.and_then(|url| base(url).ok()).unwrap_or_else(|| self.base.clone());
        Ok(Own { id, token, base })
    }

    /// Sends a request, again where it found nobody.
    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        headers: &HeaderMap,
        own: Option<&Own>,
        json: Option<&Value>,
    ) -> Result<Response, Error> {
        let base = own.map_or(&self.base, |own| &own.base);
        let mut url = base.join(path).map_err(|error| Error::Unavailable(error.to_string()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut tries = 0;
        loop {
            let mut request = self.http.request(method.clone(), url.clone()).headers(headers.clone());
            if let Some(own) = own {
                request = request.header(AUTH_TOKEN, own.id.clone());
            }
            if let Some(json) = json {
                request = request.json(json);
            }
            match request.send().await {
                // One that hangs is not asked again: whoever waits has waited long enough.
                Err(error) if error.is_connect() && !error.is_timeout() && tries < self.retries => {
                    tries += 1;
                    tokio::time::sleep(RETRY_PAUSE * tries).await;
                }
                Err(error) => return Err(unavailable(&error)),
                Ok(answer) => return Ok(answer),
            }
        }
    }
}

/// Its address, ending in `/v3/`.
fn base(auth_url: &str) -> Result<Url, Error> {
    let root = auth_url.trim().trim_end_matches('/');
    let root = ["/v3", "/v2.0"].iter().find_map(|version| root.strip_suffix(version)).unwrap_or(root);
    let url = Url::parse(&format!("{}/v3/", root.trim_end_matches('/'))).map_err(|error| setting("auth_url", error))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(setting("auth_url", format!("'{scheme}' is neither http nor https"))),
    }
}

async fn body(mut answer: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(block) = answer.chunk().await.map_err(|error| unavailable(&error))? {
        if body.len() + block.len() > ANSWER_LIMIT {
            return Err(Error::Unavailable("its answer is too long".to_owned()));
        }
        body.extend_from_slice(&block);
    }
    Ok(body)
}

fn refused(status: StatusCode, what: &str) -> Error {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            Error::Refused(format!("{what} ({status})"))
        }
        status => Error::Unavailable(format!("it answers {status}")),
    }
}

/// The reason at the bottom: what lies above only repeats the address.
fn unavailable(error: &reqwest::Error) -> Error {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    Error::Unavailable(reason.to_string())
}

fn read(field: &'static str, path: &PathBuf) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| setting(field, format!("{}: {error}", path.display())))
}

fn setting(field: &'static str, reason: impl fmt::Display) -> Error {
    Error::Setting { field, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn an_address_with_or_without_a_version() {
        for url in ["http://k:5000", "http://k:5000/", "http://k:5000/v3", "http://k:5000/v3/", "http://k:5000/v2.0"] {
            assert_eq!(base(url).unwrap().as_str(), "http://k:5000/v3/");
        }
        assert_eq!(base("https://k/identity/v3").unwrap().as_str(), "https://k/identity/v3/");
        assert!(base("k:5000").is_err() && base("").is_err() && base("ftp://k").is_err());
    }
}

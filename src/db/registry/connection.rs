//! Requests to the registry and the reading of their answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client, Identity, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::status::{Operation, failure};
use crate::db::{Error, Result};
use crate::model::Context;

/// Largest answer that is read, in bytes: a thousand images with rich properties fit.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// Redirects followed before giving up.
const MAX_REDIRECTS: usize = 5;

/// Where the registry is and how to speak to it.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `http` or `https`.
    pub(crate) protocol: String,
    /// Name or address.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
    /// PEM file of the authorities that sign the registry's certificate; `None`: the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// PEM file of our certificate, if the registry asks for one; needs `key_file`.
    pub(crate) cert_file: Option<PathBuf>,
    /// PEM file of our private key; needs `cert_file`.
    pub(crate) key_file: Option<PathBuf>,
    /// For a whole request, connecting included.
    pub(crate) timeout: Duration,
}

/// Why there can be no client with these settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// Protocol, host and port make no URL.
    #[error("registry_client_protocol {protocol}, registry_host {host}: not an address of a registry")]
    Address { protocol: String, host: String },
    /// A certificate without a key, or the reverse.
    #[error("registry_client_cert_file and registry_client_key_file must be given together")]
    HalfIdentity,
    /// A certificate or key file that cannot be read.
    #[error("cannot read {} for the registry client: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// A certificate or key that the TLS library refuses.
    #[error("the TLS settings of the registry client cannot be used: {0}")]
    Tls(#[source] reqwest::Error),
}

/// A way to the registry.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    base: Url,
}

impl Connection {
    pub(super) fn new(settings: &Settings) -> std::result::Result<Self, SettingsError> {
        let base = base_url(settings).ok_or_else(|| SettingsError::Address {
            protocol: settings.protocol.clone(),
            host: settings.host.clone(),
        })?;
        let mut builder = Client::builder()
            .no_proxy()
            .timeout(settings.timeout)
            .redirect(Policy::custom(redirect))
            // A connection each, as v1 had it: a registry that restarts between two requests breaks neither.
            .pool_max_idle_per_host(0);
        if let Some(ca_file) = &settings.ca_file {
            let bundle = Certificate::from_pem_bundle(&read(ca_file)?).map_err(SettingsError::Tls)?;
            builder = builder.tls_certs_only(bundle);
        } else if base.scheme() == "http" {
            // Spares plain HTTP the search for the system's authorities, which fails where there are none.
            builder = builder.tls_certs_only([]);
        }
        match (&settings.cert_file, &settings.key_file) {
            (Some(cert), Some(key)) => {
                let pem = [read(cert)?, b"\n".to_vec(), read(key)?].concat();
                builder = builder.identity(Identity::from_pem(&pem).map_err(SettingsError::Tls)?);
            }
            (None, None) => {}
            _ => return Err(SettingsError::HalfIdentity),
        }
        Ok(Self { client: builder.build().map_err(SettingsError::Tls)?, base })
    }

    /// A request on behalf of the caller. Fails on a path segment that URLs give another meaning.
    pub(super) fn request(
        &self,
        ctx: &Context,
        method: Method,
        path: &[&str],
        query: Option<&str>,
    ) -> Result<RequestBuilder> {
        // "." and ".." would silently become another path, and with it another operation.
        if let Some(segment) = path.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
            return Err(Error::Invalid(format!("'{segment}' is not a valid identifier")));
        }
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path);
        }
        url.set_query(query);
        // With HTML acceptable, error texts would come as HTML.
        let request = self.client.request(method, url).header(ACCEPT, "application/json, text/plain");
        Ok(identified(request, ctx))
    }

    /// The JSON of a successful answer, null if it has none.
    pub(super) async fn send(&self, request: RequestBuilder, operation: Operation) -> Result<Value> {
        let again = request.try_clone();
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        if let (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(again)) = (response.status(), again) {
            response = again.send().await.map_err(|error| unreachable(&error))?;
        }
        let status = response.status();
        let body = read_answer(response).await?;
        if !status.is_success() {
            return Err(failure(operation, status, String::from_utf8_lossy(&body).into_owned()));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|error| Error::Internal(format!("the registry's answer: {error}")))
    }
}

fn base_url(settings: &Settings) -> Option<Url> {
    let host = if settings.host.contains(':') && !settings.host.starts_with('[') {
        format!("[{}]", settings.host) // an IPv6 address
    } else {
        settings.host.clone()
    };
    let url = Url::parse(&format!("{}://{host}:{}/", settings.protocol, settings.port)).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn read(path: &Path) -> std::result::Result<Vec<u8>, SettingsError> {
    std::fs::read(path).map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })
}

/// Follows within the registry only, as the token travels along, and only where the method stays (so not 303).
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let within = attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
    if within && attempt.status() != StatusCode::SEE_OTHER && attempt.previous().len() <= MAX_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// Forwards the token, and the identity for a registry that trusts its callers instead of validating tokens.
///
/// A registry whose pipeline takes a call without a token for an admin's must not take an anonymous caller for one:
/// only admins without an identity, which is what such a pipeline makes, go without a token.
fn identified(mut request: RequestBuilder, ctx: &Context) -> RequestBuilder {
    let known = ctx.user.is_some() || ctx.tenant.is_some() || !ctx.roles.is_empty();
    if ctx.is_admin && !known {
        return match &ctx.auth_token {
            Some(token) => request.header("x-auth-token", token),
            None => request,
        };
    }
    let status = if known { "Confirmed" } else { "Invalid" };
    let token = ctx.auth_token.as_deref().unwrap_or("none");
    request = request.header("x-auth-token", token).header("X-Identity-Status", status);
    for (name, value) in [("X-User-Id", &ctx.user), ("X-Tenant-Id", &ctx.tenant)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request.header("X-Roles", ctx.roles.join(","))
}

async fn read_answer(mut response: Response) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(block) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + block.len() > MAX_ANSWER {
            return Err(Error::Internal(format!("the registry's answer has more than {MAX_ANSWER} bytes")));
        }
        body.extend_from_slice(&block);
    }
    Ok(body)
}

/// The library's text names internal addresses; it is for the log only.
fn unreachable(error: &reqwest::Error) -> Error {
    tracing::warn!("registry: {error:?}");
    let text = if error.is_timeout() {
        "The registry did not answer in time"
    } else if error.is_connect() {
        "Connection refused"
    } else {
        "The connection to the registry broke"
    };
    Error::Unavailable(text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use reqwest::Method;

    use super::{Connection, Settings, SettingsError};
    use crate::model::Context;

    fn settings(host: &str) -> Settings {
        Settings {
            protocol: "http".to_owned(),
            host: host.to_owned(),
            port: 9191,
            ca_file: None,
            cert_file: None,
            key_file: None,
            timeout: Duration::from_secs(5),
        }
    }

    fn url(host: &str, path: &[&str]) -> String {
        let connection = Connection::new(&settings(host)).unwrap();
        let request = connection.request(&Context::service(), Method::GET, path, Some("a=b"));
        request.unwrap().build().unwrap().url().to_string()
    }

    #[test]
    fn segments_are_encoded_and_never_change_the_path() {
        assert_eq!(url("127.0.0.1", &["images", "a b/?#%"]), "http://127.0.0.1:9191/images/a%20b%2F%3F%23%25?a=b");
        assert_eq!(url("::1", &["images"]), "http://[::1]:9191/images?a=b");
        let connection = Connection::new(&settings("127.0.0.1")).unwrap();
        for segment in ["", ".", ".."] {
            assert!(connection.request(&Context::service(), Method::PUT, &["images", segment], None).is_err());
        }
    }

    #[test]
    fn only_an_admin_without_identity_goes_without_one() {
        let connection = Connection::new(&settings("127.0.0.1")).unwrap();
        let headers = |ctx: &Context| {
            let request = connection.request(ctx, Method::GET, &["images"], None).unwrap();
            request.build().unwrap().headers().clone()
        };
        assert_eq!(headers(&Context::service()).len(), 1); // Accept
        let stranger = headers(&Context { read_only: true, ..Context::default() });
        assert_eq!(
            (&stranger["x-auth-token"], &stranger["x-identity-status"]),
            (&"none".parse().unwrap(), &"Invalid".parse().unwrap())
        );
        let mut ctx = Context {
            user: Some("u".to_owned()),
            tenant: Some("t".to_owned()),
            roles: vec!["Member".to_owned(), "Admin".to_owned()],
            ..Context::service()
        };
        assert_eq!(headers(&ctx)["x-identity-status"], "Confirmed");
        ctx.auth_token = Some("secret".to_owned());
        let sent = headers(&ctx);
        for (name, value) in [
            ("x-auth-token", "secret"),
            ("x-identity-status", "Confirmed"),
            ("x-user-id", "u"),
            ("x-tenant-id", "t"),
            ("x-roles", "Member,Admin"),
        ] {
            assert_eq!(sent[name], value);
        }
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let refused = |settings: Settings| Connection::new(&settings).unwrap_err();
        assert!(matches!(refused(settings("a b")), SettingsError::Address { .. }));
        assert!(matches!(
            refused(Settings { protocol: "ftp".to_owned(), ..settings("h") }),
            SettingsError::Address { .. }
        ));
        let nowhere = Some(PathBuf::from("/nonexistent/x.pem"));
        let half = Settings { cert_file: nowhere.clone(), ..settings("h") };
        assert!(matches!(refused(half), SettingsError::HalfIdentity));
        let unreadable = Settings { ca_file: nowhere, ..settings("h") };
        assert!(refused(unreadable).to_string().starts_with("cannot read /nonexistent/x.pem"));
    }
}

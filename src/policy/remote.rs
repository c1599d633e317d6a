//! Asking another server whether a rule passes: `http:` and `https:` checks (policy-and-auth §3.2).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use oslopolicy::Question;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity, Response, Url};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

/// An answer that is longer is not the word that permits.
const LONGEST: usize = 1024;
/// For that long a server that did not answer in time is not asked again.
const SILENCE: Duration = Duration::from_secs(5);

/// How the question is put (`remote_content_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Fields of a form, each of which holds JSON.
    Fields,
    /// One object of JSON.
    Json,
}

/// How other servers are asked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) form: Form,
    /// The certificate of a server must be good (`remote_ssl_verify_server_crt`).
    pub(crate) verify: bool,
    /// Who may sign it, and not the system's authorities (`remote_ssl_ca_crt_file`).
    pub(crate) ca: Option<PathBuf>,
    /// Our own certificate (`remote_ssl_client_crt_file`), and its key if that is in another file
    /// (`remote_ssl_client_key_file`).
    pub(crate) certificate: Option<(PathBuf, Option<PathBuf>)>,
    /// From the first try to connect to the end of the answer (`remote_timeout`).
    pub(crate) timeout: Duration,
}

/// Asks other servers.
#[derive(Debug)]
pub(crate) struct Remote {
    client: Client,
    form: Form,
    /// Servers that kept somebody waiting in vain, and when that was.
    silent: Mutex<HashMap<String, Instant>>,
}

impl Remote {
    /// Reads the certificates.
    ///
    /// # Errors
    /// A file cannot be used; the text names it.
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        // Neither the environment of the service nor a redirect says who decides on its policy.
        let mut client = Client::builder().no_proxy().redirect(Policy::none()).timeout(settings.timeout);
        client = match &settings.ca {
            _ if !settings.verify => client.tls_certs_only([]).tls_danger_accept_invalid_certs(true),
            None => client,
            Some(path) => {
                let authorities = Certificate::from_pem_bundle(&read(path)?).map_err(|error| unusable(path, &error))?;
                if authorities.is_empty() {
                    return Err(unusable(path, &"it holds no certificate"));
                }
                client.tls_certs_only(authorities)
            }
        };
        if let Some((path, key)) = &settings.certificate {
            let mut pem = read(path)?;
            if let Some(key) = key {
                pem.push(b'\n');
                pem.extend(read(key)?);
            }
            client = client.identity(Identity::from_pem(&pem).map_err(|error| unusable(path, &error))?);
        }
        let client = client.build().map_err(|error| format!("remote checks are impossible: {error}"))?;
        Ok(Self { client, form: settings.form, silent: Mutex::default() })
    }

    /// What the server says; a failure tells in words why it says nothing, and is in the log.
    pub(super) async fn ask(&self, question: &Question) -> Option<bool> {
        // Boxed, or every request would carry room for it.
        match Box::pin(self.answer(question)).await {
            Ok(answer) => Some(answer),
            Err(reason) => {
                tracing::error!("policy: rule {:?} is denied: {reason}", question.rule);
                None
            }
        }
    }

    async fn answer(&self, question: &Question) -> Result<bool, String> {
        let url = Url::parse(&question.url).map_err(|error| format!("a check names no usable URL: {error}"))?;
        // Without what may be secret.
        let server = url.origin().ascii_serialization();
        if self.is_silent(&server) {
            return Err(format!("{server} has just given no answer in time"));
        }
        let failed = |error: reqwest::Error| {
            if error.is_timeout() {
                self.silent().insert(server.clone(), Instant::now());
            }
            format!("{server} gives no answer: {}", reason(error))
        };
        let (content_type, body) = self.body(question);
        let request = self.client.post(url).header(CONTENT_TYPE, content_type).body(body);
        let response = request.send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!("{server} gives no answer, but status {}", response.status()));
        }
        Ok(text(response).await.map_err(failed)?.is_some_and(|text| permits(&text)))
    }

    /// Whether it is no use to ask a server now: a list may have a question for each of its images.
    fn is_silent(&self, server: &str) -> bool {
        let mut silent = self.silent();
        silent.retain(|_, since| since.elapsed() < SILENCE);
        silent.contains_key(server)
    }

    fn silent(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn body(&self, question: &Question) -> (&'static str, String) {
        let Question { rule, target, credentials, .. } = question;
        match self.form {
            Form::Json => {
                let object = json!({"rule": rule, "target": target, "credentials": credentials});
                ("application/json", object.to_string())
            }
            Form::Fields => {
                let field = |value: Value| value.to_string();
                let body = Serializer::new(String::new())
                    .append_pair("rule", &field(json!(rule)))
                    .append_pair("target", &field(json!(target)))
                    .append_pair("credentials", &field(json!(credentials)))
                    .finish();
                ("application/x-www-form-urlencoded", body)
            }
        }
    }
}

/// Whether this is the one word that permits.
fn permits(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.trim_matches('"') == "True"
}

/// The text of an answer, unless it is too long.
async fn text(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    while let Some(part) = response.chunk().await? {
        if text.len() + part.len() > LONGEST {
            return Ok(None);
        }
        text.extend(part);
    }
    Ok(Some(text))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{} cannot be used: {error}", path.display())
}

/// The innermost cause, which is what an operator can do something about; and no URL.
fn reason(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "not in time".to_owned();
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::permits;

    #[test]
    fn one_word_permits_with_or_without_quotes() {
        for text in ["True", "\"True\"", "\"\"True"] {
            assert!(permits(text.as_bytes()), "{text}");
        }
        for text in ["", "true", "True\n", " True", "'True'", "False", "\"\"", "True True", "1"] {
            assert!(!permits(text.as_bytes()), "{text}");
        }
    }
}

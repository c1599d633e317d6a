//! `/healthcheck`: whether a load balancer should send requests here (operations §3). Outside of all else: nobody has to
//! say who is asking, and no store or database is asked.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use ipnet::IpNet;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::error::{escaped, preferred};
use crate::model::Api;

/// The forms of the answer; of equals the first.
const FORMS: [(&str, &str); 3] = [("text", "plain"), ("text", "html"), ("application", "json")];
/// Headers that proxies add.
const PROXIED: [&str; 5] =
    ["x-forwarded", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-for", "x-forwarded-prefix"];

/// The health check as configured.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    /// Where it is.
    pub(crate) path: String,
    /// What is looked at, in order (`backends`).
    pub(crate) checks: Vec<Check>,
    /// Who is answered; empty: everybody (`allowed_source_ranges`).
    pub(crate) sources: Vec<IpNet>,
    /// Who comes through a proxy is not (`ignore_proxied_requests`).
    pub(crate) ignore_proxied: bool,
    /// More is told than whether (`detailed`).
    pub(crate) details: Option<Details>,
}

/// What is told of the server.
#[derive(Debug, Clone)]
pub(crate) struct Details {
    started: Instant,
}

impl Details {
    /// Of a server that starts now.
    pub(crate) fn of_now() -> Self {
        Self { started: Instant::now() }
    }
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// Out of service while this file is there.
    DisabledBy(Option<PathBuf>),
    /// Out of service while this file is not there.
    EnabledBy(PathBuf),
}

/// What one look has found.
struct Finding {
    fine: bool,
    reason: &'static str,
    details: String,
}

#[derive(Serialize)]
struct Report {
    detailed: bool,
    #[serde(flatten)]
    server: Option<Server>,
    reasons: Vec<Reason>,
}

#[derive(Serialize)]
struct Server {
    version: &'static str,
    hostname: String,
    now: String,
    /// Seconds since the server was started.
    uptime: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Reason {
    Short(&'static str),
    Detailed { reason: &'static str, details: String, class: &'static str },
}

impl Server {
    fn of(details: &Details) -> Self {
        Self {
            version: concat!("gander ", env!("CARGO_PKG_VERSION")),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            now: chrono::Utc::now().format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
            uptime: details.started.elapsed().as_secs(),
        }
    }
}

impl Health {
    /// The answer to a request for it; `None`: there is none for this one.
    pub(super) async fn answer(&self, method: &Method, headers: &HeaderMap, peer: IpAddr) -> Option<Response> {
        let proxied = || PROXIED.iter().any(|name| headers.contains_key(*name));
        let allowed = self.sources.is_empty() || self.sources.iter().any(|range| range.contains(&peer));
        if !allowed || (self.ignore_proxied && proxied()) {
            return None;
        }
        let mut findings = Vec::new();
        for check in &self.checks {
            findings.push(check.look().await);
        }
        Some(answer(method, headers, findings, self.details.as_ref().map(Server::of)))
    }
}

impl Check {
    async fn look(&self) -> Finding {
        let (path, refusal, fine_if_there) = match self {
            Self::DisabledBy(None) => {
                return Finding { fine: true, reason: "OK", details: "No file can take it out of service".to_owned() };
            }
            Self::DisabledBy(Some(path)) => (path, "DISABLED BY FILE", false),
            Self::EnabledBy(path) => (path, "FILE PATH MISSING", true),
        };
        let there = is_there(path).await;
        let details = format!("Path '{}' was {}found", path.display(), if there { "" } else { "not " });
        let fine = there == fine_if_there;
        Finding { fine, reason: if fine { "OK" } else { refusal }, details }
    }
}

async fn is_there(path: &PathBuf) -> bool {
    tokio::fs::try_exists(path).await.unwrap_or(false)
}

fn answer(method: &Method, headers: &HeaderMap, findings: Vec<Finding>, server: Option<Server>) -> Response {
    let head = method == Method::HEAD;
    let healthy = findings.iter().all(|finding| finding.fine);
    let status = match (healthy, head) {
        (true, true) => StatusCode::NO_CONTENT,
        (true, false) => StatusCode::OK,
        (false, _) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (body, content_type) = match preferred(accept, &FORMS) {
        Some(2) => (json(findings, server), "application/json"),
        Some(1) => (html(&findings, server), "text/html; charset=UTF-8"),
        _ => (plain(&findings), "text/plain; charset=UTF-8"),
    };
    let body = if head { String::new() } else { body };
    let mut response = Response::new(Body::empty());
    if status != StatusCode::NO_CONTENT {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    *response.status_mut() = status;
    *response.body_mut() = Body::from(body);
    response
}

fn json(findings: Vec<Finding>, server: Option<Server>) -> String {
    let detailed = server.is_some();
    let reason = |Finding { reason, details, .. }| match detailed {
        true => Reason::Detailed { reason, details, class: "HealthcheckResult" },
        false => Reason::Short(reason),
    };
    let report = Report { detailed, server, reasons: findings.into_iter().map(reason).collect() };
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
    // Writing to memory cannot fail.
    let _ = report.serialize(&mut serializer);
    String::from_utf8_lossy(&text).into_owned()
}

fn plain(findings: &[Finding]) -> String {
    findings.iter().map(|finding| finding.reason).collect::<Vec<_>>().join("\n")
}

fn html(findings: &[Finding], server: Option<Server>) -> String {
    let safe = |text: &str| escaped(text, Api::V2);
    let row = |finding: &Finding| match server {
        Some(_) => format!("<tr><td>{}</td><td>{}</td></tr>", safe(finding.reason), safe(&finding.details)),
        None => format!("<tr><td>{}</td></tr>", safe(finding.reason)),
    };
    let rows: String = findings.iter().map(row).collect();
    let (about, column) = match &server {
        Some(Server { version, hostname, now, uptime }) => (
            format!(
                "<h1>Server status</h1>\n<p>{} on {}, up for {uptime} s at {now}</p>\n",
                safe(version),
                safe(hostname)
            ),
            "<th>Details</th>",
        ),
        None => (String::new(), ""),
    };
    format!(
        "<!DOCTYPE html>\n<html>\n<head><title>Healthcheck Status</title></head>\n<body>\n{about}<table>\n\
         <tr><th>Reason</th>{column}</tr>\n{rows}\n</table>\n</body>\n</html>\n"
    )
}

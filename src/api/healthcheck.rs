//! `/healthcheck`: whether a load balancer should send requests here (operations §3). Outside of all else: nobody has to
//! say who is asking, and no store or database is asked.

use std::net::IpAddr;
use std::path::PathBuf;

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
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// Out of service while this file is there.
    DisabledBy(Option<PathBuf>),
    /// Out of service while this file is not there.
    EnabledBy(PathBuf),
}

#[derive(Serialize)]
struct Report {
    detailed: bool,
    reasons: Vec<&'static str>,
}

impl Health {
    /// The answer to a request for it; `None`: there is none for this one.
    pub(super) async fn answer(&self, method: &Method, headers: &HeaderMap, peer: IpAddr) -> Option<Response> {
        let proxied = || PROXIED.iter().any(|name| headers.contains_key(*name));
        let allowed = self.sources.is_empty() || self.sources.iter().any(|range| range.contains(&peer));
        if !allowed || (self.ignore_proxied && proxied()) {
            return None;
        }
        let mut healthy = true;
        let mut reasons = Vec::new();
        for check in &self.checks {
            let (fine, reason) = check.look().await;
            healthy &= fine;
            reasons.push(reason);
        }
        Some(answer(method, headers, healthy, reasons))
    }
}

impl Check {
    async fn look(&self) -> (bool, &'static str) {
        match self {
            Self::DisabledBy(Some(path)) if is_there(path).await => (false, "DISABLED BY FILE"),
            Self::DisabledBy(_) => (true, "OK"),
            Self::EnabledBy(path) if is_there(path).await => (true, "OK"),
            Self::EnabledBy(_) => (false, "FILE PATH MISSING"),
        }
    }
}

async fn is_there(path: &PathBuf) -> bool {
    tokio::fs::try_exists(path).await.unwrap_or(false)
}

fn answer(method: &Method, headers: &HeaderMap, healthy: bool, reasons: Vec<&'static str>) -> Response {
    let head = method == Method::HEAD;
    let status = match (healthy, head) {
        (true, true) => StatusCode::NO_CONTENT,
        (true, false) => StatusCode::OK,
        (false, _) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (body, content_type) = match preferred(accept, &FORMS) {
        Some(2) => (json(reasons), "application/json"),
        Some(1) => (html(&reasons), "text/html; charset=UTF-8"),
        _ => (reasons.join("\n"), "text/plain; charset=UTF-8"),
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

fn json(reasons: Vec<&'static str>) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
    // Writing to memory cannot fail.
    let _ = Report { detailed: false, reasons }.serialize(&mut serializer);
    String::from_utf8_lossy(&text).into_owned()
}

fn html(reasons: &[&str]) -> String {
    let rows: String = reasons.iter().map(|reason| format!("<tr><td>{}</td></tr>", escaped(reason, Api::V2))).collect();
    format!(
        "<!DOCTYPE html>\n<html>\n<head><title>Healthcheck Status</title></head>\n<body>\n<table>\n\
         <tr><th>Reason</th></tr>\n{rows}\n</table>\n</body>\n</html>\n"
    )
}

//! Pages of other origins that talk to us from a browser (operations §5).
//!
//! By hand, as Glance's filter differs from what the libraries do: it names the method that was asked for, not all of them,
//! and answers every `OPTIONS`.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

/// Headers that may always be sent.
const SIMPLE: [&str; 8] = [
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Cache-Control",
    "Content-Language",
    "Expires",
    "Last-Modified",
    "Pragma",
];

/// Who may talk to us from where, as configured (`[cors]`).
#[derive(Debug, Clone, Default)]
pub(crate) struct Cors {
    /// Origins, or `*`; none: nobody is told anything (`allowed_origin`).
    pub(crate) origins: Vec<String>,
    /// Credentials may come along (`allow_credentials`).
    pub(crate) credentials: bool,
    /// Headers that pages may read (`expose_headers`).
    pub(crate) exposed: Vec<String>,
    /// Seconds that a browser may remember an answer to a preflight (`max_age`).
    pub(crate) max_age: u64,
    /// Methods that pages may use (`allow_methods`).
    pub(crate) methods: Vec<String>,
    /// Headers that pages may send (`allow_headers`).
    pub(crate) headers: Vec<String>,
}

/// What `OPTIONS` is answered: 200 without a body.
pub(super) fn greeting() -> Response {
    (StatusCode::OK, [(CONTENT_LENGTH, HeaderValue::from(0))]).into_response()
}

/// What of a request decides.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    cors: &'a Cors,
    options: bool,
    /// The origin as the answer has to name it, if it is an allowed one.
    origin: Option<HeaderValue>,
    headers: HeaderMap,
}

impl Cors {
    /// Looks at a request before it is answered.
    pub(super) fn visit(&self, request: &Request) -> Visit<'_> {
        let origin = request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok());
        let allowed = origin.and_then(|origin| self.origins.iter().find(|known| *known == origin || *known == "*"));
        let options = request.method() == Method::OPTIONS;
        let mut headers = HeaderMap::new();
        if options && allowed.is_some() {
            for name in [ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_REQUEST_HEADERS] {
                headers.extend(request.headers().get(&name).map(|value| (name, value.clone())));
            }
        }
        Visit { cors: self, options, origin: allowed.and_then(|origin| HeaderValue::from_str(origin).ok()), headers }
    }
}

impl Visit<'_> {
    /// Whether `OPTIONS` is what was asked; then nobody else has to answer.
    pub(super) fn is_options(&self) -> bool {
        self.options
    }

    /// Whether a browser asks before it asks.
    pub(super) fn is_preflight(&self) -> bool {
        self.options && self.origin.is_some() && self.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Adds to an answer what the browser has to know.
    pub(super) fn finish(self, mut response: Response) -> Response {
        let Some(origin) = self.origin.clone() else { return response };
        let granted = if self.options { self.preflight() } else { self.simple() };
        let headers = response.headers_mut();
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return response;
        }
        if let Some(granted) = granted {
            headers.append(VARY, HeaderValue::from_static("Origin"));
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            if self.cors.credentials {
                headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            }
            headers.extend(
                granted.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::from_str(&text).ok()?))),
            );
        }
        response
    }

    fn simple(&self) -> Option<Vec<(HeaderName, String)>> {
        let exposed = (!self.cors.exposed.is_empty()).then(|| self.cors.exposed.join(","));
        Some(exposed.map(|names| (ACCESS_CONTROL_EXPOSE_HEADERS, names)).into_iter().collect())
    }

    /// `None`: not granted, of which nothing is told.
    fn preflight(&self) -> Option<Vec<(HeaderName, String)>> {
        let text = |name: &HeaderName| self.headers.get(name).and_then(|value| value.to_str().ok());
        let method = text(&ACCESS_CONTROL_REQUEST_METHOD)?;
        let wanted: Vec<&str> = text(&ACCESS_CONTROL_REQUEST_HEADERS)
            .into_iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let listed = |name: &str| self.cors.headers.iter().any(|known| known.eq_ignore_ascii_case(name));
        let allowed = |name: &&str| SIMPLE.iter().any(|known| known.eq_ignore_ascii_case(name)) || listed(name);
        if !self.cors.methods.iter().any(|known| known == method) || !wanted.iter().all(allowed) {
            return None;
        }
        let mut granted = vec![(ACCESS_CONTROL_ALLOW_METHODS, method.to_owned())];
        if self.cors.max_age > 0 {
            granted.push((ACCESS_CONTROL_MAX_AGE, self.cors.max_age.to_string()));
        }
        if !wanted.is_empty() {
            granted.push((ACCESS_CONTROL_ALLOW_HEADERS, wanted.join(",")));
        }
        Some(granted)
    }
}

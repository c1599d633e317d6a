//! Version negotiation: which API a request wants (v1-api §3).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::uri::PathAndQuery;
use http::{HeaderMap, StatusCode, Uri};

/// Media types that name an image API version.
const MEDIA_TYPE: &str = "application/vnd.openstack.images-";

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The list of versions.
    Versions,
    /// v1, at this path.
    V1 { path: String },
}

/// Decides by the first path segment, then by the `Accept` header.
pub(crate) fn negotiate(path: &str, headers: &HeaderMap) -> Wanted {
    let rest = path.trim_start_matches('/');
    let (segment, after) = rest.split_once('/').map_or((rest, ""), |(segment, after)| (segment, after));
    if segment == "versions" {
        return Wanted::Versions;
    }
    if let Some(version) = version_of(segment) {
        if is_v1(version) {
            return Wanted::V1 { path: format!("/{after}") };
        }
        tracing::debug!("Unknown version in versioned URI: {}.{}. Returning version choices.", version.0, version.1);
        return Wanted::Versions;
    }
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    match accept.strip_prefix(MEDIA_TYPE).map(version_of) {
        Some(Some(version)) if !is_v1(version) => {
            tracing::debug!(
                "Unknown version in accept header: {}.{}. Returning version choices.",
                version.0,
                version.1
            );
            Wanted::Versions
        }
        Some(_) => Wanted::V1 { path: path.to_owned() },
        None => {
            if !matches!(accept, "" | "*/*") {
                tracing::debug!("Unknown accept header: {accept}. Returning version choices.");
            }
            Wanted::Versions
        }
    }
}

/// `vN`, optionally `.M`; what follows is ignored, a missing minor is 0.
fn version_of(segment: &str) -> Option<(u32, u32)> {
    let digits = segment.strip_prefix('v')?;
    let (major, rest) = leading_number(digits)?;
    let minor = leading_number(rest.strip_prefix('.').unwrap_or(rest)).map_or(0, |(minor, _)| minor);
    Some((major, minor))
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    digits.parse().ok().map(|number| (number, rest))
}

/// v1.1 is advertised as current, but only v1.0 was ever routed (v1-api §3.1).
fn is_v1(version: (u32, u32)) -> bool {
    version == (1, 0)
}

/// The same URI with another path.
pub(crate) fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// `300 Multiple Choices`. Clients of 2012 compare the text byte for byte, so its order is fixed here.
pub(crate) fn document(base: &str) -> Response {
    let entry = |status: &str, id: &str| {
        format!(r#"{{"status": "{status}", "id": "{id}", "links": [{{"href": "{base}/v1/", "rel": "self"}}]}}"#)
    };
    let body = format!(r#"{{"versions": [{}, {}]}}"#, entry("CURRENT", "v1.1"), entry("SUPPORTED", "v1.0"));
    (StatusCode::MULTIPLE_CHOICES, [(CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

/// `scheme://host` as the client named us. A `Host` that could break out of a JSON string or a header is not used.
pub(crate) fn base_url(headers: &HeaderMap, scheme: &str) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let sound = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    format!("{scheme}://{}", host.filter(sound).unwrap_or("localhost"))
}

#[cfg(test)]
mod tests {
    use super::{Wanted, negotiate};
    use http::header::ACCEPT;
    use http::{HeaderMap, HeaderValue};

    fn ask(path: &str, accept: &str) -> Wanted {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        negotiate(path, &headers)
    }

    #[test]
    fn the_truth_table_of_the_specification() {
        let v1 = |path: &str| Wanted::V1 { path: path.to_owned() };
        for (path, accept, wanted) in [
            ("/", "", Wanted::Versions),
            ("/images", "", Wanted::Versions),
            ("/v1/images", "", v1("/images")),
            ("/", "unknown", Wanted::Versions),
            ("/images", "application/vnd.openstack.images-v1", v1("/images")),
            ("/images", "application/vnd.openstack.compute-v1", Wanted::Versions),
            ("/v1.0/images", "", v1("/images")),
            ("/v1.a/images", "", v1("/images")),
            ("/va.1/images", "", Wanted::Versions),
            ("/versions", "", Wanted::Versions),
            ("/versions", "application/vnd.openstack.images-v1", Wanted::Versions),
            ("/v1/versions", "", v1("/versions")),
            ("/v2/versions", "", Wanted::Versions),
            ("/images", "application/vnd.openstack.images-v2", Wanted::Versions),
            ("/images", "application/vnd.openstack.images-foo", v1("/images")),
            ("/v1.2/images", "", Wanted::Versions),
            ("/v1.1/images", "", Wanted::Versions),
            ("/v1/", "", v1("/")),
            ("/v1", "", v1("/")),
        ] {
            assert_eq!(ask(path, accept), wanted, "{path} {accept}");
        }
    }
}

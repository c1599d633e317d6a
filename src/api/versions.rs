//! Version negotiation: which API a request wants (v1-api §3, v2-images §1).

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, StatusCode, Uri};

/// Media types that name an image API version.
const MEDIA_TYPE: &str = "application/vnd.openstack.images-";

/// The APIs that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// v1 is served.
    pub(crate) v1: bool,
    /// `None`: v2 is not.
    pub(crate) v2: Option<V2>,
}

/// What decides about the minor versions of v2 that there are: each names things that can be done since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct V2 {
    /// There is an image cache.
    pub(crate) cache: bool,
    /// There are several stores to choose from.
    pub(crate) several_stores: bool,
}

impl V2 {
    /// Whether this minor is a prefix of paths (v2-images §1.2).
    fn routes(self, minor: u32) -> bool {
        match minor {
            0..=7 | 9 | 15 | 17 => true,
            14 | 16 | 18 => self.cache,
            8 | 10..=13 => self.several_stores,
            _ => false,
        }
    }

    /// The minors in the order of the document (v2-images §1.1).
    fn listed(self) -> Vec<u32> {
        let newest: &[u32] = if self.cache { &[18, 17, 16, 15, 14] } else { &[15] };
        let of_stores: &[u32] = if self.several_stores { &[13, 12, 11, 10, 9, 8] } else { &[9] };
        let current: &[u32] = if self.cache { &[] } else { &[17] };
        [newest, of_stores, current].concat().into_iter().chain((0..=7).rev()).collect()
    }
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The list of versions, because it asks for it (true) or for nothing that there is (false).
    Versions { asked: bool },
    /// v1, at this path.
    V1 { path: String },
    /// v2, at this path; `None` for the bare prefix, which leads to `/v2/`.
    V2 { path: Option<String> },
}

/// Decides by the first path segment, then by the `Accept` header.
pub(crate) fn negotiate(path: &str, headers: &HeaderMap, offer: Offer) -> Wanted {
    let rest = path.trim_start_matches('/');
    let (segment, after) = rest.split_once('/').map_or((rest, None), |(segment, after)| (segment, Some(after)));
    if segment == "versions" {
        return Wanted::Versions { asked: true };
    }
    if let Some(v2) = offer.v2
        && segment.strip_prefix('v').and_then(minor_of_v2).is_some_and(|minor| v2.routes(minor))
    {
        return Wanted::V2 { path: after.map(|after| format!("/{after}")) };
    }
    if let Some(version) = version_of(segment) {
        if offer.v1 && is_v1(version) {
            return Wanted::V1 { path: format!("/{}", after.unwrap_or("")) };
        }
        tracing::debug!("Unknown version in versioned URI: {}.{}. Returning version choices.", version.0, version.1);
        return Wanted::Versions { asked: false };
    }
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let named = accept.strip_prefix(MEDIA_TYPE);
    if let Some(v2) = offer.v2
        && named.and_then(|named| minor_of_v2(named.strip_prefix('v')?)).is_some_and(|minor| v2.routes(minor))
    {
        return Wanted::V2 { path: Some(path.to_owned()) };
    }
    match named.map(version_of) {
        Some(Some(version)) if !is_v1(version) => {
            tracing::debug!(
                "Unknown version in accept header: {}.{}. Returning version choices.",
                version.0,
                version.1
            );
            Wanted::Versions { asked: false }
        }
        Some(_) if offer.v1 => Wanted::V1 { path: path.to_owned() },
        _ => {
            if !matches!(accept, "" | "*/*") {
                tracing::debug!("Unknown accept header: {accept}. Returning version choices.");
            }
            Wanted::Versions { asked: false }
        }
    }
}

/// `2` or `2.N`, and nothing else.
fn minor_of_v2(version: &str) -> Option<u32> {
    match version.strip_prefix('2')? {
        "" => Some(0),
        rest => {
            let minor = rest.strip_prefix('.')?;
            let plain = minor == "0" || (!minor.starts_with('0') && minor.bytes().all(|b| b.is_ascii_digit()));
            minor.parse().ok().filter(|_| plain)
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

/// Gives a request the path that the routes know.
pub(crate) fn lead_to(path: &str, request: &mut Request) {
    if let Some(uri) = with_path(request.uri(), path) {
        *request.uri_mut() = uri;
    }
}

/// The same URI with another path.
fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// The list of versions: `300 Multiple Choices`, or 200 where v2 is and somebody asked for it. Clients of 2012 compare the
/// text byte for byte, so its order is fixed here.
pub(crate) fn document(base: &str, offer: Offer, asked: bool) -> Response {
    let entry = |status: &str, id: &str, path: &str| {
        format!(r#"{{"status": "{status}", "id": "{id}", "links": [{{"href": "{base}/{path}/", "rel": "self"}}]}}"#)
    };
    let minors = offer.v2.map(V2::listed).unwrap_or_default();
    let current = minors.iter().max();
    let mut entries: Vec<String> = minors
        .iter()
        .map(|minor| {
            let status = if Some(minor) == current { "CURRENT" } else { "SUPPORTED" };
            entry(status, &format!("v2.{minor}"), "v2")
        })
        .collect();
    let v1 = if minors.is_empty() { "CURRENT" } else { "SUPPORTED" };
    if offer.v1 {
        entries.extend([entry(v1, "v1.1", "v1"), entry("SUPPORTED", "v1.0", "v1")]);
    }
    let body = format!(r#"{{"versions": [{}]}}"#, entries.join(", "));
    let status = if asked && offer.v2.is_some() { StatusCode::OK } else { StatusCode::MULTIPLE_CHOICES };
    (status, [(CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::{Offer, V2, Wanted, negotiate};
    use http::header::ACCEPT;
    use http::{HeaderMap, HeaderValue};

    const V1_ONLY: Offer = Offer { v1: true, v2: None };
    const BOTH: Offer = Offer { v1: true, v2: Some(V2 { cache: true, several_stores: false }) };

    fn ask(path: &str, accept: &str, offer: Offer) -> Wanted {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        negotiate(path, &headers, offer)
    }

    #[test]
    fn the_truth_table_of_the_specification() {
        let v1 = |path: &str| Wanted::V1 { path: path.to_owned() };
        let versions = || Wanted::Versions { asked: false };
        for (path, accept, wanted) in [
            ("/", "", versions()),
            ("/images", "", versions()),
            ("/v1/images", "", v1("/images")),
            ("/", "unknown", versions()),
            ("/images", "application/vnd.openstack.images-v1", v1("/images")),
            ("/images", "application/vnd.openstack.compute-v1", versions()),
            ("/v1.0/images", "", v1("/images")),
            ("/v1.a/images", "", v1("/images")),
            ("/va.1/images", "", versions()),
            ("/versions", "", Wanted::Versions { asked: true }),
            ("/versions", "application/vnd.openstack.images-v1", Wanted::Versions { asked: true }),
            ("/v1/versions", "", v1("/versions")),
            ("/v2/versions", "", versions()),
            ("/images", "application/vnd.openstack.images-v2", versions()),
            ("/images", "application/vnd.openstack.images-foo", v1("/images")),
            ("/v1.2/images", "", versions()),
            ("/v1.1/images", "", versions()),
            ("/v1/", "", v1("/")),
            ("/v1", "", v1("/")),
        ] {
            assert_eq!(ask(path, accept, V1_ONLY), wanted, "{path} {accept}");
        }
    }

    #[test]
    fn cache_and_several_stores_fill_the_list_of_minors() {
        let minors = |cache, several_stores| V2 { cache, several_stores }.listed();
        assert_eq!(minors(true, true), (0..=18).rev().collect::<Vec<_>>());
        assert_eq!(minors(false, true), [15, 13, 12, 11, 10, 9, 8, 17, 7, 6, 5, 4, 3, 2, 1, 0]);
        assert_eq!(minors(true, false), [18, 17, 16, 15, 14, 9, 7, 6, 5, 4, 3, 2, 1, 0]);
        for (cache, several_stores) in [(true, true), (true, false), (false, true), (false, false)] {
            let v2 = V2 { cache, several_stores };
            let (listed, routed): (Vec<_>, Vec<_>) = (v2.listed(), (0..30).filter(|minor| v2.routes(*minor)).collect());
            assert!(routed.len() == listed.len() && routed.iter().all(|minor| listed.contains(minor)), "{v2:?}");
        }
    }

    #[test]
    fn v2_is_found_beside_v1() {
        let v1 = |path: &str| Wanted::V1 { path: path.to_owned() };
        let v2 = |path: &str| Wanted::V2 { path: Some(path.to_owned()) };
        for (path, accept, wanted) in [
            ("/", "", Wanted::Versions { asked: false }),
            ("/versions/x", "", Wanted::Versions { asked: true }),
            ("/v1/images", "", v1("/images")),
            ("/v2", "", Wanted::V2 { path: None }),
            ("/v2/", "", v2("/")),
            ("//v2/images", "", v2("/images")),
            ("/v2.0/images", "", v2("/images")),
            ("/v2.18/images", "", v2("/images")),
            ("/v2.8/images", "", Wanted::Versions { asked: false }),
            ("/v2.01/images", "", Wanted::Versions { asked: false }),
            ("/v3/images", "", Wanted::Versions { asked: false }),
            ("/images", "application/vnd.openstack.images-v2", v2("/images")),
            ("/images", "application/vnd.openstack.images-v2.7", v2("/images")),
            ("/images", "application/vnd.openstack.images-v2.99", Wanted::Versions { asked: false }),
            ("/images", "application/vnd.openstack.images-v1", v1("/images")),
        ] {
            assert_eq!(ask(path, accept, BOTH), wanted, "{path} {accept}");
        }
        let alone = Offer { v1: false, ..BOTH };
        for (path, accept) in [("/v1/images", ""), ("/images", "application/vnd.openstack.images-v1")] {
            assert_eq!(ask(path, accept, alone), Wanted::Versions { asked: false }, "{path}");
        }
        let uncached = Offer { v1: true, v2: Some(V2 { cache: false, several_stores: false }) };
        assert_eq!(ask("/v2.18/images", "", uncached), Wanted::Versions { asked: false });
    }
}

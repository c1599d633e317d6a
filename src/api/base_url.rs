//! Where the client found us, for links (operations §4).

use http::HeaderMap;
use http::header::{FORWARDED, HOST};

use crate::model::ImageId;

/// How links are made, as configured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    /// What they begin with, whatever the client called us (`public_endpoint`).
    pub(crate) public_endpoint: Option<String>,
    /// The proxy in front is believed about how the client called it (`enable_proxy_headers_parsing`).
    pub(crate) believe_proxy: bool,
}

/// Scheme, host and perhaps a prefix under which the client reached us.
#[derive(Debug, Clone)]
pub(super) struct BaseUrl(pub(super) String);

impl BaseUrl {
    /// As the client named us, or as the operator does. What could break out of a JSON string or a header is not used.
    /// `encrypted`: its connection is one of TLS.
    pub(super) fn of(headers: &HeaderMap, encrypted: bool, links: &Links) -> Self {
        if let Some(endpoint) = &links.public_endpoint {
            return Self(endpoint.trim_end_matches('/').to_owned());
        }
        let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let (mut scheme, mut host, mut prefix) = (None, None, None);
        if links.believe_proxy {
            if let Some(forwarded) = headers.get(FORWARDED).and_then(|value| value.to_str().ok()) {
                (scheme, host) = (forwarded_as(forwarded, "proto"), forwarded_as(forwarded, "host"));
            } else {
                (scheme, host) = (named("x-forwarded-proto"), named("x-forwarded-host"));
            }
            prefix = named("x-forwarded-prefix");
        }
        let own = if encrypted { "https" } else { "http" };
        let scheme = scheme.filter(|scheme| matches!(*scheme, "http" | "https")).unwrap_or(own);
        let own = headers.get(HOST).and_then(|value| value.to_str().ok());
        let host = host.filter(is_sound).or(own.filter(is_sound)).unwrap_or("localhost");
        let prefix = prefix.map(|prefix| prefix.trim_matches('/')).filter(|prefix| prefix.bytes().all(is_plain));
        Self(match prefix {
            Some(prefix) if !prefix.is_empty() => format!("{scheme}://{host}/{prefix}"),
            _ => format!("{scheme}://{host}"),
        })
    }

    /// Where v1 finds an image again.
    pub(super) fn v1_image(&self, id: &ImageId) -> String {
        format!("{}/v1/images/{id}", self.0)
    }

    /// Where v2 finds an image again.
    pub(super) fn v2_image(&self, id: &ImageId) -> String {
        format!("{}/v2/images/{id}", self.0)
    }
}

fn is_sound(host: &&str) -> bool {
    !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

/// What a path may have without being quoted.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte)
}

/// A parameter of the first element of `Forwarded` (RFC 7239 §4).
fn forwarded_as<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let first = header.split(',').next()?;
    let pairs = first.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use http::header::HOST;
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{BaseUrl, Links};

    fn base(headers: &[(&'static str, &'static str)], believe_proxy: bool) -> String {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        BaseUrl::of(&headers, false, &Links { public_endpoint: None, believe_proxy }).0
    }

    #[test]
    fn tls_is_told_unless_a_proxy_tells_what_was_before_it() {
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("here"))]);
        let base =
            |headers: &HeaderMap| BaseUrl::of(headers, true, &Links { public_endpoint: None, believe_proxy: true }).0;
        assert_eq!(base(&headers), "https://here");
        headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
        assert_eq!(base(&headers), "http://here");
    }

    #[test]
    fn a_proxy_is_believed_only_where_the_operator_says_so() {
        let all = [
            ("host", "here:9292"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "img.example.com"),
            ("x-forwarded-prefix", "/image"),
        ];
        assert_eq!(base(&all, false), "http://here:9292");
        assert_eq!(base(&all, true), "https://img.example.com/image");
    }

    #[test]
    fn the_standard_header_stands_above_the_others() {
        let all = [
            ("host", "here"),
            ("forwarded", "for=10.0.0.1;proto=https;Host=\"a.example:443\", proto=http;host=b"),
            ("x-forwarded-host", "c"),
        ];
        assert_eq!(base(&all, true), "https://a.example:443");
        assert_eq!(base(&[("host", "here"), ("forwarded", "for=x"), ("x-forwarded-host", "c")], true), "http://here");
    }

    #[test]
    fn what_is_no_host_is_not_used() {
        assert_eq!(base(&[("host", "a\"b")], false), "http://localhost");
        let all =
            [("host", "h"), ("x-forwarded-host", "a b"), ("x-forwarded-proto", "x"), ("x-forwarded-prefix", "\"")];
        assert_eq!(base(&all, true), "http://h");
    }
}

//! Requests of HTTP/2, told as HTTP/1.1 would. Its settings are in [`super::connection`], its timing in [`super::streams`] and
//! [`super::reading`].

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Uri, Version};
use hyper::body::Body;

/// The request as HTTP/1.1 would have said it: with the host in a header, without one in the target, and with a body of
/// unknown length marked as such (RFC 9113 §8.2.2, §8.3.1; RFC 9112 §3.2, §6.3).
pub(super) fn in_words_of_http1<B: Body>(mut request: Request<B>) -> Request<B> {
    if request.version() != Version::HTTP_2 {
        return request;
    }
    let target = std::mem::take(request.uri_mut()).into_parts();
    let path = target.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    let host = target.authority.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let unknown = !request.body().is_end_stream() && !request.headers().contains_key(CONTENT_LENGTH);
    let headers = request.headers_mut();
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    if unknown {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    request
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Request, Version};

    use super::in_words_of_http1;

    fn request(version: Version, body: Body) -> Request<Body> {
        let request = Request::put("https://images.example:9292/v2/images?limit=1").version(version);
        in_words_of_http1(request.header("host", "elsewhere").body(body).unwrap())
    }

    #[test]
    fn host_and_body_are_told_in_headers() {
        let empty = request(Version::HTTP_2, Body::empty());
        assert_eq!(empty.uri(), "/v2/images?limit=1");
        assert_eq!(empty.headers()["host"], "images.example:9292");
        assert!(!empty.headers().contains_key("transfer-encoding"));
        let of_unknown_length = request(Version::HTTP_2, Body::from("data"));
        assert_eq!(of_unknown_length.headers()["transfer-encoding"], "chunked");
    }

    #[test]
    fn what_is_http1_stays_as_it_is() {
        let request = request(Version::HTTP_11, Body::from("data"));
        assert_eq!((request.uri().host(), request.headers().len()), (Some("images.example"), 1));
    }
}

//! Bodies of error answers: plain text, or HTML for those who accept it (v1-api §6).
//!
//! Clients and tests search these bodies for fragments, so the blanks and newlines matter.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde_json::json;

use super::ApiError;
use super::accept::preferred;
use crate::model::Api;

/// The form in which one request's client takes errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    api: Api,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No body, as for every answer to HEAD.
    Empty,
    /// `text/plain`
    Plain,
    /// `text/html`
    Html,
    /// `application/json`, only in v2.
    Json,
}

impl Form {
    /// What this request's method and `Accept` header ask for.
    pub(crate) fn of<B>(request: &Request<B>, api: Api) -> Self {
        let kind = match api {
            _ if request.method() == Method::HEAD => Kind::Empty,
            Api::V1 => v1_kind(request.headers()),
            Api::V2 => v2_kind(request.headers()),
        };
        Self { api, kind }
    }

    /// Gives the [`ApiError`] that a response carries its body; other responses pass.
    pub(crate) fn apply(self, mut response: Response) -> Response {
        match response.extensions_mut().remove::<ApiError>() {
            Some(error) => error.render(self),
            None => response,
        }
    }

    /// The answer of `work`, with errors rendered; a panic costs one request its answer, not the server its life.
    pub(crate) async fn guard(self, work: impl Future<Output = Response>) -> Response {
        let answer = AssertUnwindSafe(work).catch_unwind().await;
        self.apply(answer.unwrap_or_else(|_| {
            tracing::error!("a request handler panicked");
            ApiError::internal().into_response()
        }))
    }
}

/// v1 looks no further than whether the words are there.
fn v1_kind(headers: &HeaderMap) -> Kind {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let html = accept.is_some_and(|accept| accept.contains("html") || accept.contains("*/*"));
    if html { Kind::Html } else { Kind::Plain }
}

/// HTML wins ties: `glanceclient` accepts anything, and takes only HTML apart (v2-images §2.3).
fn v2_kind(headers: &HeaderMap) -> Kind {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    match preferred(accept, &[("text", "html"), ("application", "json")]) {
        Some(0) => Kind::Html,
        Some(_) => Kind::Json,
        None => Kind::Plain,
    }
}

impl ApiError {
    fn render(&self, form: Form) -> Response {
        let (body, content_type) = match (form.api, form.kind) {
            (Api::V1, Kind::Empty) => (String::new(), "text/plain; charset=UTF-8"),
            (Api::V2, Kind::Empty) => (String::new(), "text/html; charset=UTF-8"),
            // v1's faults are always plain text, whatever the client accepts.
            (Api::V1, Kind::Html) if self.status != StatusCode::INTERNAL_SERVER_ERROR => {
                (self.html(form.api), "text/html; charset=UTF-8")
            }
            (Api::V1, _) => (self.v1_plain(), "text/plain; charset=UTF-8"),
            (Api::V2, Kind::Html) => (self.html(form.api), "text/html; charset=UTF-8"),
            (Api::V2, Kind::Json) => (self.json(), "application/json"),
            (Api::V2, Kind::Plain) => (self.v2_plain(), "text/plain; charset=UTF-8"),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if form.kind == Kind::Empty {
            // hyper announces no length in answers to HEAD by itself [v1-api §6].
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
        }
        if let Some(value) = self.size.and_then(|size| HeaderValue::from_str(&format!("bytes */{size}")).ok()) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        if let Some((name, value)) = self.header.as_deref().cloned() {
            headers.insert(name, value);
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn v1_plain(&self) -> String {
        let (explanation, detail) = (flat(self.explanation()), flat(&self.detail));
        format!("{}\n\n{explanation}\n\n {detail}  ", self.status_line(Api::V1))
    }

    fn v2_plain(&self) -> String {
        format!("{}\n\n{}\n", self.status_line(Api::V2), untagged(&self.message(str::to_owned)))
    }

    fn html(&self, api: Api) -> String {
        let (status, message) = (self.status_line(api), self.message(|text| escaped(text, api)));
        format!(
            "<html>\n <head>\n  <title>{status}</title>\n </head>\n <body>\n  <h1>{status}</h1>\n  {message}\n \
             </body>\n</html>"
        )
    }

    fn json(&self) -> String {
        let message = self.message(str::to_owned);
        json!({"message": message, "code": self.status_line(Api::V2), "title": self.title(Api::V2)}).to_string()
    }

    /// Explanation and detail as they stand in HTML, and in JSON just so.
    fn message(&self, spell: impl Fn(&str) -> String) -> String {
        let (explanation, detail) = (spell(self.explanation()), spell(&self.detail));
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                format!("{explanation}<br /><br />\n{detail}")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => format!("{explanation}\n<br /><br />\n{detail}"),
            _ => format!("{explanation}<br /><br />\n{detail}\n\n"),
        }
    }

    fn status_line(&self, api: Api) -> String {
        format!("{} {}", self.status.as_u16(), self.title(api))
    }

    fn title(&self, api: Api) -> &'static str {
        match (self.status, api) {
            // The names of their times.
            (StatusCode::PAYLOAD_TOO_LARGE, _) => "Request Entity Too Large",
            (StatusCode::RANGE_NOT_SATISFIABLE, Api::V1) => "Requested Range Not Satisfiable",
            (StatusCode::RANGE_NOT_SATISFIABLE, Api::V2) => "Request Range Not Satisfiable",
            (status, _) => status.canonical_reason().unwrap_or("Unknown"),
        }
    }

    fn explanation(&self) -> &str {
        if let Some(explanation) = &self.explanation {
            return explanation;
        }
        match self.status {
            StatusCode::BAD_REQUEST => {
                "The server could not comply with the request since it is either malformed or otherwise incorrect."
            }
            StatusCode::UNAUTHORIZED => {
                "This server could not verify that you are authorized to access the document you requested. Either \
                 you supplied the wrong credentials (e.g., bad password), or your browser does not understand how \
                 to supply the credentials required."
            }
            StatusCode::FORBIDDEN => "Access was denied to this resource.",
            StatusCode::NOT_FOUND => "The resource could not be found.",
            StatusCode::PRECONDITION_FAILED => "The resource is no longer in the state that this request needs.",
            StatusCode::GONE => "This resource is no longer available.  No forwarding address is given.",
            StatusCode::CONFLICT => "There was a conflict when trying to complete your request.",
            StatusCode::PAYLOAD_TOO_LARGE => "The body of your request was too large for this server.",
            StatusCode::RANGE_NOT_SATISFIABLE => "The Range requested is not available.",
            StatusCode::SERVICE_UNAVAILABLE => "The server is currently unavailable. Please try again at a later time.",
            StatusCode::INTERNAL_SERVER_ERROR => "The server could not complete the request because of a fault.",
            _ => "",
        }
    }
}

/// One line without markup: newlines become blanks.
fn flat(text: &str) -> String {
    untagged(text).replace('\n', " ").replace('\r', "")
}

/// Text without what stands between `<` and `>`.
fn untagged(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        let Some((_, after)) = tail.split_once('>') else { break };
        line.push_str(before);
        rest = after;
    }
    line.push_str(rest);
    line
}

/// Text as the content of an HTML element; five characters are too few for a library.
pub(in crate::api) fn escaped(text: &str, api: Api) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    if api == Api::V1 {
        return text;
    }
    let ascii = |c: char| if c.is_ascii() { c.to_string() } else { format!("&#{};", u32::from(c)) };
    text.replace('\'', "&#x27;").chars().map(ascii).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::http::{StatusCode, header};
    use axum::response::{IntoResponse, Response};

    use super::{ApiError, Form, Kind, flat};
    use crate::model::Api;

    const PLAIN: Form = Form { api: Api::V1, kind: Kind::Plain };
    const HTML: Form = Form { api: Api::V1, kind: Kind::Html };

    async fn body(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_request_decides_the_form() {
        for (method, accept, form) in [
            ("GET", None, Kind::Plain),
            ("GET", Some("application/json"), Kind::Plain),
            ("PUT", Some("*/*"), Kind::Html),
            ("GET", Some("application/xml, text/html;q=0.9"), Kind::Html),
            ("HEAD", Some("text/html"), Kind::Empty),
        ] {
            let mut request = Request::builder().method(method);
            if let Some(accept) = accept {
                request = request.header(header::ACCEPT, accept);
            }
            assert_eq!(Form::of(&request.body(()).unwrap(), Api::V1).kind, form, "{method} {accept:?}");
        }
    }

    #[tokio::test]
    async fn plain_text_is_flat() {
        let error = ApiError::bad_request("Got error:\r\nDetails: <b>bold</b> 1 < 2");
        let expected = "400 Bad Request\n\nThe server could not comply with the request since it is either malformed \
                        or otherwise incorrect.\n\n Got error: Details: bold 1 < 2  ";
        assert_eq!(body(error.render(PLAIN)).await, expected);
        let silent = ApiError::not_found("").explained("gone");
        assert_eq!(body(silent.render(PLAIN)).await, "404 Not Found\n\ngone\n\n   ");
    }

    #[tokio::test]
    async fn html_is_escaped_and_keeps_newlines() {
        let error = ApiError::forbidden("<script>\n\"&").explained("<no>");
        let expected = "<html>\n <head>\n  <title>403 Forbidden</title>\n </head>\n <body>\n  <h1>403 Forbidden</h1>\
                        \n  &lt;no&gt;<br /><br />\n&lt;script&gt;\n&quot;&amp;\n\n\n </body>\n</html>";
        assert_eq!(body(error.render(HTML)).await, expected);
    }

    #[tokio::test]
    async fn every_status_has_its_line_and_explanation() {
        for (error, start) in [
            (ApiError::unauthorized("d"), "401 Unauthorized\n\nThis server could not verify"),
            (ApiError::forbidden("d"), "403 Forbidden\n\nAccess was denied to this resource.\n\n d  "),
            (ApiError::not_found("d"), "404 Not Found\n\nThe resource could not be found.\n\n d  "),
            (ApiError::method_not_allowed("PUT"), "405 Method Not Allowed\n\nThe method PUT is not allowed for this"),
            (ApiError::conflict("d"), "409 Conflict\n\nThere was a conflict when trying to complete"),
            (ApiError::precondition_failed("d"), "412 Precondition Failed\n\n"),
            (ApiError::too_large("d"), "413 Request Entity Too Large\n\nThe body of your request was too large"),
            (ApiError::unavailable("d"), "503 Service Unavailable\n\nThe server is currently unavailable."),
        ] {
            let text = body(error.render(PLAIN)).await;
            assert!(text.starts_with(start), "{text}");
        }
    }

    #[tokio::test]
    async fn a_fault_is_plain_and_closes_the_connection() {
        let response = ApiError::internal().render(HTML);
        assert_eq!(response.headers()[header::CONNECTION], "close");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=UTF-8");
        assert!(body(response).await.starts_with("500 Internal Server Error\n\n"));
    }

    #[tokio::test]
    async fn head_has_no_body() {
        let response = ApiError::unauthorized("x").render(Form { api: Api::V1, kind: Kind::Empty });
        assert_eq!(body(response).await, "");
    }

    #[tokio::test]
    async fn errors_and_panics_of_handlers_get_their_bodies_and_the_rest_passes() {
        let busy = PLAIN.guard(async { ApiError::conflict("busy").into_response() }).await;
        assert_eq!(busy.status(), StatusCode::CONFLICT);
        assert!(body(busy).await.ends_with("\n\n busy  "));
        let broken = PLAIN.guard(async { panic!("on purpose") }).await;
        assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let fine = PLAIN.guard(async { Response::new(Body::from("fine")) }).await;
        assert_eq!(body(fine).await, "fine");
    }

    #[test]
    fn an_unclosed_bracket_is_no_markup() {
        assert_eq!(flat("1 < 2\n<i>and"), "1 and");
        assert_eq!(flat("1 < 2\nand"), "1 < 2 and");
    }

    #[tokio::test]
    async fn v2_has_three_forms_of_the_same() {
        let form = |kind| Form { api: Api::V2, kind };
        let error = || ApiError::forbidden("it's").explained("<no>");
        let json = body(error().render(form(Kind::Json))).await;
        let expected = r#"{"message":"<no><br /><br />\nit's\n\n","code":"403 Forbidden","title":"Forbidden"}"#;
        assert_eq!(json, expected);
        assert!(
            body(error().render(form(Kind::Html))).await.contains("&lt;no&gt;<br /><br />\nit&#x27;s\n\n\n </body>")
        );
        let plain = ApiError::forbidden("b").explained("a");
        assert_eq!(body(plain.render(form(Kind::Plain))).await, "403 Forbidden\n\na\nb\n\n\n");
    }
}

//! Bodies of error answers: plain text, or HTML for those who accept it (v1-api §6).
//!
//! Clients and tests search these bodies for fragments, so the blanks and newlines matter.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::ApiError;

/// The form in which one request's client takes errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// No body, as for every answer to HEAD.
    Empty,
    /// `text/plain`
    Plain,
    /// `text/html`
    Html,
}

impl Form {
    /// What this request's method and `Accept` header ask for.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
        if request.method() == Method::HEAD {
            Self::Empty
        } else if accept.is_some_and(|accept| accept.contains("html") || accept.contains("*/*")) {
            Self::Html
        } else {
            Self::Plain
        }
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

impl ApiError {
    fn render(&self, form: Form) -> Response {
        // A fault is always plain text, whatever the client accepts.
        let html = form == Form::Html && self.status != StatusCode::INTERNAL_SERVER_ERROR;
        let body = match form {
            Form::Empty => String::new(),
            _ if html => self.html(),
            _ => self.plain(),
        };
        let content_type = if html { "text/html; charset=UTF-8" } else { "text/plain; charset=UTF-8" };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if form == Form::Empty {
            // hyper announces no length in answers to HEAD by itself [v1-api §6].
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
        }
        if let Some(value) = self.size.and_then(|size| HeaderValue::from_str(&format!("bytes */{size}")).ok()) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn plain(&self) -> String {
        let (explanation, detail) = (flat(self.explanation()), flat(&self.detail));
        format!("{}\n\n{explanation}\n\n {detail}  ", self.status_line())
    }

    fn html(&self) -> String {
        let status = self.status_line();
        let (explanation, detail) = (escaped(self.explanation()), escaped(&self.detail));
        format!(
            "<html>\n <head>\n  <title>{status}</title>\n </head>\n <body>\n  <h1>{status}</h1>\n  \
             {explanation}<br /><br />\n{detail}\n\n\n </body>\n</html>"
        )
    }

    fn status_line(&self) -> String {
        let reason = match self.status {
            // The names of its time.
            StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
            StatusCode::RANGE_NOT_SATISFIABLE => "Requested Range Not Satisfiable",
            status => status.canonical_reason().unwrap_or("Unknown"),
        };
        format!("{} {reason}", self.status.as_u16())
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
            StatusCode::CONFLICT => "There was a conflict when trying to complete your request.",
            StatusCode::PAYLOAD_TOO_LARGE => "The body of your request was too large for this server.",
            StatusCode::RANGE_NOT_SATISFIABLE => "The Range requested is not available.",
            StatusCode::SERVICE_UNAVAILABLE => "The server is currently unavailable. Please try again at a later time.",
            StatusCode::INTERNAL_SERVER_ERROR => "The server could not complete the request because of a fault.",
            _ => "",
        }
    }
}

/// One line without markup: newlines become blanks, and what stands between `<` and `>` goes.
fn flat(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        let Some((_, after)) = tail.split_once('>') else { break };
        line.push_str(before);
        rest = after;
    }
    line.push_str(rest);
    line.replace('\n', " ").replace('\r', "")
}

/// Text as the content of an HTML element; four characters are too few for a library.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::http::{StatusCode, header};
    use axum::response::{IntoResponse, Response};

    use super::{ApiError, Form, flat};

    async fn body(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn the_request_decides_the_form() {
        for (method, accept, form) in [
            ("GET", None, Form::Plain),
            ("GET", Some("application/json"), Form::Plain),
            ("PUT", Some("*/*"), Form::Html),
            ("GET", Some("application/xml, text/html;q=0.9"), Form::Html),
            ("HEAD", Some("text/html"), Form::Empty),
        ] {
            let mut request = Request::builder().method(method);
            if let Some(accept) = accept {
                request = request.header(header::ACCEPT, accept);
            }
            assert_eq!(Form::of(&request.body(()).unwrap()), form, "{method} {accept:?}");
        }
    }

    #[tokio::test]
    async fn plain_text_is_flat() {
        let error = ApiError::bad_request("Got error:\r\nDetails: <b>bold</b> 1 < 2");
        let expected = "400 Bad Request\n\nThe server could not comply with the request since it is either malformed \
                        or otherwise incorrect.\n\n Got error: Details: bold 1 < 2  ";
        assert_eq!(body(error.render(Form::Plain)).await, expected);
        let silent = ApiError::not_found("").explained("gone");
        assert_eq!(body(silent.render(Form::Plain)).await, "404 Not Found\n\ngone\n\n   ");
    }

    #[tokio::test]
    async fn html_is_escaped_and_keeps_newlines() {
        let error = ApiError::forbidden("<script>\n\"&").explained("<no>");
        let expected = "<html>\n <head>\n  <title>403 Forbidden</title>\n </head>\n <body>\n  <h1>403 Forbidden</h1>\
                        \n  &lt;no&gt;<br /><br />\n&lt;script&gt;\n&quot;&amp;\n\n\n </body>\n</html>";
        assert_eq!(body(error.render(Form::Html)).await, expected);
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
            let text = body(error.render(Form::Plain)).await;
            assert!(text.starts_with(start), "{text}");
        }
    }

    #[tokio::test]
    async fn a_fault_is_plain_and_closes_the_connection() {
        let response = ApiError::internal().render(Form::Html);
        assert_eq!(response.headers()[header::CONNECTION], "close");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=UTF-8");
        assert!(body(response).await.starts_with("500 Internal Server Error\n\n"));
    }

    #[tokio::test]
    async fn head_has_no_body() {
        let response = ApiError::unauthorized("x").render(Form::Empty);
        assert_eq!(body(response).await, "");
    }

    #[tokio::test]
    async fn errors_and_panics_of_handlers_get_their_bodies_and_the_rest_passes() {
        let busy = Form::Plain.guard(async { ApiError::conflict("busy").into_response() }).await;
        assert_eq!(busy.status(), StatusCode::CONFLICT);
        assert!(body(busy).await.ends_with("\n\n busy  "));
        let broken = Form::Plain.guard(async { panic!("on purpose") }).await;
        assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let fine = Form::Plain.guard(async { Response::new(Body::from("fine")) }).await;
        assert_eq!(body(fine).await, "fine");
    }

    #[test]
    fn an_unclosed_bracket_is_no_markup() {
        assert_eq!(flat("1 < 2\n<i>and"), "1 and");
        assert_eq!(flat("1 < 2\nand"), "1 < 2 and");
    }
}

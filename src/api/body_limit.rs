//! How large a request may be, where the pipeline has the filter that limits it (`sizelimit`): larger ones are answered
//! 413, whatever they are for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::header::TRANSFER_ENCODING;

use super::data::content_length;
use super::error::ApiError;

/// The most bytes that the body of a request may have (`max_request_body_size`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BodyLimit(pub(crate) u64);

impl BodyLimit {
    /// Answers a request, unless it is announced to be too large or turns out to be.
    pub(super) async fn within(self, request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
        if content_length(request.headers()).is_some_and(|length| length > self.0) {
            tracing::info!("Request is too large. Larger than max_request_body_size ({}).", self.0);
            return self.refusal("max_request_body_size (", ")").into_response();
        }
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            return answer(request).await;
        }
        let passed = Arc::new(AtomicBool::new(false));
        let response = answer(request.map(|body| self.cut(body, Arc::clone(&passed)))).await;
        // Whatever was made of a body that breaks off.
        if passed.load(Ordering::Relaxed) { self.refusal("", "").into_response() } else { response }
    }

    /// The body, failing in place of the block that passes the limit.
    fn cut(self, body: Body, passed: Arc<AtomicBool>) -> Body {
        let mut left = self.0;
        Body::from_stream(body.into_data_stream().map(move |block| {
            let block = block.map_err(io::Error::other)?;
            let Some(rest) = left.checked_sub(block.len() as u64) else {
                passed.store(true, Ordering::Relaxed);
                return Err(io::Error::other("larger than max_request_body_size"));
            };
            left = rest;
            Ok(block)
        }))
    }

    fn refusal(self, before: &str, after: &str) -> ApiError {
        let told = format!("Request is too large. Larger than {before}{}{after}.", self.0);
        ApiError::too_large("").explained(told).closing()
    }
}

//! The body of an answer that the kernel cannot send, as it has to be encrypted. It tells its stream when it is asked for
//! more, so it is the outermost.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use fastio::Blocks;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use http::HeaderValue;
use http::header::CONTENT_LENGTH;
use hyper::body::{Body as _, Frame, SizeHint};

use super::streams::Turn;

/// An answer's body in blocks of memory, whatever was made to be sent from a file. One that ends too early is an error,
/// as HTTP/2 would not notice.
struct ResponseBody {
    blocks: BoxStream<'static, Result<Bytes, Error>>,
    /// What is left of the last one.
    block: Bytes,
    /// Bytes to come, if that is known.
    left: Option<u64>,
    /// `None`: the connection has no streams.
    turn: Option<Turn>,
}

/// Most bytes that a stream is given at a time: what a frame has (RFC 9113 §4.2), so that each that is taken is noticed.
const FRAME: usize = 16 * 1024;

/// An answer to be encrypted. `to_head`: to a HEAD, of whose answers HTTP/2 would send bodies.
pub(super) fn readable(mut response: Response, to_head: bool) -> Response {
    let announced = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let left = announced.or(response.body().size_hint().exact());
    if !to_head {
        return response.map(|body| Body::new(ResponseBody::new(body, left)));
    }
    if let Some(length) = left {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    response.map(|_| Body::empty())
}

impl ResponseBody {
    fn new(body: Body, left: Option<u64>) -> Self {
        let blocks = body.into_data_stream().map_ok(|frame| {
            stream::try_unfold(Blocks::of(frame), async |mut blocks| match blocks.next().await.map_err(Error::new)? {
                none if none.is_empty() => Ok(None),
                block => Ok(Some((block, blocks))),
            })
        });
        Self { blocks: blocks.try_flatten().boxed(), block: Bytes::new(), left, turn: Turn::here() }
    }

    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if self.block.is_empty() {
            match ready!(self.blocks.poll_next_unpin(cx)?) {
                Some(block) => self.block = block,
                None if self.left.is_some_and(|left| left > 0) => {
                    let early = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Poll::Ready(Some(Err(Error::new(early))));
                }
                None => return Poll::Ready(None),
            }
        }
        let mut most = self.block.len();
        if self.turn.is_some() {
            most = most.min(FRAME);
            // The last byte goes alone: a stream is over for us when there is room for the beginning of its last frame.
            if most > 1 && self.left == Some(most as u64) {
                most -= 1;
            }
        }
        let part = self.block.split_to(most);
        self.left = self.left.map(|left| left.saturating_sub(part.len() as u64));
        Poll::Ready(Some(Ok(part)))
    }
}

impl hyper::body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(turn) = &self.turn {
            turn.body_is_asked();
        }
        self.poll_block(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::response::Response;
    use http_body_util::BodyExt;

    use super::readable;

    fn announcing(length: &str, body: &'static str) -> Response {
        Response::builder().header("content-length", length).body(streamed(body)).unwrap()
    }

    /// Of no length that could be known before.
    fn streamed(text: &'static str) -> Body {
        Body::from_stream(futures_util::stream::once(async move { Ok::<_, std::io::Error>(text) }))
    }

    #[tokio::test]
    async fn a_body_that_ends_too_early_is_an_error() {
        let whole = readable(announcing("3", "abc"), false).into_body().collect().await;
        assert_eq!(whole.unwrap().to_bytes(), "abc");
        readable(announcing("4", "abc"), false).into_body().collect().await.unwrap_err();
        let unknown = readable(Response::new(streamed("abc")), false).into_body().collect().await;
        assert_eq!(unknown.unwrap().to_bytes(), "abc");
    }

    #[tokio::test]
    async fn an_answer_to_head_tells_the_length_of_what_it_does_not_bring() {
        for answer in [announcing("3", "abc"), Response::new(Body::from("abc"))] {
            let answer = readable(answer, true);
            assert_eq!(answer.headers()["content-length"], "3");
            assert!(answer.into_body().collect().await.unwrap().to_bytes().is_empty());
        }
        assert!(!readable(Response::new(streamed("abc")), true).headers().contains_key("content-length"));
    }
}

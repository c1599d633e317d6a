//! The body of a request: it must go on arriving, and what nobody wants of it is read all the same.
//!
//! A client that sends everything before it reads never sees an early refusal if the connection is closed under it;
//! and closing with unread data makes the kernel throw away the refusal, too. HTTP/2 could tell it to stop, but curl (7.88)
//! forgets the answer to what it is told so of.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

use super::patience::Patience;

/// Of an unwanted body this much is read before the connection is closed under the client …
const DRAINED_BYTES: u64 = 64 * 1024 * 1024;
/// … and for no longer than this.
const DRAINED_FOR: Duration = Duration::from_secs(10);

/// A request's body that fails if the client sends nothing for too long. Dropped early, the rest of it is read and
/// forgotten, within bounds, while the answer is on its way.
#[derive(Debug)]
pub(super) struct RequestBody {
    /// `None` when it has ended or failed.
    incoming: Option<Incoming>,
    patience: Patience,
    /// The client sends nothing before it is told to (`Expect: 100-continue`), and it was not told yet.
    held_back: bool,
}

impl RequestBody {
    /// `limit`: how long a reader of the body waits for the next block; `None`: for ever.
    pub(super) fn wrap(request: Request<Incoming>, limit: Option<Duration>) -> Request<Self> {
        let held_back = asks_first(request.headers());
        request.map(|incoming| Self { incoming: Some(incoming), patience: Patience::new(limit), held_back })
    }
}

fn asks_first(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = &mut *self;
        let Some(incoming) = &mut body.incoming else { return Poll::Ready(None) };
        body.held_back = false;
        let polled = Pin::new(incoming).poll_frame(cx).map_err(io::Error::other);
        let frame = body.patience.bound(cx, polled).map(|timed| timed.unwrap_or_else(|late| Some(Err(late))));
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            body.incoming = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let rest = self.incoming.take().filter(|rest| !rest.is_end_stream() && !self.held_back);
        // Without a runtime the connection is gone as well.
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(drain(rest));
        }
    }
}

async fn drain(mut rest: Incoming) {
    let reading = async {
        let mut seen = 0;
        while seen < DRAINED_BYTES
            && let Some(Ok(frame)) = rest.frame().await
        {
            seen += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
    };
    if tokio::time::timeout(DRAINED_FOR, reading).await.is_err() {
        tracing::debug!("a request's body is still not here after {} s: not read on", DRAINED_FOR.as_secs());
    }
}

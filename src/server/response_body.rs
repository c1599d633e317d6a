//! The body of an answer that the kernel cannot send, as it has to be encrypted.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Error;
use axum::body::Body;
use bytes::Bytes;
use fastio::Blocks;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use hyper::body::{Body as _, Frame, SizeHint};

use super::work::{Work, Working};

/// An answer's body in blocks of memory, whatever was made to be sent from a file.
pub(super) struct ResponseBody {
    blocks: BoxStream<'static, Result<Bytes, Error>>,
    /// Bytes to come, if that is known.
    left: Option<u64>,
    work: Work,
    /// While it is we who are waited for.
    working: Option<Working>,
}

impl ResponseBody {
    /// Reads what is in `body`, and lets `work` know when it has to be waited for.
    pub(super) fn new(body: Body, work: Work) -> Self {
        let left = body.size_hint().exact();
        let blocks = body.into_data_stream().map_ok(|frame| {
            stream::try_unfold(Blocks::of(frame), async |mut blocks| match blocks.next().await.map_err(Error::new)? {
                none if none.is_empty() => Ok(None),
                block => Ok(Some((block, blocks))),
            })
        });
        Self { blocks: blocks.try_flatten().boxed(), left, work, working: None }
    }
}

impl hyper::body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = self.blocks.poll_next_unpin(cx);
        self.working = polled.is_pending().then(|| self.work.begin());
        if let (Poll::Ready(Some(Ok(block))), Some(left)) = (&polled, &mut self.left) {
            *left = left.saturating_sub(block.len() as u64);
        }
        polled.map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

//! The body of an answer as image data: the asked piece, no less, and no silence longer than allowed.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, try_unfold};
use reqwest::Response;

use super::fetch::reason;
use super::piece::Piece;
use crate::model::ByteStream;

struct Body {
    blocks: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    skip: u64,
    take: Option<u64>,
    exact: bool,
    read_timeout: Duration,
}

/// The bytes of `piece` in `response`. Dropped early, it closes the connection.
pub(super) fn stream(response: Response, piece: &Piece, read_timeout: Duration) -> ByteStream {
    let blocks = Box::pin(response.bytes_stream());
    let body = Body { blocks, skip: piece.skip, take: piece.take, exact: piece.exact, read_timeout };
    Box::pin(try_unfold(body, |mut body| async move {
        let block = body.next().await?;
        Ok(block.map(|block| (block, body)))
    }))
}

impl Body {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while self.take != Some(0) {
            let Some(mut block) = self.receive().await? else { return self.ended() };
            let skipped = self.skip.min(block.len() as u64);
            self.skip -= skipped;
            // Both are at most the block's length, which is a usize.
            let _ = block.split_to(skipped as usize);
            if let Some(take) = &mut self.take {
                let taken = (*take).min(block.len() as u64);
                *take -= taken;
                block.truncate(taken as usize);
            }
            if !block.is_empty() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    async fn receive(&mut self) -> io::Result<Option<Bytes>> {
        match tokio::time::timeout(self.read_timeout, self.blocks.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(block))) => Ok(Some(block)),
            Ok(Some(Err(error))) => Err(io::Error::other(format!("the origin broke off: {}", reason(error)))),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the origin stopped sending")),
        }
    }

    fn ended(&self) -> io::Result<Option<Bytes>> {
        if self.exact {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the origin sent less than it announced"));
        }
        Ok(None)
    }
}

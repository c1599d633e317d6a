//! Blocks of a stream, as many at a time as are there and worth writing in one go.

use std::io;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};

use crate::model::ByteStream;

/// Bytes from which on a batch is large enough.
const ENOUGH: usize = 1024 * 1024;

/// A stream read in batches: stores on the network yield crumbs, and each write costs a change of threads.
pub(super) struct Batches {
    data: ByteStream,
    /// What came behind the last batch: the end, or a failure. Told after it.
    ended: Option<io::Result<()>>,
}

impl Batches {
    pub(super) fn new(data: ByteStream) -> Self {
        Self { data, ended: None }
    }

    /// The next blocks, none of them empty; `None` at the end. Waits for the first one only.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<Bytes>>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while self.ended.is_none() && bytes < ENOUGH {
            let arrived = if batch.is_empty() { Some(self.data.next().await) } else { self.data.next().now_or_never() };
            match arrived {
                Some(Some(Ok(block))) if block.is_empty() => {}
                Some(Some(Ok(block))) => {
                    bytes += block.len();
                    batch.push(block);
                }
                Some(Some(Err(error))) => self.ended = Some(Err(error)),
                Some(None) => self.ended = Some(Ok(())),
                None => break,
            }
        }
        match self.ended.take() {
            None => Ok(Some(batch)),
            Some(end) if batch.is_empty() => end.map(|()| None),
            end => {
                self.ended = end;
                Ok(Some(batch))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn batches(blocks: Vec<io::Result<Bytes>>) -> Batches {
        Batches::new(Box::pin(stream::iter(blocks)))
    }

    #[tokio::test]
    async fn what_is_there_comes_at_once_up_to_enough() {
        let crumb = || Ok(Bytes::from_static(b"abc"));
        let mut few = batches(vec![crumb(), Ok(Bytes::new()), crumb()]);
        assert_eq!(few.next().await.unwrap().unwrap().concat(), b"abcabc");
        assert_eq!(few.next().await.unwrap(), None);
        let large = || Ok(Bytes::from(vec![0; ENOUGH]));
        let mut much = batches(vec![crumb(), large(), large()]);
        assert_eq!(much.next().await.unwrap().unwrap().len(), 2);
        assert_eq!(much.next().await.unwrap().unwrap().len(), 1);
        assert_eq!(much.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_failure_is_told_after_what_came_before_it() {
        let mut broken = batches(vec![Ok(Bytes::from_static(b"a")), Err(io::Error::other("gone"))]);
        assert_eq!(broken.next().await.unwrap().unwrap().concat(), b"a");
        assert_eq!(broken.next().await.unwrap_err().to_string(), "gone");
    }
}

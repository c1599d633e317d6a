//! Streams that end in an error where they would be longer than allowed, not as long as announced, or in the way.

use std::io;

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::model::ByteStream;

/// Marks the error of a stream that passed its cap.
#[derive(Debug, thiserror::Error)]
#[error("larger than {0} bytes")]
pub(super) struct Capped(pub(super) u64);

/// Marks the error of a stream that is not as long as announced.
#[derive(Debug, thiserror::Error)]
#[error("{arrived} bytes arrived instead of {announced}")]
pub(super) struct WrongLength {
    pub(super) announced: u64,
    /// So far, if there are more.
    pub(super) arrived: u64,
}

/// Cuts `data` with [`Capped`] before the block that would pass `cap` bytes.
pub(super) fn capped(data: ByteStream, cap: u64) -> ByteStream {
    Box::pin(stream::try_unfold((data, 0u64), move |(mut data, seen)| async move {
        let Some(block) = data.next().await.transpose()? else { return Ok(None) };
        let seen = seen + block.len() as u64;
        if seen > cap { Err(io::Error::other(Capped(cap))) } else { Ok(Some((block, (data, seen)))) }
    }))
}

/// Cuts `data` with [`WrongLength`] unless it has just `length` bytes; `None`: any number.
///
/// Whoever announced a length would otherwise send a body that looks whole and is not (security C13).
pub(super) fn exactly(data: ByteStream, length: Option<u64>) -> ByteStream {
    let Some(length) = length else { return data };
    Box::pin(stream::try_unfold((data, 0u64), move |(mut data, seen)| async move {
        let Some(block) = data.next().await.transpose()? else {
            return if seen == length { Ok(None) } else { Err(broken(seen, length)) };
        };
        let seen = seen + block.len() as u64;
        if seen > length { Err(broken(seen, length)) } else { Ok(Some((block, (data, seen)))) }
    }))
}

/// Cuts `data` with an error when `token` says so: a mere end would pass for the end of the image.
pub(super) fn until(data: ByteStream, token: CancellationToken) -> ByteStream {
    Box::pin(stream::unfold((data, token), |(mut data, token)| async move {
        let next = token.run_until_cancelled(data.next()).await;
        let block = next.unwrap_or_else(|| Some(Err(io::ErrorKind::ConnectionAborted.into())))?;
        Some((block, (data, token)))
    }))
}

fn broken(arrived: u64, announced: u64) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, WrongLength { announced, arrived })
}

#[cfg(test)]
mod tests {
    use std::io;

    use bytes::Bytes;
    use futures_util::{TryStreamExt, stream};

    use super::{Capped, capped, exactly};
    use crate::model::ByteStream;

    fn blocks(lengths: &[usize]) -> ByteStream {
        let blocks: Vec<io::Result<Bytes>> = lengths.iter().map(|length| Ok(Bytes::from(vec![0; *length]))).collect();
        Box::pin(stream::iter(blocks))
    }

    async fn bytes(data: ByteStream) -> io::Result<usize> {
        data.try_fold(0, |sum, block| async move { Ok(sum + block.len()) }).await
    }

    #[tokio::test]
    async fn what_has_the_announced_length_passes() {
        assert_eq!(bytes(exactly(blocks(&[2, 3]), Some(5))).await.unwrap(), 5);
        assert_eq!(bytes(exactly(blocks(&[]), Some(0))).await.unwrap(), 0);
        assert_eq!(bytes(exactly(blocks(&[2, 3]), None)).await.unwrap(), 5);
    }

    #[tokio::test]
    async fn what_is_shorter_or_longer_ends_in_an_error() {
        for length in [4, 6] {
            assert!(bytes(exactly(blocks(&[2, 3]), Some(length))).await.is_err());
        }
    }

    #[tokio::test]
    async fn the_cap_is_the_last_byte_that_passes() {
        assert_eq!(bytes(capped(blocks(&[2, 3]), 5)).await.unwrap(), 5);
        let error = bytes(capped(blocks(&[2, 3]), 4)).await.unwrap_err();
        assert!(error.get_ref().unwrap().downcast_ref::<Capped>().is_some());
    }
}

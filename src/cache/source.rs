//! Where an image comes from when the cache does not have it.

use std::io;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::Fuse;
use futures_util::{StreamExt, stream};

use crate::model::ByteStream;
use crate::store::{self, Opened};

/// An image in its store, able to be opened again at any offset.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// Opens the image from byte `start` to its end. The announced size is that of the whole image. A source bounds
    /// its own waiting: neither this nor the stream may stand still for ever.
    ///
    /// # Errors
    /// The store's.
    async fn open(&self, start: u64) -> store::Result<Opened>;
}

/// Opens the image from byte `start` on, and holds the store to one size of the whole: the expected one, else the one
/// it announces. Fewer or more bytes end in an error before the last one is handed out.
///
/// # Errors
/// The store's; `Unavailable` if it announces another size than the expected one.
pub(super) async fn open_whole(source: &dyn Source, start: u64, expected_size: Option<u64>) -> store::Result<Opened> {
    let Opened { data, size: announced } = source.open(start).await?;
    if let (Some(expected), Some(announced)) = (expected_size, announced)
        && expected != announced
    {
        return Err(store::Error::Unavailable(format!(
            "the store announces {announced} bytes of the image instead of {expected}"
        )));
    }
    let size = expected_size.or(announced);
    let data = match size {
        Some(size) => exactly(data, size.saturating_sub(start)),
        None => data,
    };
    Ok(Opened { data, size })
}

/// `data`, if it has `size` bytes; else as much of it as cannot be mistaken for the whole, and an error.
fn exactly(data: ByteStream, size: u64) -> ByteStream {
    Box::pin(stream::try_unfold((data.fuse(), size), |(mut data, missing)| async move {
        let Some(block) = filled(&mut data).await? else {
            return if missing == 0 { Ok(None) } else { Err(wrong_size(io::ErrorKind::UnexpectedEof, "less")) };
        };
        let too_much = || wrong_size(io::ErrorKind::InvalidData, "more");
        let missing = missing.checked_sub(block.len() as u64).ok_or_else(too_much)?;
        if missing == 0 && filled(&mut data).await?.is_some() {
            return Err(too_much());
        }
        Ok(Some((block, (data, missing))))
    }))
}

/// The next block with something in it.
async fn filled(data: &mut Fuse<ByteStream>) -> io::Result<Option<Bytes>> {
    while let Some(block) = data.next().await.transpose()? {
        if !block.is_empty() {
            return Ok(Some(block));
        }
    }
    Ok(None)
}

fn wrong_size(kind: io::ErrorKind, amount: &str) -> io::Error {
    io::Error::new(kind, format!("{amount} data than announced"))
}

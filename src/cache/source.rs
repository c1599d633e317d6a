//! Where an image comes from when the cache does not have it.

use std::io;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::Fuse;
use futures_util::{StreamExt, stream};

use crate::model::ByteStream;
use crate::store::{self, ByteRange, Opened};

/// An image in its store, able to be opened again at any offset.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// Opens a stretch of the image. The announced size is that of the whole image. A source bounds its own waiting:
    /// neither this nor the stream may stand still for ever.
    ///
    /// # Errors
    /// The store's.
    async fn open(&self, range: ByteRange) -> store::Result<Opened>;
}

/// Opens the image from byte `start` on, and holds the store to one size of the whole: the expected one, else the one
/// it announces. Fewer or more bytes end in an error before the last one is handed out.
///
/// # Errors
/// The store's; `Unavailable` if it announces another size than the expected one.
pub(super) async fn open_whole(source: &dyn Source, start: u64, expected_size: Option<u64>) -> store::Result<Opened> {
    let opened = open_sized(source, ByteRange { start, len: None }, expected_size).await?;
    let Some(size) = opened.size else { return Ok(opened) };
    let rest = size.saturating_sub(start);
    // A file of another size: it is for `data` to tell what is wrong.
    let file = opened.file.filter(|file| file.len() == rest);
    Ok(Opened { data: exactly(opened.data, rest), file, size: Some(size), version: opened.version })
}

/// Opens `part` of the image of `size` bytes; what it yields for a client is just these bytes or ends in an error.
///
/// # Errors
/// As [`open_whole`].
pub(super) async fn open_part(source: &dyn Source, part: Range<u64>, size: u64) -> store::Result<Opened> {
    let len = part.end.saturating_sub(part.start);
    let opened = open_sized(source, ByteRange { start: part.start, len: Some(len) }, Some(size)).await?;
    // A file of another size: it is for `data` to tell what is wrong.
    let file = opened.file.filter(|file| file.len() == len);
    Ok(Opened { data: exactly(opened.data, len), file, size: Some(size), version: opened.version })
}

/// Opens a stretch of the image; the size of the whole is the expected one, else the announced one.
async fn open_sized(source: &dyn Source, range: ByteRange, expected_size: Option<u64>) -> store::Result<Opened> {
    let opened = source.open(range).await?;
    match (expected_size, opened.size) {
        (Some(expected), Some(announced)) if expected != announced => Err(store::Error::Unavailable(format!(
            "the store announces {announced} bytes of the image instead of {expected}"
        ))),
        (expected, announced) => Ok(Opened { size: expected.or(announced), ..opened }),
    }
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

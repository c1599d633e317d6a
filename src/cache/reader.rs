//! Reading an image from a file of the cache, and on from its store where the cache fails: no fault of the cache may
//! cost anybody a download (v1-cache §3.1).

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::source::{Source, open_whole};
use crate::model::ByteStream;

/// Why a cached file has no block where there should be one.
pub(super) enum Fault {
    /// The cache failed, as the log tells. The store has the block.
    Cache,
    /// The store failed. Nobody has the block.
    Store(io::Error),
}

/// A file of the cache, whole or growing, that is read from its beginning.
pub(super) trait CachedFile: Send + 'static {
    /// The block at `offset`; `None` at the end of the image. Waits for bytes that are still to be written.
    fn block_at(&mut self, offset: u64) -> impl Future<Output = Result<Option<Bytes>, Fault>> + Send;
}

/// The image of `size` bytes, if that is known: from `file`, and from `source` where the cache fails.
pub(super) fn read(file: impl CachedFile, source: Arc<dyn Source>, size: Option<u64>) -> ByteStream {
    let reader = Reader { place: Place::Cache(file), offset: 0, source, size };
    Box::pin(stream::try_unfold(reader, |mut reader| async move {
        let block = reader.next().await?;
        Ok(block.map(|block| (block, reader)))
    }))
}

/// Somebody on his way through an image.
struct Reader<F> {
    place: Place<F>,
    /// Bytes that came from the cache.
    offset: u64,
    source: Arc<dyn Source>,
    size: Option<u64>,
}

/// Where the next block comes from.
enum Place<F> {
    Cache(F),
    Store(ByteStream),
}

impl<F: CachedFile> Reader<F> {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match &mut self.place {
                Place::Store(rest) => return rest.next().await.transpose(),
                Place::Cache(file) => match file.block_at(self.offset).await {
                    Ok(block) => {
                        self.offset += block.as_ref().map_or(0, |block| block.len() as u64);
                        return Ok(block);
                    }
                    Err(Fault::Store(error)) => return Err(error),
                    Err(Fault::Cache) => self.leave().await?,
                },
            }
        }
    }

    /// Opens the store where this reader is, and lets go of the cached file.
    async fn leave(&mut self) -> io::Result<()> {
        let rest = open_whole(&*self.source, self.offset, self.size).await.map_err(io::Error::other)?;
        self.place = Place::Store(rest.data);
        Ok(())
    }
}

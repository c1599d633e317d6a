//! Reading an image, or a part of one, from a file of the cache, and on from its store where the cache fails: no fault
//! of the cache may cost anybody a download (v1-cache §3.1).

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::rest::Rest;
use crate::model::ByteStream;

/// Why a cached file has no block where there should be one.
pub(super) enum Fault {
    /// The cache failed, as the log tells. The store has the block.
    Cache,
    /// The store failed. Nobody has the block.
    Store(io::Error),
}

/// A file of the cache, whole or growing.
pub(super) trait CachedFile: Send + 'static {
    /// The block at `offset`, none of it at or behind `end`; `None` at the end of the image. Waits for bytes that are
    /// still to be written.
    fn block_at(&mut self, offset: u64, end: u64) -> impl Future<Output = Result<Option<Bytes>, Fault>> + Send;
}

/// `part` of the image or, where its size is not known, the whole (and `part` reaches as far as numbers do): from `file`,
/// and the `rest` where the cache fails.
pub(super) fn read(file: impl CachedFile, rest: Rest, part: Range<u64>) -> ByteStream {
    let reader = Reader { place: Place::Cache(file), part, rest };
    Box::pin(stream::try_unfold(reader, |mut reader| async move {
        let block = reader.next().await?;
        Ok(block.map(|block| (block, reader)))
    }))
}

/// Somebody on his way through an image.
struct Reader<F> {
    place: Place<F>,
    /// What he still has to read.
    part: Range<u64>,
    rest: Rest,
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
                Place::Cache(file) => match file.block_at(self.part.start, self.part.end).await {
                    Ok(block) => {
                        self.part.start += block.as_ref().map_or(0, |block| block.len() as u64);
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
        self.place = Place::Store(self.rest.open(self.part.clone()).await?);
        Ok(())
    }
}

//! An entry opened for reading.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;

use super::blocks::read_block;
use super::index::Index;
use crate::model::{ByteStream, ImageId};

/// An open entry. It stays readable even if the entry is evicted meanwhile.
#[derive(Debug)]
pub(crate) struct Hit {
    id: ImageId,
    pub(super) file: Arc<File>,
    size: u64,
    index: Arc<dyn Index>,
}

impl Hit {
    /// An entry of `id`, `size` bytes, whose reads `index` counts.
    pub(super) fn new(id: ImageId, file: File, size: u64, index: Arc<dyn Index>) -> Self {
        Self { id, file: Arc::new(file), size, index }
    }

    /// Bytes of the image.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Counts a complete read. Must have happened before the client can see the last byte (v1-cache §1).
    async fn record(&self) {
        self.index.hit(&self.id).await;
    }

    /// The image in blocks; the hit is recorded before the last block is handed out, and only if it comes to that.
    pub(crate) fn into_stream(self) -> ByteStream {
        Box::pin(stream::try_unfold((self, 0), |(hit, offset)| async move {
            let block = hit.next(offset).await?;
            Ok(block.map(|block| {
                let offset = offset + block.len() as u64;
                (block, (hit, offset))
            }))
        }))
    }

    async fn next(&self, offset: u64) -> io::Result<Option<Bytes>> {
        if offset == self.size {
            // Only an empty image has no last block to be recorded at.
            if self.size == 0 {
                self.record().await;
            }
            return Ok(None);
        }
        let block = read_block(&self.file, offset, self.size).await?;
        if offset + block.len() as u64 == self.size {
            self.record().await;
        }
        Ok(Some(block))
    }
}

//! An entry opened for reading.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;

use super::Cache;
use super::blocks::read_block;
use super::reader::{self, CachedFile, Fault};
use super::source::Source;
use crate::model::{ByteStream, ImageId};

/// An open entry. It stays readable even if the entry is evicted meanwhile.
#[derive(Debug)]
pub(crate) struct Hit {
    id: ImageId,
    pub(super) file: Arc<File>,
    size: u64,
    cache: Arc<Cache>,
}

impl Hit {
    /// The entry of `id` in `cache`, `size` bytes.
    pub(super) fn new(id: ImageId, file: File, size: u64, cache: Arc<Cache>) -> Self {
        Self { id, file: Arc::new(file), size, cache }
    }

    /// Bytes of the image.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The image in blocks; the hit is recorded before the last block is handed out, and only if it comes to that.
    /// An entry that cannot be read to its end is evicted, and the rest comes from `source`.
    pub(crate) fn into_stream(self, source: Arc<dyn Source>) -> ByteStream {
        let size = Some(self.size);
        reader::read(self, source, size)
    }

    /// Counts a complete read. Must have happened before the client can see the last byte (v1-cache §1).
    async fn record(&self) {
        self.cache.index.hit(&self.id).await;
    }
}

impl CachedFile for Hit {
    async fn block_at(&mut self, offset: u64) -> Result<Option<Bytes>, Fault> {
        if offset == self.size {
            // Only an empty image has no last block to be recorded at.
            if self.size == 0 {
                self.record().await;
            }
            return Ok(None);
        }
        let block = match read_block(&self.file, offset, self.size).await {
            Ok(block) => block,
            Err(error) => {
                tracing::error!(image = %self.id, %error, "cached image cannot be read: reading its store");
                self.cache.evict_damaged(&self.id, &self.file).await;
                return Err(Fault::Cache);
            }
        };
        if offset + block.len() as u64 == self.size {
            self.record().await;
        }
        Ok(Some(block))
    }
}

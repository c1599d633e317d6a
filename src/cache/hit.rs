//! An entry opened for reading.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use fastio::{ImageFile, Rescue};

use super::blocks::outgoing_block;
use super::in_use::Reading;
use super::reader::{self, CachedFile, Fault};
use super::rescue::FromStore;
use super::rest::{Rest, State};
use super::source::Source;
use super::{Cache, Expected};
use crate::model::{ByteStream, ImageId};

/// An open entry. It stays readable even if the entry is evicted meanwhile.
#[derive(Debug)]
pub(crate) struct Hit {
    id: ImageId,
    pub(super) file: Arc<ImageFile>,
    size: u64,
    cache: Arc<Cache>,
    _reading: Reading,
}

impl Hit {
    /// The entry of `id` in `cache`, `size` bytes.
    pub(super) fn new(id: ImageId, file: File, size: u64, cache: Arc<Cache>) -> Self {
        let reading = cache.readers.enter(&id);
        Self { id, file: Arc::new(ImageFile::from(file)), size, cache, _reading: reading }
    }

    /// Bytes of the image.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// `part` of the image in blocks; the read is counted before the last block is handed out, and only if it comes to
    /// that. (A body of no bytes is never asked for a block: that of an empty image is counted at once.) An entry that cannot be read to its end is evicted, and the rest comes from `source`.
    pub(crate) fn into_stream(self, source: Arc<dyn Source>, expected: &Expected, part: Range<u64>) -> ByteStream {
        let state = if expected.digest.is_some() { State::Any } else { State::Forgotten };
        let rest = Rest { source, size: Some(self.size), state };
        let entry = Some((Arc::clone(&self.cache), Arc::clone(&self.file)));
        let rescue = FromStore { id: self.id.clone(), rest: rest.clone(), entry };
        let read = Read { start: part.start, hit: self, rescue: Arc::new(rescue) };
        if read.hit.size == 0 {
            read.count(0);
        }
        reader::read(read, rest, part)
    }

    /// [`Hit::into_stream`] of the whole image.
    #[cfg(test)]
    pub(super) fn whole(self, source: Arc<dyn Source>) -> ByteStream {
        let size = self.size;
        let known = Expected { size: Some(size), digest: "md5:".parse().ok() };
        self.into_stream(source, &known, 0..size)
    }
}

/// A read of an entry from `start` on.
struct Read {
    hit: Hit,
    start: u64,
    /// Has what the file loses on the way to the client.
    rescue: Arc<dyn Rescue>,
}

impl Read {
    /// Counts the read. Must have happened before the client can see the last byte (v1-cache §1).
    fn count(&self, end: u64) {
        self.hit.cache.count(&self.hit.id, self.start == 0 && end == self.hit.size);
    }
}

impl CachedFile for Read {
    async fn block_at(&mut self, offset: u64, end: u64) -> Result<Option<Bytes>, Fault> {
        let hit = &self.hit;
        if offset == end {
            return Ok(None);
        }
        let block = match outgoing_block(&hit.file, offset, end, &self.rescue).await {
            Ok(block) => block,
            Err(error) => {
                tracing::error!(image = %hit.id, %error, "cached image cannot be read: reading its store");
                hit.cache.evict_damaged(&hit.id, &hit.file).await;
                return Err(Fault::Cache);
            }
        };
        if offset + block.len() as u64 == end {
            self.count(end);
        }
        Ok(Some(block))
    }
}

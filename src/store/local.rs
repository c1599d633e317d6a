//! Objects that are files of this machine.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use fastio::ImageFile;
use futures_util::stream;

use super::{ByteRange, Error};
use crate::model::ByteStream;

/// A stretch of an open file.
#[derive(Debug, Clone)]
pub(crate) struct LocalFile {
    file: Arc<ImageFile>,
    start: u64,
    end: u64,
}

impl LocalFile {
    /// `range` of `file`, which holds `size` bytes.
    pub(super) fn new(file: File, size: u64, range: ByteRange) -> Self {
        let start = range.start.min(size);
        let end = range.len.map_or(size, |len| start.saturating_add(len).min(size));
        Self { file: Arc::new(ImageFile::from(file)), start, end }
    }

    /// Bytes of the stretch.
    pub(crate) fn len(&self) -> u64 {
        self.end - self.start
    }

    /// The bytes, at most `block` at a time.
    pub(super) fn read(self, block: usize) -> ByteStream {
        self.stream(move |file, position, end| async move {
            let left = usize::try_from(end - position).unwrap_or(usize::MAX);
            fastio::read_block(&file, position, left.min(block)).await
        })
    }

    /// The bytes on their way to a client: nobody else may look at them ([`fastio::outgoing`]).
    pub(crate) fn for_client(self) -> ByteStream {
        self.stream(|file, position, end| async move { fastio::outgoing(&file, position, end, None).await })
    }

    /// What `next` makes of the file, of a position, and of the end that is not reached yet, one after another.
    fn stream<F>(self, next: impl Fn(Arc<ImageFile>, u64, u64) -> F + Send + 'static) -> ByteStream
    where
        F: Future<Output = io::Result<Bytes>> + Send + 'static,
    {
        let Self { file, start, end } = self;
        Box::pin(stream::try_unfold((start, next), move |(position, next)| {
            let file = Arc::clone(&file);
            async move {
                if position == end {
                    return Ok(None);
                }
                let bytes = next(file, position, end).await.map_err(|error| io::Error::other(Error::Io(error)))?;
                let position = position + bytes.len() as u64;
                Ok(Some((bytes, (position, next))))
            }
        }))
    }
}

//! From a file into a stream, block by block off the blocking pool.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use rustix::buffer::spare_capacity;
use rustix::fs::OFlags;
use rustix::io::{pread, retry_on_intr};

use super::{finished, not_found, on_disk};
use crate::model::ByteStream;
use crate::store::{ByteRange, Error, Result};

/// Less is not read at once, whatever is configured: each block costs a trip to another thread, which v1's 64 KiB
/// do not pay for.
const MIN_BLOCK: usize = 256 * 1024;
/// Nor more: every download in progress holds a block.
const MAX_BLOCK: usize = 4 * 1024 * 1024;

/// Bytes per read for a configured `filesystem_store_chunk_size`.
pub(super) fn block_size(chunk_size: usize) -> usize {
    chunk_size.clamp(MIN_BLOCK, MAX_BLOCK)
}

/// Opens the image file at `path`; it and its size. Blocks.
pub(super) fn open(path: &Path) -> Result<(File, u64)> {
    // Not to wait for a writer, should it be a pipe; regular files do not mind.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => not_found(path),
        _ => Error::Io(error),
    })?;
    let metadata = file.metadata().map_err(Error::Io)?;
    if !metadata.is_file() {
        return Err(not_found(path));
    }
    Ok((file, metadata.len()))
}

/// The bytes of `range` of `file`, which holds `size` bytes.
pub(super) fn stream(file: File, size: u64, range: ByteRange, block: usize) -> ByteStream {
    let start = range.start.min(size);
    let end = range.len.map_or(size, |len| start.saturating_add(len).min(size));
    let file = Arc::new(file);
    Box::pin(stream::try_unfold(start, move |position| {
        let file = Arc::clone(&file);
        async move {
            let left = usize::try_from(end - position).unwrap_or(usize::MAX);
            if left == 0 {
                return Ok(None);
            }
            let read = on_disk(move || read_at(&file, position, left.min(block)).map_err(Error::Io));
            let bytes = finished(read).await.map_err(io::Error::other)?;
            let next = position + bytes.len() as u64;
            Ok(Some((bytes, next)))
        }
    }))
}

fn read_at(file: &File, position: u64, len: usize) -> io::Result<Bytes> {
    let mut buffer = Vec::with_capacity(len);
    let read = retry_on_intr(|| pread(file, spare_capacity(&mut buffer), position))?;
    if read == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the image file shrank while it was read"));
    }
    buffer.truncate(len);
    Ok(Bytes::from(buffer))
}

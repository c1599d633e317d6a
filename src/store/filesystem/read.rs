//! Opening a file, and in how large blocks to read it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::not_found;
use crate::store::{Error, Result};

/// Less is not read at once, whatever is configured: each block may cost a trip to another thread, which v1's 64 KiB
/// do not pay for.
const MIN_BLOCK: usize = fastio::BLOCK;
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

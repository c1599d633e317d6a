//! Reading image files in blocks.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::blocking::blocking;

/// Most bytes of an image that one reader holds in memory.
pub(super) const BLOCK: u64 = 256 * 1024;

/// Reads the bytes from `offset` up to `end`, at most one block of them, without touching the file's own position,
/// so that any number of readers may share one open file.
///
/// # Errors
/// `UnexpectedEof` if the file is shorter than that.
pub(super) async fn read_block(file: &Arc<File>, offset: u64, end: u64) -> io::Result<Bytes> {
    let file = Arc::clone(file);
    // At most BLOCK, so it fits any usize.
    let len = end.saturating_sub(offset).min(BLOCK) as usize;
    blocking(move || {
        let mut block = BytesMut::zeroed(len);
        file.read_exact_at(&mut block, offset)?;
        Ok(block.freeze())
    })
    .await
}

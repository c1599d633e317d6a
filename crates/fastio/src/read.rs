//! Bytes of a file in our own memory.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use crate::image_file::ImageFile;
use crate::residence::read_resident;

/// What one reader should hold in memory, and the most that is copied on the caller's thread: some ten microseconds,
/// less than a trip to another thread and back costs.
pub const BLOCK: usize = 256 * 1024;

/// The `len` bytes of `file` at `offset`, read without touching the file's own position, so that any number of readers
/// may share it. What is in memory is copied at once; the rest is read by the blocking pool.
///
/// # Errors
/// `UnexpectedEof` if the file is shorter than that; what reading fails with.
pub async fn read_block(file: &Arc<ImageFile>, offset: u64, len: usize) -> io::Result<Bytes> {
    let mut block = vec![0; len];
    let read = if len <= BLOCK { read_resident(file, &mut block, offset).unwrap_or(0) } else { 0 };
    if read == len {
        return Ok(Bytes::from(block));
    }
    let file = Arc::clone(file);
    let reading = tokio::task::spawn_blocking(move || {
        file.read_exact_at(&mut block[read..], offset + read as u64)?;
        Ok(Bytes::from(block))
    });
    reading.await.unwrap_or_else(|gone| Err(io::Error::other(gone)))
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::sync::Arc;

    use rustix::fs::{Advice, fadvise};

    use super::{BLOCK, read_block};
    use crate::ImageFile;

    #[tokio::test]
    async fn blocks_are_exact_from_memory_and_from_disk() {
        let content: Vec<u8> = (0..3 * BLOCK as u32).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        file.sync_all().unwrap();
        let file = Arc::new(ImageFile::from(file));
        for cold in [false, true] {
            for (offset, len) in [(0, 0), (0, 1), (5, BLOCK), (BLOCK - 3, 2 * BLOCK), (3 * BLOCK - 1, 1)] {
                if cold {
                    fadvise(&file, 0, None, Advice::DontNeed).unwrap();
                }
                let block = read_block(&file, offset as u64, len).await.unwrap();
                assert!(block == content[offset..offset + len], "{offset} {len}");
            }
        }
    }

    #[tokio::test]
    async fn a_file_too_short_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"12345").unwrap();
        let file = Arc::new(ImageFile::from(file));
        for (offset, len) in [(0, 6), (5, 1), (6, 1), (0, 2 * BLOCK)] {
            assert_eq!(read_block(&file, offset, len).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
    }
}

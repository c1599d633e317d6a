//! Bytes of a file on their way out, by the cheapest way that this file and this stretch allow.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::image_file::ImageFile;
use crate::mapped::{WORTH_MAPPING, sendable};
use crate::read::{BLOCK, read_block};
use crate::rescue::Rescue;

/// Most bytes of one map. They cost address space only, so it is long enough to make mapping free beside sending, and
/// no longer, as whatever counts the bytes of a download counts a frame when it sets out.
pub const FRAME: usize = 4 * 1024 * 1024;

/// The bytes of `file` from `offset` on, up to `end` at most: one [`FRAME`] that is not to be looked at (whoever touches
/// it may wait for the disk, or end the process if the file was cut), or, where that is not worth it or not possible, one
/// [`BLOCK`]. What is missing of a frame when it comes to sending is the `rescue`'s to give.
///
/// # Errors
/// `UnexpectedEof` if the file is shorter than that; what reading fails with.
pub async fn outgoing(
    file: &Arc<ImageFile>,
    offset: u64,
    end: u64,
    rescue: Option<Arc<dyn Rescue>>,
) -> io::Result<Bytes> {
    let left = end.saturating_sub(offset);
    // At most FRAME, so it fits any usize.
    let frame = left.min(FRAME as u64) as usize;
    if frame >= WORTH_MAPPING
        && let Ok(frame) = sendable(file, offset, frame, rescue)
    {
        return Ok(frame);
    }
    read_block(file, offset, frame.min(BLOCK)).await
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::sync::Arc;

    use rustix::fs::{MemfdFlags, memfd_create};

    use super::{BLOCK, FRAME, outgoing};
    use crate::ImageFile;
    use crate::mapped::{WORTH_MAPPING, origin_of};
    use crate::residence::{Residence, residence};

    #[tokio::test]
    async fn what_is_short_is_read_and_what_is_long_mapped() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; FRAME + 100]).unwrap();
        let file = Arc::new(ImageFile::from(file));
        let mapped = outgoing(&file, 3, FRAME as u64 + 100, None).await.unwrap();
        assert_eq!((mapped.len(), origin_of(&mapped).map(|origin| origin.offset)), (FRAME, Some(3)));
        let short = outgoing(&file, 0, WORTH_MAPPING as u64 - 1, None).await.unwrap();
        assert_eq!((short.len(), origin_of(&short).is_none()), (WORTH_MAPPING - 1, true));
        assert!(outgoing(&file, 5, 5, None).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_mapped_is_read_in_blocks() {
        let name = "a file of a file system that does not tell what it has in memory";
        let file = std::fs::File::from(memfd_create(name, MemfdFlags::empty()).unwrap());
        file.set_len(1 << 20).unwrap();
        if residence(&file, 0) != Residence::Unknown {
            eprintln!("SKIPPED: this kernel tells of any file what it has in memory");
            return;
        }
        let block = outgoing(&Arc::new(ImageFile::from(file)), 0, 1 << 20, None).await.unwrap();
        assert_eq!((block.len(), origin_of(&block).is_none()), (BLOCK, true));
    }

    #[tokio::test]
    async fn a_file_too_short_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 200_000]).unwrap();
        let error = outgoing(&Arc::new(ImageFile::from(file)), 150_000, 1 << 20, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
}

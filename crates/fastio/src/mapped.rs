//! Stretches of files that look like memory, and what they are in truth.
//!
//! HTTP carries a body as memory, and a handler does not know the connection that it will leave by. So the stretch of
//! the file is mapped, and a register of the whole process tells the connection which file lies at an address.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use memmap2::{Mmap, MmapOptions};

use crate::image_file::ImageFile;
use crate::rescue::Rescue;
use crate::residence::{Residence, residence};

/// Bytes from which on mapping a stretch costs less than copying it.
pub(crate) const WORTH_MAPPING: usize = 64 * 1024;

/// What is mapped now, by its first address. A plain lock will do: it is held for a search among as many entries as
/// there are downloads, some ten times per megabyte at most.
static REGISTER: Mutex<BTreeMap<usize, Entry>> = Mutex::new(BTreeMap::new());

/// A mapped stretch of a file.
#[derive(Debug)]
struct Entry {
    len: usize,
    origin: Origin,
}

/// A place in a file.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) file: Arc<ImageFile>,
    pub(crate) offset: u64,
    pub(crate) rescue: Option<Arc<dyn Rescue>>,
}

/// A map in the register.
#[derive(Debug)]
struct Registered {
    map: Mmap,
}

/// The `len` bytes of `file` at `offset` as memory that is not to be looked at: every page of it that is touched may wait
/// for the disk, and end the process if the file was cut meanwhile. It is to be handed to [`crate::Sendfile`], whole or
/// in parts. The bytes must be written already and stay as they are. The file stays open as long as any clone lives.
/// Whatever the file does not have when it comes to sending is the `rescue`'s to give.
///
/// # Errors
/// `UnexpectedEof` if the file is shorter than that; `Unsupported` if the file system cannot tell what it has in memory,
/// so that sending might wait for the disk or, on a network's, for another machine; what mapping fails with.
#[expect(unsafe_code, reason = "there is no safe way to map a file")]
pub(crate) fn sendable(
    file: &Arc<ImageFile>,
    offset: u64,
    len: usize,
    rescue: Option<Arc<dyn Rescue>>,
) -> io::Result<Bytes> {
    let last = (len as u64).checked_sub(1).and_then(|last| offset.checked_add(last));
    let last = last.ok_or(io::ErrorKind::InvalidInput)?;
    match residence(file, last) {
        Residence::Warm => {}
        // Of a file system that answers such questions the size is in memory.
        Residence::Cold if file.metadata()?.len() > last => {}
        Residence::Cold | Residence::Beyond => return Err(io::ErrorKind::UnexpectedEof.into()),
        Residence::Unknown => return Err(io::ErrorKind::Unsupported.into()),
    }
    // SAFETY: what is mapped must not change under those who look at it. Only written bytes are mapped, which nobody
    // rewrites; and nobody looks: the connection sends them from the file, at worst has the kernel copy them, which
    // fails if they are gone.
    let map = unsafe { MmapOptions::new().offset(offset).len(len).map(&***file) }?;
    let origin = Origin { file: Arc::clone(file), offset, rescue };
    register().insert(map.as_ptr() as usize, Entry { len, origin });
    Ok(Bytes::from_owner(Registered { map }))
}

/// The place in a file that `slice` is a map of, if it is one.
pub(crate) fn origin_of(slice: &[u8]) -> Option<Origin> {
    let address = slice.as_ptr() as usize;
    let register = register();
    let (start, entry) = register.range(..=address).next_back()?;
    let skipped = address - start;
    // As long as the slice lives nothing else can be mapped at its address.
    let inside = skipped.checked_add(slice.len()).is_some_and(|end| end <= entry.len);
    inside.then(|| {
        let mut origin = entry.origin.clone();
        origin.offset += skipped as u64;
        origin
    })
}

fn register() -> MutexGuard<'static, BTreeMap<usize, Entry>> {
    // The map is whole after every statement, so a panic elsewhere leaves nothing to distrust.
    REGISTER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsRef<[u8]> for Registered {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for Registered {
    /// Before the memory is given back: the next map may get the same address.
    fn drop(&mut self) {
        let entry = register().remove(&(self.map.as_ptr() as usize));
        // Out of the lock, as this may close the file.
        drop(entry);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::sync::Arc;

    use super::{origin_of, sendable};
    use crate::ImageFile;

    fn file(len: usize) -> Arc<ImageFile> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; len]).unwrap();
        Arc::new(ImageFile::from(file))
    }

    #[test]
    fn any_part_of_a_map_is_traced_to_its_place() {
        let file = file(300_000);
        for offset in [0, 1, 4096, 5000] {
            let bytes = sendable(&file, offset, 200_000, None).unwrap();
            for (from, to) in [(0, 200_000), (1, 2), (4095, 70_000), (199_999, 200_000)] {
                let origin = origin_of(&bytes[from..to]).unwrap();
                assert!(Arc::ptr_eq(&origin.file, &file));
                assert_eq!(origin.offset, offset + from as u64);
            }
        }
    }

    #[test]
    fn other_memory_is_traced_to_nothing() {
        let bytes = sendable(&file(100_000), 0, 100_000, None).unwrap();
        assert!(origin_of(&vec![7; 100_000]).is_none());
        assert!(origin_of(&[]).is_none());
        assert!(origin_of(&bytes).is_some());
    }

    #[test]
    fn the_file_is_let_go_with_the_last_clone() {
        let file = file(100_000);
        let bytes = sendable(&file, 0, 100_000, None).unwrap();
        let part = bytes.slice(50_000..60_000);
        drop(bytes);
        assert_eq!(origin_of(&part).unwrap().offset, 50_000);
        drop(part);
        assert_eq!(Arc::strong_count(&file), 1);
    }

    #[test]
    fn nothing_is_mapped_beyond_the_end() {
        let file = file(100_000);
        for (offset, len) in [(0, 100_001), (100_000, 1), (1 << 40, 1)] {
            assert_eq!(sendable(&file, offset, len, None).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
        for (offset, len) in [(0, 0), (u64::MAX, 2)] {
            assert_eq!(sendable(&file, offset, len, None).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        assert_eq!(Arc::strong_count(&file), 1);
    }
}

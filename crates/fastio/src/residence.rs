//! Whether the bytes of a file are in memory, so that nobody has to wait for a disk; and bringing them there.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;

use rustix::fs::{Advice, fadvise};
use rustix::io::{Errno, ReadWriteFlags, preadv2, retry_on_intr};

/// What is asked of the disk when a stretch is missing: the stretch and some of what will be wanted next, so that the
/// disk works while the network does.
const AHEAD: NonZeroU64 = NonZeroU64::new(4 * 1024 * 1024).unwrap();
/// Bytes that [`warm`] reads at a time.
const SCRATCH: usize = 128 * 1024;

/// Where a byte of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Residence {
    /// In memory.
    Warm,
    /// On a disk.
    Cold,
    /// Nowhere: the file ends before it.
    Beyond,
    /// The kernel or the file system does not say: reading may wait for a disk, or for another machine.
    Unknown,
}

/// Looks for the byte at `position`. Never waits.
pub(crate) fn residence(file: &File, position: u64) -> Residence {
    match read_resident(file, &mut [0], position) {
        Ok(0) => Residence::Beyond,
        Ok(_) => Residence::Warm,
        Err(Errno::AGAIN) => Residence::Cold,
        Err(_) => Residence::Unknown,
    }
}

/// Reads what is in memory of the bytes at `position`, perhaps fewer than fit. Never waits; says `EAGAIN` where it
/// would have to.
pub(crate) fn read_resident(file: &File, buffer: &mut [u8], position: u64) -> rustix::io::Result<usize> {
    retry_on_intr(|| preadv2(file, &mut [IoSliceMut::new(buffer)], position, ReadWriteFlags::NOWAIT))
}

/// Brings `len` bytes at `position` into memory, and some more on their way. Blocks.
///
/// # Errors
/// `UnexpectedEof` if the file is shorter; what reading fails with.
pub(crate) fn warm(file: &File, position: u64, len: usize) -> io::Result<()> {
    // Merely advice: reading brings them in as well.
    let _ = fadvise(file, position, Some(AHEAD), Advice::WillNeed);
    let mut scratch = vec![0; SCRATCH];
    let mut read = 0;
    while read < len {
        let wanted = scratch.len().min(len - read);
        file.read_exact_at(&mut scratch[..wanted], position + read as u64)?;
        read += wanted;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rustix::fs::{Advice, fadvise};

    use super::{Residence, residence, warm};

    #[test]
    fn what_left_the_memory_comes_back_when_warmed() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![1; 3 << 20]).unwrap();
        if residence(&file, 0) == Residence::Unknown {
            eprintln!("SKIPPED: the file system of temporary files does not tell what is in memory");
            return;
        }
        assert_eq!(residence(&file, (3 << 20) - 1), Residence::Warm);
        assert_eq!(residence(&file, 3 << 20), Residence::Beyond);
        file.sync_all().unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        assert_eq!(residence(&file, (2 << 20) - 1), Residence::Cold);
        warm(&file, 1 << 20, 1 << 20).unwrap();
        assert_eq!(residence(&file, (2 << 20) - 1), Residence::Warm);
        warm(&file, 2 << 20, (1 << 20) + 1).unwrap_err();
    }

    #[test]
    fn a_pipe_has_no_residence() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(residence(&std::fs::File::from(std::os::fd::OwnedFd::from(reader)), 0), Residence::Unknown);
    }
}

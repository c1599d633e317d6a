//! Bringing a file to disk while it is still being written, so that the sync at its end finds little left to do.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Asks the kernel to begin writing the `len` bytes from `start` to disk, and does not wait for it; but it may block
/// while the disk's queue is full. Promises nothing: only a sync does, and it also tells of what went wrong meanwhile.
///
/// # Errors
/// The file system cannot do this, or the range is no range.
#[expect(unsafe_code, reason = "no safe crate offers this call")]
pub fn begin_writeback(file: &File, start: u64, len: u64) -> io::Result<()> {
    let out_of_range = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let start = libc::off64_t::try_from(start).map_err(out_of_range)?;
    let len = libc::off64_t::try_from(len).map_err(out_of_range)?;
    // SAFETY: takes numbers only, and the descriptor is open for as long as `file` is borrowed.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), start, len, libc::SYNC_FILE_RANGE_WRITE) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::begin_writeback;

    #[test]
    fn the_file_stays_what_it_is() {
        let path = std::env::temp_dir().join(format!("fastio-writeback-{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).unwrap();
        file.write_all(&[7; 100_000]).unwrap();
        begin_writeback(&file, 0, 65_536).unwrap();
        begin_writeback(&file, 65_536, 1 << 40).unwrap();
        assert!(begin_writeback(&file, u64::MAX, 1).is_err());
        file.sync_all().unwrap();
        assert!(fs::read(&path).unwrap() == [7; 100_000]);
        fs::remove_file(&path).unwrap();
    }
}

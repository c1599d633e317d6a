//! Files that several processes use by name: whose one is, and whether it still is what its name leads to.
//!
//! A lock on a file tells that its owner lives: the system takes it back from the dead. It is worth something only while
//! the name still leads to the locked file, so whoever locks one looks at both. Everything here may wait for a disk.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Flags with which nothing but what lies under the name itself is opened, and nothing is waited for.
pub const CAUTIOUS: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK);

/// Opens `path` with these options, which must not create it, if a regular file is there: links are not followed, pipes
/// not waited for.
///
/// # Errors
/// The system's; that there is no such file is none.
pub fn open_regular(path: &Path, options: &mut OpenOptions) -> io::Result<Option<(File, Metadata)>> {
    match options.custom_flags(CAUTIOUS.bits().cast_signed()).open(path) {
        Ok(file) => {
            let metadata = file.metadata()?;
            Ok(metadata.is_file().then_some((file, metadata)))
        }
        Err(error) => match Errno::from_io_error(&error) {
            // Nothing, a link, a socket.
            Some(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Locks `file` for as long as it is open; false if somebody else has.
///
/// # Errors
/// The file system knows no locks, or fails.
pub fn claim(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether `path` is a name of `file`.
///
/// # Errors
/// The system's; that there is nothing under the name is none.
pub fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    let named = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        named => named?,
    };
    let open = file.metadata()?;
    Ok((named.dev(), named.ino()) == (open.dev(), open.ino()))
}

/// Removes the file at `path`; false if there is none.
///
/// # Errors
/// The system's.
pub fn remove_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_given_away_leads_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("name");
        let file = File::create(&path).unwrap();
        assert!(leads_to(&path, &file).unwrap());
        assert!(remove_if_there(&path).unwrap() && !remove_if_there(&path).unwrap());
        assert!(!leads_to(&path, &file).unwrap());
        File::create(&path).unwrap();
        assert!(!leads_to(&path, &file).unwrap());
    }

    #[test]
    fn a_file_is_claimed_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("name");
        let first = File::create(&path).unwrap();
        let second = File::open(&path).unwrap();
        assert!(claim(&first).unwrap() && !claim(&second).unwrap());
        drop(first);
        assert!(claim(&second).unwrap());
    }

    #[test]
    fn only_regular_files_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        File::create(&file).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let open = |path: &Path| open_regular(path, OpenOptions::new().read(true)).unwrap().is_some();
        assert!(open(&file) && !open(&link) && !open(dir.path()) && !open(&dir.path().join("none")));
    }
}

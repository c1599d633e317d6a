//! A log file that survives logrotate: when the file under its name is another one, or gone, it is opened anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A file to append lines to.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    open: Mutex<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    identity: Identity,
}

/// What tells a file from another that took its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(about: &fs::Metadata) -> Self {
        Self { device: about.dev(), inode: about.ino() }
    }
}

impl LogFile {
    /// Opens the file, and creates it if need be. Its folder must exist.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let open = Mutex::new(OpenFile::open(&path)?);
        Ok(Self { path, open })
    }

    /// Appends a line in a single write, so that lines of several processes do not mix.
    /// Before each line the name is looked up, which costs about a microsecond.
    pub(super) fn write(&self, line: &[u8]) -> io::Result<()> {
        // A thread that panicked while it held the lock left nothing half done.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if fs::metadata(&self.path).map(|about| Identity::of(&about)).ok() != Some(open.identity) {
            // Without the folder there is still the old file, and somebody may hold it.
            if let Ok(new) = OpenFile::open(&self.path) {
                *open = new;
            }
        }
        open.file.write_all(line)
    }
}

impl OpenFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let identity = Identity::of(&file.metadata()?);
        Ok(Self { file, identity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_or_removed_file_is_opened_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (path, rotated) = (dir.path().join("api.log"), dir.path().join("api.log.1"));
        fs::write(&path, "zero\n").unwrap();
        let log = LogFile::open(path.clone()).unwrap();
        log.write(b"one\n").unwrap();
        fs::rename(&path, &rotated).unwrap();
        log.write(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&rotated).unwrap(), "zero\none\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        fs::remove_file(&path).unwrap();
        log.write(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
    }

    #[test]
    fn a_lost_folder_loses_no_service() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("log");
        fs::create_dir(&folder).unwrap();
        let log = LogFile::open(folder.join("api.log")).unwrap();
        fs::rename(&folder, dir.path().join("moved")).unwrap();
        log.write(b"still here\n").unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("moved/api.log")).unwrap(), "still here\n");
    }
}

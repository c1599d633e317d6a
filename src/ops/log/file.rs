//! A log file that survives logrotate: when the file under its name is another one, or gone, it is opened anew. It may
//! also put itself aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Local};
use rustix::fs::FlockOperation;

use super::rotation::{Rotation, When};

/// A file to append lines to.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    rotation: Option<Rotation>,
    open: Mutex<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    identity: Identity,
    /// When its time is over.
    end: DateTime<Local>,
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
    pub(super) fn open(path: PathBuf, rotation: Option<Rotation>) -> io::Result<Self> {
        let open = Mutex::new(OpenFile::open(&path, rotation)?);
        Ok(Self { path, rotation, open })
    }

    /// Appends a line in a single write, so that lines of several processes do not mix.
    /// Before each line the name is looked up, which costs about a microsecond.
    pub(super) fn write(&self, line: &[u8]) -> io::Result<()> {
        // A thread that panicked while it held the lock left nothing half done.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut about = fs::metadata(&self.path).ok();
        if about.as_ref().map(Identity::of) != Some(open.identity) {
            self.reopen(&mut open);
            about = open.file.metadata().ok();
        }
        if let Some(rotation) = self.rotation.filter(|rotation| open.is_over(*rotation, about, line.len())) {
            // What cannot be put aside goes on.
            if self.rotate(&open, rotation).is_ok() {
                self.reopen(&mut open);
            }
        }
        open.file.write_all(line)
    }

    /// Without the folder there is still the old file, and somebody may hold it.
    fn reopen(&self, open: &mut OpenFile) {
        if let Ok(new) = OpenFile::open(&self.path, self.rotation) {
            *open = new;
        }
    }

    /// Puts the file aside, unless another process on it has just done so.
    fn rotate(&self, open: &OpenFile, rotation: Rotation) -> io::Result<()> {
        rustix::fs::flock(&open.file, FlockOperation::LockExclusive)?;
        let still = fs::metadata(&self.path).is_ok_and(|about| Identity::of(&about) == open.identity);
        let done = if still { rotation.put_aside(&self.path, open.end) } else { Ok(()) };
        rustix::fs::flock(&open.file, FlockOperation::Unlock)?;
        done
    }
}

impl OpenFile {
    fn open(path: &Path, rotation: Option<Rotation>) -> io::Result<Self> {
        // The age of a file that is there counts from its last line.
        let begin = fs::metadata(path).and_then(|about| about.modified()).map_or_else(|_| Local::now(), Into::into);
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let identity = Identity::of(&file.metadata()?);
        let end = match rotation {
            Some(Rotation { when: When::Over(period), .. }) => period.end(begin),
            _ => begin,
        };
        Ok(Self { file, identity, end })
    }

    /// Whether it must not get this line any more.
    fn is_over(&self, rotation: Rotation, about: Option<fs::Metadata>, line: usize) -> bool {
        let size = about.map_or(0, |about| about.len());
        match rotation.when {
            When::Full(most) => most > 0 && rotation.keep > 0 && size > 0 && size + line as u64 >= most,
            When::Over(_) => Local::now() >= self.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rotation::Period;
    use super::*;

    #[test]
    fn a_renamed_or_removed_file_is_opened_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (path, rotated) = (dir.path().join("api.log"), dir.path().join("api.log.1"));
        fs::write(&path, "zero\n").unwrap();
        let log = LogFile::open(path.clone(), None).unwrap();
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
        let log = LogFile::open(folder.join("api.log"), None).unwrap();
        fs::rename(&folder, dir.path().join("moved")).unwrap();
        log.write(b"still here\n").unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("moved/api.log")).unwrap(), "still here\n");
    }

    #[test]
    fn a_full_file_makes_room_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api.log");
        let log = LogFile::open(path.clone(), Some(Rotation { when: When::Full(8), keep: 2 })).unwrap();
        // Another process on the same file.
        let other = LogFile::open(path.clone(), Some(Rotation { when: When::Full(8), keep: 2 })).unwrap();
        for (line, log) in ["one\n", "two\n", "three\n", "four\n"].into_iter().zip([&log, &other].into_iter().cycle()) {
            log.write(line.as_bytes()).unwrap();
        }
        let text = |name: &str| fs::read_to_string(dir.path().join(name)).ok();
        assert_eq!(text("api.log").as_deref(), Some("four\n"));
        assert_eq!(text("api.log.1").as_deref(), Some("three\n"));
        assert_eq!(text("api.log.2").as_deref(), Some("two\n"));
        assert_eq!(text("api.log.3"), None);
    }

    #[test]
    fn a_file_of_yesterday_is_put_aside_by_the_next_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api.log");
        fs::write(&path, "old\n").unwrap();
        let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
        File::options().append(true).open(&path).unwrap().set_modified(yesterday).unwrap();
        let log = LogFile::open(path.clone(), Some(Rotation { when: When::Over(Period::Hours(1)), keep: 0 })).unwrap();
        log.write(b"new\n").unwrap();
        log.write(b"newer\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\nnewer\n");
        let aside = DateTime::<Local>::from(yesterday).format("api.log.%Y-%m-%d_%H").to_string();
        assert_eq!(fs::read_to_string(dir.path().join(aside)).unwrap(), "old\n");
    }
}

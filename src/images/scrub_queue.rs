//! The directory of deleted data that waits for the scrubber (v1-system §8).
//!
//! One file per image id: the data's URI, a newline, the due time in whole epoch seconds, no newline at the end;
//! mode 0600, both file times set to the due time.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::FlockOperation;

use crate::model::ImageId;

/// The file that remembers the last clean-up run.
const CLEANUP_FILE: &str = ".cleanup";
/// The file that [`Held`] locks.
const LOCK_FILE: &str = ".lock";
/// What stands in the first line of the former.
const CLEANUP_WORD: &str = "cleanup";
/// The end of the year 9999 in epoch seconds: later times only the text of an entry can hold.
const LAST_FILE_TIME: u64 = 253_402_300_799;

/// Data to remove once `due` has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScrubEntry {
    /// Plain location.
    pub(super) uri: String,
    /// Epoch seconds.
    pub(super) due: u64,
}

/// Epoch seconds now.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Who has the queue: scrubbers side by side, or one who takes something out of it. Until it is dropped.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "it holds the lock")] File);

/// Waits for a turn among scrubbers.
pub(super) async fn scrubbing(dir: &Path) -> io::Result<Held> {
    let dir = dir.to_owned();
    blocking(move || {
        let file = lock_file(&dir)?;
        rustix::fs::flock(&file, FlockOperation::LockShared)?;
        Ok(Held(file))
    })
    .await
}

/// The queue to oneself; `None` while a scrubber is at work.
pub(super) async fn alone(dir: &Path) -> io::Result<Option<Held>> {
    let dir = dir.to_owned();
    blocking(move || {
        let file = lock_file(&dir)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Held(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

fn lock_file(dir: &Path) -> io::Result<File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(dir.join(LOCK_FILE))
}

/// Queues data of an image; an entry that is there already is kept.
pub(super) async fn add(dir: &Path, id: &ImageId, entry: &ScrubEntry) -> io::Result<()> {
    let (dir, name, entry) = (dir.to_owned(), id.to_string(), entry.clone());
    blocking(move || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        match write(&dir.join(name), &entry) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    })
    .await
}

/// Entries whose time has come, by their file time and by the time inside. What cannot be used is logged and left.
pub(super) async fn due(dir: &Path) -> io::Result<Vec<(ImageId, ScrubEntry)>> {
    let dir = dir.to_owned();
    blocking(move || {
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut due = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().and_then(ImageId::parse) else { continue };
            match ripe(&entry) {
                Ok(waiting) => due.extend(waiting.map(|waiting| (id, waiting))),
                Err(error) => tracing::error!("{} cannot be used: {error}", entry.path().display()),
            }
        }
        Ok(due)
    })
    .await
}

/// Whether data of an image waits here, due or not. A file that is no entry will never be carried out and counts not.
pub(super) async fn holds(dir: &Path, id: &ImageId) -> bool {
    let path = dir.join(id.as_str());
    blocking(move || read(&path)).await.is_ok_and(|entry| entry.is_some())
}

/// Takes an entry out of the queue; that it is gone already is no fault.
pub(super) async fn remove(dir: &Path, id: &ImageId) -> io::Result<()> {
    let path = dir.join(id.as_str());
    blocking(move || match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    })
    .await
}

/// Whether the last clean-up is longer than `interval` seconds ago; if so, or if there was none, remembers this one.
/// The very first call only remembers.
pub(super) async fn cleanup_is_due(dir: &Path, interval: u64) -> io::Result<bool> {
    let dir = dir.to_owned();
    blocking(move || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let path: PathBuf = dir.join(CLEANUP_FILE);
        let this_run = ScrubEntry { uri: CLEANUP_WORD.to_owned(), due: now() };
        let last = match read(&path) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::error!("{} cannot be used: {error}", path.display());
                None
            }
            other => other?,
        };
        if last.as_ref().is_some_and(|last| last.due.saturating_add(interval) > now()) {
            return Ok(false);
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => write(&path, &this_run)?,
        }
        Ok(last.is_some())
    })
    .await
}

/// The entry in a file of the queue, if its time has come.
fn ripe(file: &fs::DirEntry) -> io::Result<Option<ScrubEntry>> {
    if !file.file_type()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a file"));
    }
    let ripe = file.metadata()?.modified()? <= SystemTime::now();
    Ok(read(&file.path())?.filter(|waiting| ripe && waiting.due <= now()))
}

fn file_time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_FILE_TIME))
}

/// Writes a new entry; its name appears only once everything is in it, and never takes the place of another file.
fn write(path: &Path, entry: &ScrubEntry) -> io::Result<()> {
    // The dot keeps it from being taken for an image id, should a crash leave it behind.
    let unfinished = path.with_file_name(format!(".{}", ImageId::random()));
    let written = fill(&unfinished, entry).and_then(|()| fs::hard_link(&unfinished, path));
    let removed = fs::remove_file(&unfinished);
    written.and(removed)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

fn fill(path: &Path, entry: &ScrubEntry) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    write!(file, "{}\n{}", entry.uri, entry.due)?;
    let time = file_time(entry.due);
    file.set_times(FileTimes::new().set_accessed(time).set_modified(time))?;
    file.sync_all()
}

/// `None` if there is no such file; [`io::ErrorKind::InvalidData`] if it is not of this form.
fn read(path: &Path) -> io::Result<Option<ScrubEntry>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut lines = text.lines();
    let entry = lines.next().zip(lines.next()).and_then(|(uri, due)| {
        let due = due.trim().parse().ok()?;
        Some(ScrubEntry { uri: uri.to_owned(), due })
    });
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "not a location and a due time");
    entry.ok_or_else(malformed).map(Some)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| Err(io::Error::other(failure)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    use super::{CLEANUP_FILE, ScrubEntry, add, cleanup_is_due, due, holds, now, remove};
    use crate::model::ImageId;

    fn entry(due: u64) -> ScrubEntry {
        ScrubEntry { uri: "file:///x".to_owned(), due }
    }

    #[tokio::test]
    async fn an_entry_waits_for_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let (ripe, early) = (ImageId::random(), ImageId::random());
        add(dir.path(), &ripe, &entry(now() - 1)).await.unwrap();
        add(dir.path(), &early, &entry(now() + 1000)).await.unwrap();
        let found = due(dir.path()).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, ripe);
        let text = fs::read_to_string(dir.path().join(ripe.as_str())).unwrap();
        assert_eq!(text, format!("file:///x\n{}", found[0].1.due));
        remove(dir.path(), &ripe).await.unwrap();
        remove(dir.path(), &ripe).await.unwrap();
        assert!(due(dir.path()).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_entry_is_kept_and_leaves_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let id = ImageId::random();
        add(dir.path(), &id, &entry(7)).await.unwrap();
        add(dir.path(), &id, &entry(8)).await.unwrap();
        let about = fs::metadata(dir.path().join(id.as_str())).unwrap();
        assert_eq!((about.mode() & 0o777, about.mtime(), about.atime(), about.nlink()), (0o600, 7, 7, 1));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(due(dir.path()).await.unwrap(), [(id, entry(7))]);
    }

    #[tokio::test]
    async fn one_bad_entry_does_not_hide_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let good = ImageId::random();
        add(dir.path(), &good, &entry(1)).await.unwrap();
        let (folder, junk, bytes) = (ImageId::random(), ImageId::random(), ImageId::random());
        fs::create_dir(dir.path().join(folder.as_str())).unwrap();
        fs::write(dir.path().join(junk.as_str()), "nonsense").unwrap();
        fs::write(dir.path().join(bytes.as_str()), [0xff, b'\n', b'1']).unwrap();
        assert_eq!(due(dir.path()).await.unwrap(), [(good.clone(), entry(1))]);
        assert!(holds(dir.path(), &good).await);
        for id in [folder, junk, bytes, ImageId::random()] {
            assert!(!holds(dir.path(), &id).await);
        }
    }

    #[tokio::test]
    async fn the_latest_time_there_is_never_comes() {
        let dir = tempfile::tempdir().unwrap();
        let id = ImageId::random();
        add(dir.path(), &id, &entry(u64::MAX)).await.unwrap();
        let file = dir.path().join(id.as_str());
        fs::File::options().write(true).open(&file).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        assert!(due(dir.path()).await.unwrap().is_empty());
        assert!(holds(dir.path(), &id).await);
        fs::write(dir.path().join(CLEANUP_FILE), format!("cleanup\n{}", u64::MAX)).unwrap();
        assert!(!cleanup_is_due(dir.path(), 1).await.unwrap());
    }

    #[tokio::test]
    async fn the_first_cleanup_is_only_remembered() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!cleanup_is_due(dir.path(), 0).await.unwrap());
        assert!(cleanup_is_due(dir.path(), 0).await.unwrap());
        assert!(!cleanup_is_due(dir.path(), 1000).await.unwrap());
        fs::write(dir.path().join(CLEANUP_FILE), "nonsense").unwrap();
        assert!(!cleanup_is_due(dir.path(), 0).await.unwrap());
        assert!(cleanup_is_due(dir.path(), 0).await.unwrap());
    }
}

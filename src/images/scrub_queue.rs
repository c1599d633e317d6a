//! The directory of deleted data that waits for the scrubber (v1-system §8).
//!
//! One file per image id: the data's URI, a newline, the due time in whole epoch seconds, no newline at the end;
//! mode 0600, both file times set to the due time.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::ImageId;

/// The file that remembers the last clean-up run.
const CLEANUP_FILE: &str = ".cleanup";
/// What stands in its first line.
const CLEANUP_WORD: &str = "cleanup";

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

/// Entries whose time has come, by their file time and by the time inside.
pub(super) async fn due(dir: &Path) -> io::Result<Vec<(ImageId, ScrubEntry)>> {
    let dir = dir.to_owned();
    blocking(move || {
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let now = SystemTime::now();
        let mut due = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().and_then(ImageId::parse) else { continue };
            let ripe = entry.metadata()?.modified()? <= now;
            if let Some(waiting) = read(&entry.path())?.filter(|waiting| ripe && at(waiting.due) <= now) {
                due.push((id, waiting));
            }
        }
        Ok(due)
    })
    .await
}

/// Takes an entry out of the queue.
pub(super) async fn remove(dir: &Path, id: &ImageId) -> io::Result<()> {
    let path = dir.join(id.as_str());
    blocking(move || fs::remove_file(path)).await
}

/// Whether the last clean-up is longer than `interval` seconds ago; if so, or if there was none, remembers this one.
/// The very first call only remembers.
pub(super) async fn cleanup_is_due(dir: &Path, interval: u64) -> io::Result<bool> {
    let dir = dir.to_owned();
    blocking(move || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let path: PathBuf = dir.join(CLEANUP_FILE);
        let this_run = ScrubEntry { uri: CLEANUP_WORD.to_owned(), due: now() };
        match read(&path)? {
            None => write(&path, &this_run).map(|()| false),
            Some(last) if last.due + interval > now() => Ok(false),
            Some(_) => {
                fs::remove_file(&path)?;
                write(&path, &this_run).map(|()| true)
            }
        }
    })
    .await
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn write(path: &Path, entry: &ScrubEntry) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    write!(file, "{}\n{}", entry.uri, entry.due)?;
    file.set_times(FileTimes::new().set_accessed(at(entry.due)).set_modified(at(entry.due)))?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// `None` if there is no such file or it is not of this form.
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
    if entry.is_none() {
        tracing::error!("{} is not a scrubber file", path.display());
    }
    Ok(entry)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| Err(io::Error::other(failure)))
}

#[cfg(test)]
mod tests {
    use super::{ScrubEntry, add, cleanup_is_due, due, now, remove};
    use crate::model::ImageId;

    #[tokio::test]
    async fn an_entry_waits_for_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let (ripe, early) = (ImageId::random(), ImageId::random());
        let entry = |due| ScrubEntry { uri: "file:///x".to_owned(), due };
        add(dir.path(), &ripe, &entry(now() - 1)).await.unwrap();
        add(dir.path(), &early, &entry(now() + 1000)).await.unwrap();
        let found = due(dir.path()).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, ripe);
        let text = std::fs::read_to_string(dir.path().join(ripe.as_str())).unwrap();
        assert_eq!(text, format!("file:///x\n{}", found[0].1.due));
        remove(dir.path(), &ripe).await.unwrap();
        assert!(due(dir.path()).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn the_first_cleanup_is_only_remembered() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!cleanup_is_due(dir.path(), 0).await.unwrap());
        assert!(cleanup_is_due(dir.path(), 0).await.unwrap());
        assert!(!cleanup_is_due(dir.path(), 1000).await.unwrap());
    }
}

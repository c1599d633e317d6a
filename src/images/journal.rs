//! The journal of unfinished work on data: what a process that dies in the middle of it may leave behind.
//!
//! One file per piece of work, `<image id>.<16 hex digits>`, mode 0600, in a directory of mode 0700 that all servers of
//! the images share. It holds JSON:
//!
//! ```json
//! {"work": "upload", "locations": ["file:///var/lib/glance/images/71c675ab-…"]}
//! ```
//!
//! `work` is `upload`, `stage`, `delete` or `remove`; `locations` are those whose data may be left, in the form in which the metadata keeps
//! them (encrypted where it is); `"repeatable": true` is there where an image whose upload failed is to take data again, as
//! v2 has it, and absent where it is to be killed. An entry is on disk before the work begins, and goes when the work is settled. Who does
//! the work holds a lock on the file ([`fastio::shared`]), so what is not locked was left by a process that died, or that
//! could not settle it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use fastio::shared::{self, claim, leads_to, remove_if_there};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::model::ImageId;

/// Attempts to get a file that no recovery of another process snatches away between its creation and its lock.
const CREATION_ATTEMPTS: usize = 8;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Work {
    /// Data is stored for a queued image.
    Upload,
    /// Data is staged for a queued image.
    Stage,
    /// An image is deleted, and its data with it.
    Delete,
    /// A location is taken from an image, and its data removed.
    Remove,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) work: Work,
    /// As stored in the metadata.
    pub(super) locations: Vec<String>,
    /// After a failure the image is `queued` again, not `killed`. Nothing that older releases know of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) repeatable: bool,
}

/// An entry whose work this process does. Dropped without being settled it stays, for the next start to look at.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
    /// Holds the lock.
    file: File,
    stays: bool,
}

impl Entry {
    /// Writes the entry of work that is about to begin. When this returns it is on disk and locked.
    pub(super) async fn begin(dir: &Path, id: &ImageId, note: Note) -> io::Result<Self> {
        let (dir, id) = (dir.to_owned(), id.clone());
        blocking(move || {
            create_dir(&dir)?;
            for _ in 0..CREATION_ATTEMPTS {
                let random = getrandom::u64().map_err(io::Error::other)?;
                let path = dir.join(format!("{id}.{random:016x}"));
                let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
                if claim(&file)? && leads_to(&path, &file)? {
                    let written = fill(&file, &note, &dir);
                    if written.is_err() {
                        // Of what cannot be removed half an entry stays, which says nothing.
                        let _ = fs::remove_file(&path);
                    }
                    return written.map(|()| Self { path, file, stays: false });
                }
            }
            Err(io::Error::other("entries vanish as soon as they are created"))
        })
        .await
    }

    /// The work could not be settled now: [`Entry::settle`] will leave the entry to the next start.
    pub(super) fn leave(&mut self) {
        self.stays = true;
    }

    /// The work is over, and nothing of it is left that should not be.
    pub(super) async fn settle(self) {
        if self.stays {
            return;
        }
        let removed = blocking(move || {
            // The lock goes last.
            let Self { path, file, .. } = self;
            let removed = remove_if_there(&path);
            drop(file);
            removed.map(drop).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        });
        if let Err(error) = removed.await {
            tracing::warn!("cannot remove an entry of the upload journal, the next start will: {error}");
        }
    }
}

/// An entry that nobody works on, claimed by this process.
#[derive(Debug)]
pub(super) struct Abandoned {
    /// Its work, and its lock. What was not written to its end was never relied on: `None`.
    pub(super) note: Option<Note>,
    entry: Entry,
}

impl Abandoned {
    /// Claims the entry at `path`; `None` if somebody works on it, or it is gone.
    pub(super) async fn claim(path: PathBuf) -> io::Result<Option<Self>> {
        blocking(move || {
            let Some(mut file) = open(&path)? else { return Ok(None) };
            if !claim(&file)? || !leads_to(&path, &file)? {
                return Ok(None);
            }
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let note = serde_json::from_slice(&text).ok();
            Ok(Some(Self { note, entry: Entry { path, file, stays: false } }))
        })
        .await
    }

    /// Its work is settled.
    pub(super) async fn settle(self) {
        self.entry.settle().await;
    }
}

/// Makes the directory ready.
pub(super) async fn prepare(dir: &Path) -> io::Result<()> {
    let dir = dir.to_owned();
    blocking(move || {
        create_dir(&dir)?;
        // Whether files can be created here only an attempt tells; it has no name that could be left.
        let flags = OFlags::TMPFILE.bits().cast_signed();
        match OpenOptions::new().write(true).mode(0o600).custom_flags(flags).open(&dir) {
            Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::IsADirectory) => Ok(()),
            other => other.map(drop),
        }
    })
    .await
}

/// All entries, worked on or not, with their images. Files of other names are not entries.
pub(super) async fn entries(dir: &Path) -> io::Result<Vec<(ImageId, PathBuf)>> {
    let dir = dir.to_owned();
    blocking(move || {
        let mut found = Vec::new();
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if let Some(id) = entry.file_name().to_str().and_then(image_of) {
                found.push((id, entry.path()));
            }
        }
        found.sort();
        Ok(found)
    })
    .await
}

/// Whether somebody else works on the image of `claimed`.
pub(super) async fn others_at_work(dir: &Path, id: &ImageId, claimed: &Abandoned) -> io::Result<bool> {
    let mut paths = entries(dir).await?;
    paths.retain(|(of, path)| of == id && *path != claimed.entry.path);
    blocking(move || {
        for (_, path) in paths {
            if let Some(file) = open(&path)?
                && !claim(&file)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    })
    .await
}

/// The image that an entry of this name is about.
fn image_of(name: &str) -> Option<ImageId> {
    let (id, unique) = name.split_once('.')?;
    let hex = unique.len() == 16 && unique.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| ImageId::parse(id)).flatten()
}

/// Only the last directory is the journal's own; those above belong to others, who let in whom they like.
fn create_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(above) = dir.parent() {
        fs::create_dir_all(above)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn fill(mut file: &File, note: &Note, dir: &Path) -> io::Result<()> {
    file.write_all(&serde_json::to_vec(note)?)?;
    file.sync_all()?;
    // A name survives a crash only when its directory is on disk too.
    File::open(dir)?.sync_all()
}

/// Locks of network file systems need the right to write.
fn open(path: &Path) -> io::Result<Option<File>> {
    let opened = shared::open_regular(path, OpenOptions::new().read(true).write(true))?;
    Ok(opened.map(|(file, _)| file))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| Err(io::Error::other(failure)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::{Abandoned, Entry, Note, Work, entries, others_at_work, prepare};
    use crate::model::ImageId;

    fn note() -> Note {
        Note { work: Work::Upload, locations: vec!["file:///x".to_owned()], repeatable: false }
    }

    #[tokio::test]
    async fn an_entry_is_its_workers_until_it_is_settled() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("above/journal");
        let id = ImageId::random();
        let entry = Entry::begin(&dir, &id, note()).await.unwrap();
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&entry.path)), (0o700, 0o600));
        let text = fs::read_to_string(&entry.path).unwrap();
        assert_eq!(text, r#"{"work":"upload","locations":["file:///x"]}"#);
        assert_eq!(entries(&dir).await.unwrap(), [(id, entry.path.clone())]);
        assert!(Abandoned::claim(entry.path.clone()).await.unwrap().is_none());
        entry.settle().await;
        assert!(entries(&dir).await.unwrap().is_empty());
    }

    #[test]
    fn entries_of_other_releases_are_understood() {
        let repeatable = Note { repeatable: true, ..note() };
        let text = r#"{"work":"upload","locations":["file:///x"],"repeatable":true}"#;
        assert_eq!(serde_json::to_string(&repeatable).unwrap(), text);
        assert_eq!(serde_json::from_str::<Note>(text).unwrap(), repeatable);
        let old = r#"{"work": "upload", "locations": ["file:///x"]}"#;
        assert_eq!(serde_json::from_str::<Note>(old).unwrap(), note());
        let newer = r#"{"work": "upload", "locations": ["file:///x"], "else": 1}"#;
        assert_eq!(serde_json::from_str::<Note>(newer).unwrap(), note());
    }

    #[tokio::test]
    async fn what_is_left_is_claimed_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let id = ImageId::random();
        let mut entry = Entry::begin(dir.path(), &id, note()).await.unwrap();
        entry.leave();
        let path = entry.path.clone();
        entry.settle().await;
        let claimed = Abandoned::claim(path.clone()).await.unwrap().unwrap();
        assert_eq!(claimed.note, Some(note()));
        assert!(Abandoned::claim(path).await.unwrap().is_none());
        assert!(!others_at_work(dir.path(), &id, &claimed).await.unwrap());
        let other = Entry::begin(dir.path(), &id, note()).await.unwrap();
        assert!(others_at_work(dir.path(), &id, &claimed).await.unwrap());
        other.settle().await;
        claimed.settle().await;
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn half_an_entry_says_nothing_and_other_files_are_none() {
        let dir = tempfile::tempdir().unwrap();
        let id = ImageId::random();
        for name in [format!("{id}"), format!("{id}.12"), format!("x.{:016x}", 7), ".hidden".to_owned()] {
            fs::write(dir.path().join(name), "{}").unwrap();
        }
        let half = dir.path().join(format!("{id}.{:016x}", 7));
        fs::write(&half, r#"{"work":"upl"#).unwrap();
        assert_eq!(entries(dir.path()).await.unwrap(), [(id, half.clone())]);
        assert_eq!(Abandoned::claim(half).await.unwrap().unwrap().note, None);
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for dir in [file.path().to_owned(), file.path().join("below"), "/proc/journal".into()] {
            prepare(&dir).await.unwrap_err();
            Entry::begin(&dir, &ImageId::random(), note()).await.unwrap_err();
        }
    }
}

//! The entry of work that this process does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use fastio::shared::{claim, leads_to, remove_if_there};

use super::Note;
use super::directory::{blocking, create_dir};
use crate::model::ImageId;

/// Attempts to get a file that no recovery of another process snatches away between its creation and its lock.
const CREATION_ATTEMPTS: usize = 8;

/// An entry whose work this process does. Dropped without being settled it stays, for a recovery to look at.
#[derive(Debug)]
pub(in crate::images) struct Entry {
    pub(super) path: PathBuf,
    /// Holds the lock.
    file: File,
    stays: bool,
}

impl Entry {
    /// Writes the entry of work that is about to begin. When this returns it is on disk and locked.
    pub(in crate::images) async fn begin(dir: &Path, id: &ImageId, note: Note) -> io::Result<Self> {
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

    /// The entry of work that another process, or another part of this one, has left.
    pub(super) fn taken_over(path: PathBuf, file: File) -> Self {
        Self { path, file, stays: false }
    }

    /// The work could not be settled now: [`Entry::settle`] will leave the entry to a recovery.
    pub(in crate::images) fn leave(&mut self) {
        self.stays = true;
    }

    /// Whether the work could not be settled.
    pub(in crate::images) fn is_left(&self) -> bool {
        self.stays
    }

    /// The work is over, and nothing of it is left that should not be.
    pub(in crate::images) async fn settle(self) {
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
            tracing::warn!("cannot remove an entry of the upload journal, a recovery will: {error}");
        }
    }
}

fn fill(mut file: &File, note: &Note, dir: &Path) -> io::Result<()> {
    file.write_all(&serde_json::to_vec(note)?)?;
    file.sync_all()?;
    // A name survives a crash only when its directory is on disk too.
    File::open(dir)?.sync_all()
}

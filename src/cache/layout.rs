//! Names below the cache directory (v1-cache §2), and what may pass for a file there.
//!
//! Blocking; knows nothing of the index or of running fills. Links, pipes and directories are never taken for files of
//! the cache (security C11).

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::model::ImageId;

/// Mode of the files that the cache makes.
pub(super) const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// The cache directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    base: PathBuf,
}

/// A regular file that is named by an image id.
#[derive(Debug)]
pub(super) struct Entry {
    /// The name.
    pub(super) id: ImageId,
    /// As it was when the directory was listed.
    pub(super) metadata: Metadata,
}

impl Layout {
    /// The layout below `base`, which need not exist yet.
    pub(super) fn new(base: PathBuf) -> Self {
        Self { base }
    }

    /// Makes the directories that are missing; the mode of an existing one is its owner's business.
    pub(super) fn create(&self) -> io::Result<()> {
        for dir in [self.base.clone(), self.incomplete_dir(), self.invalid_dir(), self.queue_dir()] {
            DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir)?;
        }
        Ok(())
    }

    /// The cache directory itself.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// Where running fills write.
    pub(super) fn incomplete_dir(&self) -> PathBuf {
        self.base.join("incomplete")
    }

    /// Where failed fills end.
    pub(super) fn invalid_dir(&self) -> PathBuf {
        self.base.join("invalid")
    }

    /// Where the queue's markers are.
    pub(super) fn queue_dir(&self) -> PathBuf {
        self.base.join("queue")
    }

    /// The complete image.
    pub(super) fn entry(&self, id: &ImageId) -> PathBuf {
        self.base.join(id.as_str())
    }

    /// The image while it is being written.
    pub(super) fn incomplete(&self, id: &ImageId) -> PathBuf {
        self.incomplete_dir().join(id.as_str())
    }

    /// What a failed fill left.
    pub(super) fn invalid(&self, id: &ImageId) -> PathBuf {
        self.invalid_dir().join(id.as_str())
    }

    /// The marker of an image that waits to be prefetched.
    pub(super) fn marker(&self, id: &ImageId) -> PathBuf {
        self.queue_dir().join(id.as_str())
    }

    /// Opens the entry of `id` and tells its size.
    pub(super) fn open_entry(&self, id: &ImageId) -> io::Result<Option<(File, u64)>> {
        let Some(file) = open_regular(&self.entry(id))? else { return Ok(None) };
        let size = file.metadata()?.len();
        Ok(Some((file, size)))
    }

    /// All entries, in no order.
    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        images_in(&self.base)
    }
}

/// The regular files of `dir` that are named by an image id; what vanishes meanwhile is left out.
pub(super) fn images_in(dir: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(ImageId::parse) else { continue };
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => found.push(Entry { id, metadata }),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Opens `path` for reading if a regular file is there: links are not followed, pipes not waited for.
pub(super) fn open_regular(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    match OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path) {
        Ok(file) => Ok(file.metadata()?.is_file().then_some(file)),
        Err(error) => match Errno::from_io_error(&error) {
            // Nothing, a link, a socket.
            Some(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Removes the file at `path`; false if there is none.
pub(super) fn remove_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

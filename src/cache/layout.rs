//! Names below the cache directory (v1-cache §2), and what may pass for a file there.
//!
//! Also the locks on the directory, and how much is in it. All but [`Layout::open_known_entry`] may wait for a disk. Knows
//! nothing of the index or of running fills. Links, pipes and directories are never taken for files of the cache (security
//! C11).

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use fastio::shared;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, SeekFrom, XattrFlags, fgetxattr, fsetxattr, openat2, seek};
use rustix::io::Errno;

use super::expected::Digest;
use crate::model::ImageId;

/// Mode of the files that the cache makes.
pub(super) const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;
/// The attribute that names a file's digest.
const DIGEST: &str = "user.digest";
/// Room for the longest one: `sha512:` and 128 digits.
const DIGEST_LEN: usize = 160;
/// Bytes that `st_blocks` counts in, whatever the file system's own block is (stat(2)).
const BLOCK_UNIT: u64 = 512;

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

/// An entry opened for reading.
#[derive(Debug)]
pub(super) struct OpenEntry {
    pub(super) file: File,
    /// Bytes.
    pub(super) size: u64,
    pub(super) stamp: Stamp,
    /// What the bytes were when they were written, if that was noted.
    pub(super) digest: Option<Digest>,
}

/// What tells one file of a name from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { inode: metadata.ino(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

impl OpenEntry {
    /// `file`, of which nothing is known yet.
    fn read((file, metadata): (File, Metadata)) -> Self {
        let digest = read_digest(&file);
        Self { file, size: metadata.len(), stamp: Stamp::of(&metadata), digest }
    }

    /// Whether the disk has less of the file than its length says, and zeros are read in place of the rest; false where
    /// the file system cannot tell.
    pub(super) fn has_holes(&self) -> bool {
        seek(&self.file, SeekFrom::Hole(0)).is_ok_and(|hole| hole < self.size)
    }
}

/// What is in the directory.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) entries: Vec<Entry>,
    /// Bytes of unfinished files: what is written, and what is taken for the rest.
    pub(super) unfinished: u64,
    /// The part of it that the disk does not know yet, where it keeps no room for files that say how long they will be.
    pub(super) unwritten: u64,
}

impl Layout {
    /// The layout below `base`, which need not exist yet.
    pub(super) fn new(base: PathBuf) -> Self {
        Self { base }
    }

    /// Makes the directories that are missing; the mode of an existing one is its owner's business, as long as not
    /// everybody can replace what is cached (security C11). The sticky bit forbids that; mounted tmpfs have it.
    pub(super) fn create(&self) -> io::Result<()> {
        for dir in [self.base.clone(), self.incomplete_dir(), self.invalid_dir(), self.queue_dir()] {
            DirBuilder::new().recursive(true).mode(DIR_MODE).create(&dir)?;
            if dir.metadata()?.mode() & (OTHERS_WRITE | STICKY) == OTHERS_WRITE {
                let text = format!("everybody may replace files in {}: take that right away", dir.display());
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
            }
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

    /// Opens the entry of `id`, if there is one.
    pub(super) fn open_entry(&self, id: &ImageId) -> io::Result<Option<OpenEntry>> {
        Ok(opened(&self.entry(id))?.map(OpenEntry::read))
    }

    /// [`Layout::open_entry`] for those who must not wait for a disk: `None` if the kernel would have to look there, or
    /// cannot tell (before Linux 5.12), or if nothing is known of this file yet. A small hit would otherwise spend most of
    /// its time on the way to the blocking pool.
    pub(super) fn open_known_entry(
        &self,
        id: &ImageId,
        known: impl FnOnce(Stamp) -> Option<Option<Digest>>,
    ) -> Option<io::Result<Option<OpenEntry>>> {
        let flags = shared::CAUTIOUS | OFlags::CLOEXEC;
        let file = match openat2(CWD, self.entry(id), flags, Mode::empty(), ResolveFlags::CACHED) {
            Ok(descriptor) => File::from(descriptor),
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Some(Ok(None)),
            Err(_) => return None,
        };
        match file.metadata() {
            Err(error) => Some(Err(error)),
            Ok(metadata) if !metadata.is_file() => Some(Ok(None)),
            Ok(metadata) => {
                let stamp = Stamp::of(&metadata);
                known(stamp).map(|digest| Ok(Some(OpenEntry { file, size: metadata.len(), stamp, digest })))
            }
        }
    }

    /// All entries, in no order.
    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        images_in(&self.base)
    }

    /// All that takes room, each file once. A fill may end meanwhile, and its file be renamed: the unfinished ones are
    /// listed first, so that such a file is seen twice rather than never.
    pub(super) fn account(&self) -> io::Result<Account> {
        let unfinished = images_in(&self.incomplete_dir())?;
        let entries = self.entries()?;
        let renamed: HashSet<u64> = entries.iter().map(|entry| entry.metadata.ino()).collect();
        let mut account = Account { entries, unfinished: 0, unwritten: 0 };
        for Entry { metadata, .. } in unfinished.iter().filter(|file| !renamed.contains(&file.metadata.ino())) {
            account.unfinished += metadata.len();
            account.unwritten += metadata.len().saturating_sub(metadata.blocks() * BLOCK_UNIT);
        }
        Ok(account)
    }

    /// Bytes of the file system that its users may still fill.
    pub(super) fn free(&self) -> io::Result<u64> {
        let file_system = rustix::fs::statvfs(&self.base)?;
        Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
    }

    /// Waits for the right to add to the directory; others wait until the file is closed.
    pub(super) fn lock_room(&self) -> io::Result<File> {
        locked(&self.incomplete_dir())
    }

    /// Waits for the right to make or remove entries and their records; others wait until the file is closed.
    pub(super) fn lock_entries(&self) -> io::Result<File> {
        locked(&self.base)
    }
}

fn locked(directory: &Path) -> io::Result<File> {
    let directory = File::open(directory)?;
    directory.lock()?;
    Ok(directory)
}

/// The regular files of `dir` that are named by an image id; what vanishes meanwhile is left out, and so
/// is, with a line in the log, what cannot be looked at.
pub(super) fn images_in(dir: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(ImageId::parse) else { continue };
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => found.push(Entry { id, metadata }),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("left out {}: {error}", entry.path().display()),
        }
    }
    Ok(found)
}

/// Opens `path` for reading if a regular file is there.
pub(super) fn open_regular(path: &Path) -> io::Result<Option<File>> {
    Ok(opened(path)?.map(|(file, _)| file))
}

fn opened(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    shared::open_regular(path, OpenOptions::new().read(true))
}

/// Notes on a finished file what its bytes are, so that it tells by itself which data of its image it is (security C6).
/// File systems without attributes go without: then only the size tells.
pub(super) fn write_digest(file: &File, digest: &Digest) {
    if let Err(error) = fsetxattr(file, DIGEST, digest.to_string().as_bytes(), XattrFlags::empty()) {
        tracing::debug!("no digest noted on a cached image: {error}");
    }
}

fn read_digest(file: &File) -> Option<Digest> {
    let mut text = [0_u8; DIGEST_LEN];
    let len = fgetxattr(file, DIGEST, &mut text).ok()?;
    str::from_utf8(text.get(..len)?).ok()?.parse().ok()
}

/// All that is in `dir`.
pub(super) fn paths_in(dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
}

/// Has `remove` look at each of `paths`; counts those that it removed. One that cannot be removed stays and is logged:
/// it must not keep all others.
pub(super) fn sweep(paths: impl IntoIterator<Item = PathBuf>, remove: impl Fn(&Path) -> io::Result<bool>) -> u64 {
    let mut removed = 0;
    for path in paths {
        match remove(&path) {
            Ok(done) => removed += u64::from(done),
            // Gone by itself.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!("cannot remove {}: {error}", path.display()),
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_removed_does_not_keep_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["first", "stuck", "vanished", "last"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let removed =
            sweep(paths_in(dir.path()).unwrap(), |path| match path.file_name().and_then(|name| name.to_str()) {
                Some("stuck") => Err(io::Error::other("stuck")),
                Some("vanished") => Err(io::ErrorKind::NotFound.into()),
                _ => shared::remove_if_there(path),
            });
        assert_eq!(removed, 2);
        assert!(!dir.path().join("first").exists() && !dir.path().join("last").exists());
    }
}

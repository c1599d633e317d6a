//! An image file on its way in: it has no name, or a temporary one, until it is complete and on disk.
//!
//! Everything here blocks.

use std::fs::{self, File, Permissions};
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, linkat, openat};

use super::datadir::Datadir;
use super::sparse::{self, Run};
use crate::model::ImageId;
use crate::store::{Error, Result};

/// The umask takes its part of it.
const CREATED_MODE: Mode = Mode::from_raw_mode(0o666);
/// Bytes after which the kernel is asked to bring them to disk, while more arrive: left to the end, a gigabyte costs a
/// good disk half a second more.
const WRITEBACK_BYTES: u64 = 8 * 1024 * 1024;
/// Attempts to get a temporary name that no sweep of another process snatches away.
const NAMING_ATTEMPTS: usize = 8;

/// A file being written; dropped, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Incoming {
    file: File,
    /// Where it will be.
    target: PathBuf,
    /// Its temporary name, where the filesystem insists on one.
    part: Option<PathBuf>,
    /// Its mode in the end.
    mode: Option<Mode>,
    /// Pieces of this size that are all zeros become holes.
    grain: Option<usize>,
    /// Bytes in it.
    size: u64,
    /// Of these, those that are on their way to disk.
    on_the_way: u64,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(part) = &self.part
            && let Err(error) = fs::remove_file(part)
        {
            tracing::warn!(file = %part.display(), %error, "cannot remove a temporary file");
        }
    }
}

impl Incoming {
    /// Starts the file of image `id`.
    pub(super) fn create(datadir: &Datadir, id: &ImageId) -> Result<Self> {
        let target = datadir.target(id);
        fs::create_dir_all(&datadir.path).map_err(write_error)?;
        let (file, part) = if datadir.unnamed {
            (unnamed(&datadir.path).map_err(write_error)?, None)
        } else {
            let (file, part) = named(&datadir.path, id).map_err(write_error)?;
            (file, Some(part))
        };
        let (mode, grain) = (datadir.file_mode, datadir.grain);
        Ok(Self { file, target, part, mode, grain, size: 0, on_the_way: 0 })
    }

    /// Appends `blocks`.
    pub(super) fn write(&mut self, blocks: &[Bytes]) -> Result<()> {
        match self.grain {
            None => self.append(blocks.iter().map(AsRef::as_ref))?,
            Some(grain) => {
                for run in sparse::runs(blocks, self.size, grain) {
                    match run {
                        Run::Data(pieces) => self.append(pieces)?,
                        Run::Hole(len) => self.skip(len)?,
                    }
                }
            }
        }
        self.size += blocks.iter().map(|block| block.len() as u64).sum::<u64>();
        let waiting = self.size - self.on_the_way;
        if waiting >= WRITEBACK_BYTES {
            // Where this cannot be done, or goes wrong, the sync at the end does it, or tells.
            let _ = fastio::begin_writeback(&self.file, self.on_the_way, waiting);
            self.on_the_way = self.size;
        }
        Ok(())
    }

    fn append<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        let mut slices: Vec<IoSlice<'_>> = pieces.into_iter().map(IoSlice::new).collect();
        // The standard library's write_all_vectored is not stable.
        let mut rest = slices.as_mut_slice();
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match self.file.write_vectored(rest) {
                Ok(0) => return Err(Error::Io(io::ErrorKind::WriteZero.into())),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(write_error(error)),
            }
        }
        Ok(())
    }

    /// Leaves a hole.
    fn skip(&mut self, len: u64) -> Result<()> {
        let len = i64::try_from(len).unwrap_or(i64::MAX);
        self.file.seek(SeekFrom::Current(len)).map(drop).map_err(write_error)
    }

    /// Brings the data to disk and gives the file its name, never replacing another.
    pub(super) fn publish(self) -> Result<Published> {
        if let Some(mode) = self.mode {
            let permissions = Permissions::from_mode(mode.as_raw_mode());
            self.file.set_permissions(permissions).map_err(write_error)?;
        }
        if self.grain.is_some() {
            // A hole at the end is none yet.
            self.file.set_len(self.size).map_err(write_error)?;
        }
        self.file.sync_all().map_err(write_error)?;
        self.link().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => duplicate(&self.target),
            _ => write_error(error),
        })?;
        let published = Published { path: self.target.clone(), kept: false };
        drop(self);
        published.sync_name().map_err(write_error)?;
        Ok(published)
    }

    fn link(&self) -> io::Result<()> {
        match &self.part {
            Some(part) => fs::hard_link(part, &self.target),
            None => Ok(linkat(CWD, own_descriptor(&self.file), CWD, &self.target, AtFlags::SYMLINK_FOLLOW)?),
        }
    }
}

/// A complete file under its name; dropped before it is kept (nobody waits for it any more), it is removed.
#[derive(Debug)]
pub(super) struct Published {
    path: PathBuf,
    kept: bool,
}

impl Published {
    /// Makes the file stay; its path.
    pub(super) fn keep(mut self) -> PathBuf {
        self.kept = true;
        std::mem::take(&mut self.path)
    }

    /// A name survives a crash only when its directory is on disk too.
    fn sync_name(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(file = %self.path.display(), %error, "cannot remove the file of an abandoned upload");
        }
    }
}

/// A file without a name in `directory`; an error also where it could not be given one later.
pub(super) fn unnamed(directory: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = File::from(openat(CWD, directory, flags, CREATED_MODE)?);
    fs::symlink_metadata(own_descriptor(&file))?;
    Ok(file)
}

fn own_descriptor(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// A file with a temporary name in `directory`, locked as long as it is open.
fn named(directory: &Path, id: &ImageId) -> io::Result<(File, PathBuf)> {
    for _ in 0..NAMING_ATTEMPTS {
        let random = getrandom::u64().map_err(io::Error::other)?;
        let part = directory.join(format!(".{id}.{random:016x}.part"));
        let file = File::create_new(&part)?;
        // Between creation and lock, another process's sweep may take the file for a leftover.
        let ours = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        if ours && part.symlink_metadata().is_ok() {
            return Ok((file, part));
        }
    }
    Err(io::Error::other("temporary files vanish as soon as they are created"))
}

/// Whether `name` is one of [`named`]'s.
pub(super) fn is_part_name(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".part")
}

pub(super) fn duplicate(path: &Path) -> Error {
    Error::Duplicate(format!("Image file {} already exists!", path.display()))
}

/// What an operating system's refusal to write means (stores §6.1).
pub(super) fn write_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Error::Full,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Error::WriteDenied,
        _ => Error::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use bytes::Bytes;
    use rustix::io::Errno;

    use super::{Datadir, Error, Incoming, write_error};
    use crate::model::ImageId;
    use crate::store::filesystem::settings::{Choice, Settings};

    fn datadir(dir: &tempfile::TempDir, unnamed: bool) -> Datadir {
        Datadir { path: dir.path().to_owned(), priority: 0, file_mode: None, grain: None, unnamed }
    }

    fn names(dir: &tempfile::TempDir) -> Vec<String> {
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn nothing_has_the_images_name_before_publishing() {
        for unnamed in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let id = ImageId::random();
            let mut incoming = Incoming::create(&datadir(&dir, unnamed), &id).unwrap();
            incoming.write(&[Bytes::from_static(b"ab"), Bytes::new(), Bytes::from_static(b"c")]).unwrap();
            assert!(names(&dir).iter().all(|name| !unnamed && name.ends_with(".part")));
            let path = incoming.publish().unwrap().keep();
            assert_eq!(names(&dir), [id.as_str()]);
            assert_eq!(fs::read(path).unwrap(), b"abc");
        }
    }

    #[test]
    fn abandoned_at_any_moment_it_leaves_nothing() {
        for unnamed in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let create = || Incoming::create(&datadir(&dir, unnamed), &ImageId::random()).unwrap();
            drop(create());
            drop(create().publish().unwrap());
            assert!(names(&dir).is_empty());
        }
    }

    #[test]
    fn of_two_writers_the_first_to_finish_wins() {
        for unnamed in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let id = ImageId::random();
            let create = || Incoming::create(&datadir(&dir, unnamed), &id).unwrap();
            let (mut first, second) = (create(), create());
            first.write(&[Bytes::from_static(b"first")]).unwrap();
            let path = first.publish().unwrap().keep();
            assert!(matches!(second.publish(), Err(Error::Duplicate(_))));
            assert_eq!(fs::read(path).unwrap(), b"first");
            assert_eq!(names(&dir), [id.as_str()]);
        }
    }

    #[test]
    fn only_files_without_a_writer_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Incoming::create(&datadir(&dir, false), &ImageId::random()).unwrap();
        File::create(dir.path().join(".left.0123.part")).unwrap();
        File::create(dir.path().join("kept")).unwrap();
        Datadir::open(Choice { path: dir.path().to_owned(), priority: 0 }, &Settings::default()).unwrap();
        let mut left = names(&dir);
        left.sort();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(writer.part.as_ref().unwrap().exists());
        assert_eq!(left[1], "kept");
    }

    #[test]
    fn refusals_have_meanings() {
        for errno in [Errno::NOSPC, Errno::FBIG, Errno::DQUOT] {
            assert!(matches!(write_error(errno.into()), Error::Full));
        }
        for errno in [Errno::ACCESS, Errno::PERM, Errno::ROFS] {
            assert!(matches!(write_error(errno.into()), Error::WriteDenied));
        }
        assert!(matches!(write_error(Errno::IO.into()), Error::Io(_)));
    }
}

//! A directory that images are stored in: made ready once, at start.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FlockOperation, Mode, access, flock};

use super::settings::{Choice, Settings};
use super::{incoming, sparse};
use crate::model::ImageId;

/// A usable datadir.
#[derive(Debug)]
pub(super) struct Datadir {
    /// Absolute, valid UTF-8.
    pub(super) path: PathBuf,
    /// Those of a higher one are preferred.
    pub(super) priority: i64,
    /// Mode for finished files; `None` leaves what the umask gave.
    pub(super) file_mode: Option<Mode>,
    /// Pieces of this size that are all zeros become holes; `None` writes everything.
    pub(super) grain: Option<usize>,
    /// Whether its filesystem can hold files without a name (`O_TMPFILE`).
    pub(super) unnamed: bool,
}

impl Datadir {
    /// Where the file of image `id` will be.
    pub(super) fn target(&self, id: &ImageId) -> PathBuf {
        self.path.join(id.as_str())
    }

    /// Creates the directory if it is missing. The error is for the log.
    pub(super) fn open(choice: Choice, settings: &Settings) -> Result<Self, String> {
        let Choice { path, priority } = choice;
        let file_mode = file_mode(settings.file_perm)?;
        let unusable = |error: io::Error| format!("directory {} of the file store: {error}", path.display());
        fs::create_dir_all(&path).map_err(unusable)?;
        access(&path, Access::WRITE_OK).map_err(|error| unusable(error.into()))?;
        if let Some(mode) = file_mode
            && let Err(error) = let_in(&path, mode)
        {
            tracing::warn!(path = %path.display(), "others cannot be let into the directory of the file store: {error}");
        }
        sweep(&path).map_err(unusable)?;
        let unnamed = incoming::unnamed(&path).is_ok();
        let grain = settings.thin_provisioning.then(|| sparse::grain(settings.chunk_size));
        Ok(Self { path, priority, file_mode, grain, unnamed })
    }
}

/// The decimal digits of `filesystem_store_file_perm`, read as octal. Without the owner's right to read, the service
/// could not serve what it stored.
fn file_mode(file_perm: u32) -> Result<Option<Mode>, String> {
    if file_perm == 0 {
        return Ok(None);
    }
    let digits = u32::from_str_radix(&file_perm.to_string(), 8).ok().filter(|digits| *digits <= 0o777);
    let mode = digits.map(Mode::from_raw_mode).filter(|mode| mode.contains(Mode::RUSR));
    mode.map(Some).ok_or_else(|| {
        format!("filesystem_store_file_perm {file_perm} must be an octal mode of three digits that lets the owner read")
    })
}

/// Files that group or others may use are of no use in a directory that they may not enter.
fn let_in(path: &Path, file_mode: Mode) -> io::Result<()> {
    let before = fs::metadata(path)?.permissions().mode();
    let mut mode = before;
    for (rights, enter) in [(Mode::RWXG, Mode::XGRP), (Mode::RWXO, Mode::XOTH)] {
        if file_mode.intersects(rights) {
            mode |= enter.as_raw_mode();
        }
    }
    if mode == before { Ok(()) } else { fs::set_permissions(path, Permissions::from_mode(mode)) }
}

/// Removes named temporary files whose writer is gone: the writer's lock dies with it.
fn sweep(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(incoming::is_part_name) || !entry.file_type()?.is_file() {
            continue;
        }
        // Another process may finish or sweep it meanwhile: then there is nothing left to do.
        let Ok(file) = File::open(entry.path()) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() && fs::remove_file(entry.path()).is_ok() {
            tracing::info!(file = %entry.path().display(), "removed what an interrupted upload left");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::Mode;

    use super::{Choice, Datadir, Settings, file_mode};

    #[test]
    fn file_perm_is_octal_in_decimal_digits() {
        assert_eq!(file_mode(0), Ok(None));
        assert_eq!(file_mode(640), Ok(Some(Mode::from_raw_mode(0o640))));
        for wrong in [800, 40, 200, 1644] {
            assert!(file_mode(wrong).unwrap_err().contains("filesystem_store_file_perm"), "{wrong}");
        }
    }

    #[test]
    fn a_mode_for_others_opens_the_directory_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        std::fs::create_dir_all(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        let choice = Choice { path: path.clone(), priority: 0 };
        Datadir::open(choice, &Settings { file_perm: 604, ..Settings::default() }).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o701);
    }

    #[test]
    fn an_unusable_directory_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let choice = Choice { path: file.path().to_owned(), priority: 0 };
        let error = Datadir::open(choice, &Settings::default()).unwrap_err();
        assert!(error.contains(file.path().to_str().unwrap()), "{error}");
    }
}

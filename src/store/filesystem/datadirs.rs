//! All directories that images may be put into, and which of them gets the next one (stores §6.1).

use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::datadir::Datadir;
use super::incoming::{duplicate, write_error};
use super::mountpoints::Mountpoints;
use super::settings::{Choice, Settings};
use crate::model::ImageId;
use crate::store::{Error, Result};

/// Usable directories, at least one, and what is noted of images in them.
#[derive(Debug)]
pub(super) struct Datadirs {
    /// Those of high priority first.
    pub(super) all: Vec<Datadir>,
    pub(super) mountpoints: Mountpoints,
}

impl Datadirs {
    /// Makes all directories ready: one that cannot be used is not left out silently. The error is for the log.
    pub(super) fn open(choices: Vec<Choice>, settings: &Settings) -> std::result::Result<Self, String> {
        let all = choices
            .into_iter()
            .map(|choice| Datadir::open(choice, settings))
            .collect::<std::result::Result<_, String>>()?;
        Ok(Self { all, mountpoints: Mountpoints::read(settings.metadata_file.as_deref())? })
    }

    /// Where the file of image `id` may be.
    pub(super) fn targets(&self, id: &ImageId) -> impl Iterator<Item = PathBuf> {
        self.all.iter().map(|datadir| datadir.target(id))
    }

    /// The directory for image `id` of `size` bytes; 0 if nobody knows. Blocks.
    pub(super) fn choose(&self, id: &ImageId, size: u64) -> Result<&Datadir> {
        // In any of them: an image whose data is there twice would leave one behind. And now, not when all data is here.
        if let Some(there) = self.targets(id).find(|target| target.symlink_metadata().is_ok()) {
            return Err(duplicate(&there));
        }
        match self.all.as_slice() {
            // It may be created again should it have vanished, and tells itself when it is full.
            [only] => Ok(only),
            several => roomiest(several, size),
        }
    }
}

/// The one of the highest priority that has room; of several the one with the most.
fn roomiest(sorted: &[Datadir], size: u64) -> Result<&Datadir> {
    let mut unusable = None;
    let mut asked = false;
    for equals in sorted.chunk_by(|one, other| one.priority == other.priority) {
        let mut best: Option<(u64, &Datadir)> = None;
        for datadir in equals {
            match free_space(&datadir.path) {
                Ok(free) => {
                    asked = true;
                    if free >= size && free > best.map_or(0, |(most, _)| most) {
                        best = Some((free, datadir));
                    }
                }
                Err(error) => {
                    tracing::warn!(path = %datadir.path.display(), "an upload passes this directory by: {error}");
                    unusable = Some(error);
                }
            }
        }
        if let Some((_, datadir)) = best {
            return Ok(datadir);
        }
    }
    Err(unusable.filter(|_| !asked).unwrap_or(Error::Full))
}

/// Bytes that this service may still write.
fn free_space(path: &Path) -> Result<u64> {
    let disk = statvfs(path).map_err(|error| write_error(error.into()))?;
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(Error::WriteDenied);
    }
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

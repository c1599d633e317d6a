//! The unfinished file of a fill, `incomplete/ID`: whose it is, and what becomes of it.
//!
//! Its maker holds a lock on it for as long as it lives, so what is not locked was left by a process that died.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fastio::ImageFile;
use fastio::shared::{claim, leads_to, remove_if_there};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use crate::cache::Cache;
use crate::cache::blocking::blocking;
use crate::cache::expected::Digest;
use crate::cache::layout::{FILE_MODE, Layout, open_regular, paths_in, sweep, write_digest};
use crate::cache::room::NoRoom;
use crate::model::ImageId;

/// A claimed `incomplete/ID`.
#[derive(Debug, Clone)]
pub(super) struct Incomplete {
    layout: Layout,
    id: ImageId,
    file: Arc<ImageFile>,
}

impl Incomplete {
    /// Claims the image for this process; `None` if another one, or an earlier fill of this one, writes it.
    pub(super) fn claim(layout: &Layout, id: &ImageId) -> io::Result<Option<Self>> {
        let path = layout.incomplete(id);
        let created = match create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && remove_if_unowned(&path)? => create(&path),
            first => first,
        };
        match created {
            Ok(file) => {
                let ours = claim(&file)? && leads_to(&path, &file)?;
                Ok(ours.then(|| Self { layout: layout.clone(), id: id.clone(), file: Arc::new(ImageFile::from(file)) }))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file, for readers; they may keep it whatever becomes of its name.
    pub(super) fn file(&self) -> &Arc<ImageFile> {
        &self.file
    }

    /// Takes room for the bytes from `taken` to `target`, which are written later: until then the file is as long as it
    /// will be, so that everybody sees what is taken.
    pub(super) async fn take(&self, cache: &Arc<Cache>, taken: u64, target: u64) -> Result<(), NoRoom> {
        let file = Arc::clone(&self.file);
        cache.occupy(target.saturating_sub(taken), move || extend(&file, taken, target)).await
    }

    /// Writes `blocks` one after the other from `offset` on.
    pub(super) async fn write(&self, mut offset: u64, blocks: Vec<Bytes>) -> io::Result<()> {
        let file = Arc::clone(&self.file);
        blocking(move || {
            for block in blocks {
                file.write_all_at(&block, offset)?;
                offset += block.len() as u64;
            }
            Ok(())
        })
        .await
    }

    /// Makes the file, which has `size` bytes of this digest, the entry of its image and takes the image out of the
    /// queue. False if it was evicted.
    pub(super) async fn commit(&self, size: u64, digest: Digest) -> io::Result<bool> {
        self.if_named(move |this, path| {
            // More was taken than an image of unknown size turned out to need; or somebody else wrote into the file.
            if this.file.metadata()?.len() != size {
                this.file.set_len(size)?;
            }
            write_digest(&this.file, &digest);
            fs::rename(path, this.layout.entry(&this.id))?;
            if let Err(error) = remove_if_there(&this.layout.marker(&this.id)) {
                tracing::warn!(image = %this.id, %error, "cached, but still queued");
            }
            Ok(())
        })
        .await
    }

    /// Removes the file and leaves an empty one among the invalid ones, which tells an operator of it. What readers
    /// have open stays as it is. False if it was evicted.
    pub(super) async fn reject(&self) -> io::Result<bool> {
        self.if_named(|this, path| {
            fs::remove_file(path)?;
            let invalid = this.layout.invalid(&this.id);
            remove_if_there(&invalid)?;
            create(&invalid).map(drop)
        })
        .await
    }

    /// Removes the file.
    pub(super) async fn remove(&self) -> io::Result<bool> {
        self.if_named(|_, path| fs::remove_file(path)).await
    }

    /// Does `work` if the name still leads to this file; tells whether it did.
    async fn if_named(&self, work: impl FnOnce(&Self, &Path) -> io::Result<()> + Send + 'static) -> io::Result<bool> {
        let this = self.clone();
        blocking(move || {
            let path = this.layout.incomplete(&this.id);
            let named = leads_to(&path, &this.file)?;
            if named {
                work(&this, &path)?;
            }
            Ok(named)
        })
        .await
    }
}

/// Removes every unfinished file that no living process writes; what cannot be removed stays, logged.
pub(in crate::cache) fn remove_unowned(layout: &Layout) -> io::Result<()> {
    let removed = sweep(paths_in(&layout.incomplete_dir())?, remove_if_unowned);
    if removed > 0 {
        tracing::info!("removed {removed} unfinished images, left by processes that ended");
    }
    Ok(())
}

/// Removes the unfinished file at `path` unless somebody writes it; tells whether it did.
pub(in crate::cache) fn remove_if_unowned(path: &Path) -> io::Result<bool> {
    let Some(file) = open_regular(path)? else { return Ok(false) };
    Ok(claim(&file)? && leads_to(path, &file)? && remove_if_there(path)?)
}

/// Makes the file as long as `target`, with room on the disk for what lies behind `taken`, where the file system can
/// keep room; elsewhere the file is only that long.
fn extend(file: &File, taken: u64, target: u64) -> io::Result<()> {
    if taken >= target {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), taken, target - taken) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(target),
        done => Ok(done?),
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(path)
}

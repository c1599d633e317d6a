//! The index in extended attributes of the cached files (v1-cache §7).
//!
//! Times and size are the file's own, so only hits and failures need an attribute.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, XattrFlags, lgetxattr, lsetxattr, utimensat};

use super::{Index, epoch};
use crate::cache::blocking::blocking;
use crate::cache::layout::{Entry, FILE_MODE, Layout};
use crate::model::{CachedImage, ImageId, Uses};

const HITS: &str = "user.hits";
const ERROR: &str = "user.error";
/// Room for the decimal digits of any `u64`.
const HITS_LEN: usize = 20;
/// Longest error text kept: all attributes of a file may have to share one block of 4 KiB.
const ERROR_LEN: usize = 1024;

/// The index in the file system.
#[derive(Debug)]
pub(super) struct Xattr {
    layout: Layout,
    /// Held while a hit is counted: an attribute can only be read and written, not incremented.
    counting: Arc<Mutex<()>>,
}

impl Xattr {
    /// Fails if the file system of the directory takes no user attributes.
    pub(super) async fn open(layout: Layout) -> io::Result<Self> {
        let probed = layout.base().join("checkme");
        blocking(move || probe(&probed)).await?;
        Ok(Self { layout, counting: Arc::default() })
    }

    /// Runs `work` on the blocking pool; a failure is logged with `doing`.
    async fn run<T: Default + Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Layout) -> io::Result<T> + Send + 'static,
    ) -> T {
        let layout = self.layout.clone();
        blocking(move || work(&layout)).await.unwrap_or_else(|error| {
            tracing::warn!("image cache index, {doing}: {error}");
            T::default()
        })
    }
}

#[async_trait]
impl Index for Xattr {
    async fn admit(&self, id: &ImageId, _size: u64, at: f64) {
        let id = id.clone();
        self.run("recording an image", move |layout| {
            let path = layout.entry(&id);
            set(&path, HITS, b"0")?;
            set_accessed(&path, at)
        })
        .await;
    }

    /// Nothing to do: the record went with the file.
    async fn remove(&self, _id: &ImageId) {}

    async fn used(&self, batch: &[(ImageId, Uses)]) -> bool {
        let batch = batch.to_vec();
        let counting = Arc::clone(&self.counting);
        self.run("counting hits", move |layout| {
            let _alone = counting.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, uses) in &batch {
                match count(&layout.entry(id), uses) {
                    // Evicted while it was read.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    outcome => outcome?,
                }
            }
            Ok(())
        })
        .await;
        // Half a batch cannot be told from a whole one, and hits that count twice are worse than hits that do not.
        true
    }

    async fn failed(&self, id: &ImageId, reason: &str) {
        let id = id.clone();
        let text = reason.as_bytes()[..reason.floor_char_boundary(ERROR_LEN)].to_vec();
        self.run("recording a failure", move |layout| set(&layout.invalid(&id), ERROR, &text)).await;
    }

    async fn entries(&self) -> Vec<CachedImage> {
        self.run("listing", |layout| {
            let mut records = Vec::new();
            for entry in layout.entries()? {
                records.push(record(layout, entry)?);
            }
            records.sort_by(|a, b| a.image_id.cmp(&b.image_id));
            Ok(records)
        })
        .await
    }
}

/// Tries an attribute on a file made for that.
fn probe(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let made = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(path);
    let tried = made.and_then(|mut file| io::Write::write_all(&mut file, b"foo")).and_then(|()| set(path, HITS, b"1"));
    // A leftover would only be in the way of the next probe, which overwrites it.
    let _ = fs::remove_file(path);
    tried
}

fn set(path: &Path, name: &str, value: &[u8]) -> io::Result<()> {
    Ok(lsetxattr(path, name, value, XattrFlags::empty())?)
}

/// Hits of the file at `path`; 0 where that cannot be read.
fn hits(path: &Path) -> u64 {
    let mut digits = [0_u8; HITS_LEN];
    let Ok(len) = lgetxattr(path, HITS, &mut digits) else { return 0 };
    digits.get(..len).and_then(|digits| str::from_utf8(digits).ok()).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Adds uses.
fn count(path: &Path, uses: &Uses) -> io::Result<()> {
    if uses.hits > 0 {
        set(path, HITS, hits(path).saturating_add(uses.hits).to_string().as_bytes())?;
    }
    set_accessed(path, uses.last_accessed)
}

/// Sets the access time, because mounts rarely keep it to the read (`relatime`, `noatime`), and the clock may have been
/// set back (security C33). In seconds since 1970.
fn set_accessed(path: &Path, at: f64) -> io::Result<()> {
    let accessed = Duration::try_from_secs_f64(at).unwrap_or_default();
    let times = Timestamps {
        last_access: Timespec { tv_sec: accessed.as_secs().cast_signed(), tv_nsec: accessed.subsec_nanos().into() },
        last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn record(layout: &Layout, Entry { id, metadata }: Entry) -> io::Result<CachedImage> {
    Ok(CachedImage {
        hits: hits(&layout.entry(&id)),
        last_accessed: epoch(metadata.accessed()?),
        last_modified: epoch(metadata.modified()?),
        size: metadata.len(),
        image_id: id,
        row: None,
    })
}

//! The directory of the journal.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Makes the directory ready.
pub(in crate::images) async fn prepare(dir: &Path) -> io::Result<()> {
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

/// Only the last directory is the journal's own; those above belong to others, who let in whom they like.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
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

/// Runs what may block where it may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| Err(io::Error::other(failure)))
}

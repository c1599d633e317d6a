//! What the programs leave on disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::skipped;
use rustix::fs::{XattrFlags, getxattr, setxattr};

/// Regular files directly in a directory; none when it does not exist.
pub(crate) fn entries(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<_> = listing.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

/// The names of [`entries`] that are not part of an index (`cache.db` and its journals).
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    entries(dir).iter().map(name).filter(|name| !name.contains(".db")).collect()
}

/// An extended attribute as text.
pub(crate) fn xattr(path: &Path, name: &str) -> Option<String> {
    let mut value = vec![0; 4096];
    let length = getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    String::from_utf8(value).ok()
}

/// Whether files here can carry `user.*` attributes; says loudly when not.
pub(crate) fn xattr_supported(dir: &Path) -> bool {
    let probe = dir.join("xattr-probe");
    fs::write(&probe, b"?").unwrap();
    let supported = setxattr(&probe, "user.test", b"1", XattrFlags::empty()).is_ok();
    fs::remove_file(&probe).unwrap();
    if !supported {
        skipped(&format!("the file system of {} has no user xattrs", dir.display()));
    }
    supported
}

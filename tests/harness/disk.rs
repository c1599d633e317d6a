//! A disk that is soon full.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::skipped;

/// A file system of its own; dropped, it is unmounted.
#[derive(Debug)]
pub(crate) struct TinyDisk(PathBuf);

impl TinyDisk {
    /// One of this many KiB at `dir`; `None`, said loudly, where nothing can be mounted.
    pub(crate) fn mount(dir: PathBuf, kib: u32) -> Option<Self> {
        fs::create_dir_all(&dir).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "none"]).arg(&dir).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        skipped("a small file system cannot be mounted here");
        None
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

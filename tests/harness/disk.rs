//! Disks that do not do as they are told: too small, not to be written, or not to be cleaned up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::skipped;

/// A file system of its own; dropped, it is unmounted.
#[derive(Debug)]
pub(crate) struct TinyDisk(PathBuf);

impl TinyDisk {
    /// One of this many KiB at `dir`; `None`, said loudly, where nothing can be mounted.
    pub(crate) fn mount(dir: PathBuf, kib: u32) -> Option<Self> {
        fs::create_dir_all(&dir).unwrap();
        let options = format!("size={kib}k");
        if run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(&dir)) {
            return Some(Self(dir));
        }
        skipped("a small file system cannot be mounted here");
        None
    }

    /// Keeps everybody, the system's administrator as well, from writing, or lets them.
    pub(crate) fn read_only(&self, read_only: bool) {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        assert!(run(Command::new("mount").args(["-o", options]).arg(&self.0)), "{options}");
    }
}

/// Lets nobody remove what is in `dir`, though new files can come; false where that cannot be had.
pub(crate) fn append_only(dir: &Path, append_only: bool) -> bool {
    run(Command::new("chattr").arg(if append_only { "+a" } else { "-a" }).arg(dir))
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

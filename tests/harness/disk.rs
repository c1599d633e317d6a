//! Disks that do not do as they are told: too small, not to be written, not to be cleaned up, or dead.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::fs::{Advice, fadvise};

use super::net::eventually;
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

/// A file system on a disk of its own, which can die; dropped, it is unmounted.
#[derive(Debug)]
pub(crate) struct MortalDisk(PathBuf);

impl MortalDisk {
    /// One of this many MiB at `dir`; `None`, said loudly, where none can be mounted.
    pub(crate) fn mount(dir: PathBuf, mib: u64) -> Option<Self> {
        fs::create_dir_all(&dir).unwrap();
        let disk = Self(dir);
        File::create(disk.device()).unwrap().set_len(mib << 20).unwrap();
        let tools = ["python3", "fincore"].iter().all(|tool| run(Command::new(tool).arg("--version")));
        if tools && run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(disk.device())) && disk.attach() {
            return Some(disk);
        }
        skipped("no ext4 that can be broken: it needs root, loop devices, python3 and fincore");
        None
    }

    /// The file in place of a device.
    fn device(&self) -> PathBuf {
        self.0.with_extension("disk")
    }

    fn attach(&self) -> bool {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.device()).arg(&self.0))
    }

    /// Everything that is asked of it fails with EIO from now on, what is in memory included. What it was not yet given
    /// is lost.
    pub(crate) fn die(&self) {
        // EXT4_IOC_SHUTDOWN, without writing the journal.
        let order = "import fcntl, os, sys; fcntl.ioctl(os.open(sys.argv[1], 0), 0x8004587D, bytes([2, 0, 0, 0]))";
        assert!(run(Command::new("python3").args(["-c", order]).arg(&self.0)), "the disk does not die");
        assert!(File::create(self.0.join("probe")).is_err(), "the disk lives on");
    }

    /// What is in this file of it cannot be read any more, until something is written: all else that is used is in memory.
    pub(crate) fn lose(&self, file: &Path) {
        self.sync();
        let lost = File::open(file).unwrap();
        // What somebody is still reading stays in memory.
        eventually("the file leaves the memory", Duration::from_secs(20), || {
            fadvise(&lost, 0, None, Advice::DontNeed).unwrap();
            pages_in_memory(file) == 0
        });
        File::options().write(true).open(self.device()).unwrap().set_len(0).unwrap();
    }

    /// Works again after it died, with what it had. Nobody may use it meanwhile.
    pub(crate) fn repair(&self) {
        assert!(run(Command::new("umount").arg(&self.0)) && self.attach(), "the disk stays dead");
    }

    /// Gives it all that was written.
    pub(crate) fn sync(&self) {
        assert!(run(Command::new("sync").arg("--file-system").arg(&self.0)));
    }
}

/// How many pages of `file` need not be read from its disk.
fn pages_in_memory(file: &Path) -> u64 {
    let told = Command::new("fincore").args(["--raw", "--noheadings", "--output", "PAGES"]).arg(file).output().unwrap();
    String::from_utf8_lossy(&told.stdout).trim().parse().unwrap()
}

impl Drop for MortalDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

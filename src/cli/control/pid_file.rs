//! The file by which a launcher finds its server again: one line, the process id.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::process::Pid;

/// A pid file, whether it exists or not.
#[derive(Debug)]
pub(super) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Names a file; relative paths are meant from here.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path: std::path::absolute(&path).unwrap_or(path) }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder it lies in.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// Whether the file is there, whatever it holds.
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The process id; none when there is no file or the file holds something else. Zero and negative numbers
    /// are something else: to `kill` they would mean whole groups of processes.
    pub(super) fn read(&self) -> Option<Pid> {
        let number = fs::read_to_string(&self.path).ok()?.trim().parse().ok()?;
        if number > 0 { Pid::from_raw(number) } else { None }
    }

    /// Writes the process id. Readers see the old content or the new, never half of it.
    pub(super) fn write(&self, pid: u32) -> io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = self.path.with_file_name(name);
        fs::write(&new, format!("{pid}\n"))?;
        fs::rename(&new, &self.path)
    }

    /// Removes the file; it is no error if it is gone already.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Time since it was written; none when there is no file. A file from the future was written just now.
    pub(super) fn age(&self) -> Option<Duration> {
        let written = fs::metadata(&self.path).and_then(|about| about.modified()).ok()?;
        Some(SystemTime::now().duration_since(written).unwrap_or_default())
    }
}

/// Whether a process runs. One that only waits for its parent to notice its end does not:
/// where nobody reaps orphans (a container without an init) it would look alive for ever.
pub(super) fn is_alive(pid: Pid) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())) else { return false };
    // `pid (name) state …`, and the name may hold anything, parentheses included.
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
    !matches!(state, Some('Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_reads_and_removes() {
        let dir = tempfile::tempdir().unwrap();
        let file = PidFile::new(dir.path().join("api.pid"));
        assert_eq!((file.read(), file.age(), file.exists()), (None, None, false));
        file.write(4711).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "4711\n");
        assert_eq!(file.read(), Pid::from_raw(4711));
        assert_eq!(fs::read_dir(file.folder()).unwrap().count(), 1);
        file.remove().unwrap();
        file.remove().unwrap();
    }

    #[test]
    fn only_a_positive_number_is_a_process() {
        let dir = tempfile::tempdir().unwrap();
        let file = PidFile::new(dir.path().join("api.pid"));
        for content in ["", "0", "-1", "x", "99999999999"] {
            fs::write(file.path(), content).unwrap();
            assert_eq!(file.read(), None, "{content:?}");
        }
    }

    #[test]
    fn a_zombie_is_dead() {
        let mut child = std::process::Command::new("true").stdout(std::process::Stdio::piped()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        assert!(is_alive(rustix::process::getpid()));
        // End of file on its output: the child is past its last instruction; only the kernel's bookkeeping remains.
        io::copy(&mut child.stdout.take().unwrap(), &mut io::sink()).unwrap();
        while is_alive(pid) {
            std::thread::yield_now();
        }
        assert!(Path::new(&format!("/proc/{}", pid.as_raw_nonzero())).exists());
        child.wait().unwrap();
    }
}

//! Disks that fail: libfiu stands between a server and the C library, and calls of the kinds that it is told to fail
//! say EIO.
//!
//! What a server does by them: `writev` writes the files of the store, and answers; `pwrite` those of the cache, and of
//! SQLite; `pread` reads what is not in memory, or not known to be, and SQLite's files. What the crate `rustix` asks of
//! the kernel itself libfiu does not see, among it `preadv2`, `sendfile`, `fallocate` and `linkat`: there
//! [`super::MortalDisk`] fails.

use std::path::Path;
use std::process::Command;

use rustix::io::Errno;

use super::gander::{Gander, Setup};
use super::process::run;
use super::skipped;

/// `EIO`.
const ERRNO: i32 = Errno::IO.raw_os_error();

/// Whether libfiu is here; says loudly when not.
pub(super) fn libfiu() -> bool {
    let found = Command::new("fiu-run").args(["-x", "-f", "", "true"]).status().is_ok_and(|status| status.success());
    if !found {
        skipped("no libfiu (fiu-utils)");
    }
    found
}

/// `command`, run with libfiu, which is told at `pipes` what shall fail.
pub(super) fn under_libfiu(command: &Command, pipes: &Path) -> Command {
    let mut under = Command::new("fiu-run");
    under.arg("-x").arg("-f").arg(pipes).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => under.env(name, value),
            None => under.env_remove(name),
        };
    }
    under.current_dir(command.get_current_dir().unwrap());
    under
}

/// Of a server that is [`Setup::breakable`]. `call` is one of libfiu's names below `posix/io`.
impl Gander {
    /// From now on all calls of this kind fail with EIO, until they are mended.
    #[track_caller]
    pub(crate) fn break_all(&self, call: &str) {
        self.tell_libfiu(&format!("enable name=posix/io/{call},failinfo={ERRNO}"));
    }

    /// The next call of this kind fails with EIO, and no other.
    #[track_caller]
    pub(crate) fn break_next(&self, call: &str) {
        self.tell_libfiu(&format!("enable name=posix/io/{call},failinfo={ERRNO},onetime"));
    }

    /// Calls of this kind succeed again.
    #[track_caller]
    pub(crate) fn mend(&self, call: &str) {
        self.tell_libfiu(&format!("disable name=posix/io/{call}"));
    }

    #[track_caller]
    fn tell_libfiu(&self, order: &str) {
        let mut control = Command::new("fiu-ctrl");
        let told = run(control.arg("-f").arg(self.path(Setup::PIPES)).args(["-c", order, &self.pid().to_string()]));
        // It says what is wrong, and nothing else, and always succeeds.
        assert!(told.code == Some(0) && told.stdout.is_empty() && told.stderr.is_empty(), "{order}: {told:?}");
    }
}

//! `start`: limits, the process, its pid file.

use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, Rlimit};

use super::pid_file::{PidFile, is_alive};
use super::process::{self, Launch};
use crate::cli::terminal::{complain, say};

/// Open files a server may have: one per client, one per store connection, one per cached image being read.
const DESCRIPTORS: u64 = 32768;
/// Bytes of data a server may have.
const DATA: u64 = 2 << 30;

/// Why a server is started, as the user is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// For the first time.
    Start,
    /// After it was stopped on purpose.
    Restart,
    /// After it died.
    Respawn,
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "Starting",
            Self::Restart => "Restarting",
            Self::Respawn => "Respawning",
        }
    }
}

/// A server that was started from here, and what is needed to start it again.
#[derive(Debug)]
pub(super) struct Daemon {
    /// How it was started.
    pub(super) launch: Launch,
    /// Where its process id is written.
    pub(super) pid_file: PidFile,
    /// The process.
    pub(super) child: Child,
}

/// Starts a server; none if it seems to run already.
pub(super) fn start(mut launch: Launch, pid_file: PidFile, verb: Verb) -> anyhow::Result<Option<Daemon>> {
    if pid_file.exists() {
        let (server, path) = (launch.server, pid_file.path().display());
        if pid_file.read().is_some_and(is_alive) {
            say(&format!("{server} appears to already be running: {path}"));
            return Ok(None);
        }
        say(&format!("Removing stale pid file {path}"));
        pid_file.remove().with_context(|| format!("Unable to remove {path}"))?;
    }
    std::fs::create_dir_all(pid_file.folder())
        .map_err(|_| anyhow::anyhow!("Unable to create {}.  Running as non-root?", pid_file.folder().display()))?;
    if launch.capture_output && !process::has_logger() {
        complain(&format!("There is no logger on this system; the output of {} is dropped", launch.server));
        launch.capture_output = false;
    }
    launch.conf = launch.conf.and_then(|conf| existing(&conf, launch.server));
    let child = spawn(&launch, &pid_file, verb)?;
    Ok(Some(Daemon { launch, pid_file, child }))
}

/// The absolute path of a configuration file that exists. Without it the server looks for its own (v1-system §5.1).
fn existing(conf: &Path, server: &str) -> Option<std::path::PathBuf> {
    if !conf.exists() {
        complain(&format!("There is no configuration file {}; {server} looks for its own", conf.display()));
        return None;
    }
    std::path::absolute(conf).ok()
}

/// Starts the process and writes its pid file, after telling the user.
pub(super) fn spawn(launch: &Launch, pid_file: &PidFile, verb: Verb) -> anyhow::Result<Child> {
    if raise(Resource::Nofile, DESCRIPTORS).is_err() || raise(Resource::Data, DATA).is_err() {
        say("Unable to increase file descriptor limit.  Running as non-root?");
    }
    match &launch.conf {
        Some(conf) => say(&format!("{} {} with {}", verb.as_str(), launch.server, conf.display())),
        None => say(&format!("{} {}", verb.as_str(), launch.server)),
    }
    let mut child = launch.spawn().with_context(|| format!("Unable to start {}", launch.server))?;
    if let Err(error) = pid_file.write(child.id()) {
        // A server that nobody can stop by name is worse than none. It may have ended by itself already.
        let _ = child.kill().and_then(|()| child.wait());
        return Err(error).with_context(|| format!("Unable to write {}", pid_file.path().display()));
    }
    Ok(child)
}

/// Raises a limit of this process and of those it starts, as far as is permitted. What is higher already stays.
fn raise(resource: Resource, wanted: u64) -> rustix::io::Result<()> {
    let limit = rustix::process::getrlimit(resource);
    let raised = raised(&limit, wanted);
    if raised == limit {
        return Ok(());
    }
    rustix::process::setrlimit(resource, raised).inspect_err(|_| {
        // Only root may pass the hard limit; up to there anyone may go. The caller reports the first failure.
        let _ = rustix::process::setrlimit(resource, Rlimit { current: limit.maximum, ..limit });
    })
}

fn raised(limit: &Rlimit, wanted: u64) -> Rlimit {
    Rlimit {
        current: limit.current.map(|current| current.max(wanted)),
        maximum: limit.maximum.map(|maximum| maximum.max(wanted)),
    }
}

impl Daemon {
    /// Waits for the server to die; its exit code, or 128 and the signal that killed it, as shells put it.
    /// None if it lives on after that time.
    pub(super) fn await_death(mut self, patience: Duration) -> Option<i32> {
        // The standard library cannot wait with a deadline; a thread that may be left behind can.
        let (tell, death) = mpsc::sync_channel(1);
        std::thread::spawn(move || tell.send(self.child.wait()));
        death.recv_timeout(patience).ok()?.ok().map(code_of)
    }
}

fn code_of(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(current: Option<u64>, maximum: Option<u64>) -> Rlimit {
        Rlimit { current, maximum }
    }

    #[test]
    fn limits_only_go_up() {
        assert_eq!(raised(&limit(Some(1024), Some(4096)), 32768), limit(Some(32768), Some(32768)));
        assert_eq!(raised(&limit(Some(1024), Some(1 << 20)), 32768), limit(Some(32768), Some(1 << 20)));
        assert_eq!(raised(&limit(Some(1 << 20), None), 32768), limit(Some(1 << 20), None));
        assert_eq!(raised(&limit(None, None), DATA), limit(None, None));
    }

    #[test]
    fn a_death_is_told_as_shells_do() {
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(code_of(ExitStatus::from_raw(255 << 8)), 255);
        assert_eq!(code_of(ExitStatus::from_raw(9)), 137);
    }
}

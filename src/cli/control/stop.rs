//! `stop` and `shutdown`: a signal, then patience.

use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::pid_file::{PidFile, is_alive};
use crate::cli::terminal::say;

/// The signal of `stop`.
pub(super) const TERMINATE: Signal = Signal::TERM;
/// The signal of `shutdown`: the server finishes what it is doing.
pub(super) const DRAIN: Signal = Signal::HUP;

const PATIENCE: Duration = Duration::from_secs(15);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Ends a server and waits for its death, but not for ever. That none runs is no error.
pub(super) fn stop(server: &str, pid_file: &PidFile, signal: Signal) -> anyhow::Result<()> {
    let Some(pid) = pid_file.read() else {
        say(&format!("No {server} running"));
        return Ok(());
    };
    let number = pid.as_raw_nonzero();
    // Asked beforehand, because a server that may not be signalled must keep its pid file.
    if test_kill_process(pid) == Err(Errno::PERM) {
        anyhow::bail!("Not permitted to stop {server}  pid: {number}");
    }
    // Removed before the signal: to a respawning launcher its absence says that the death is meant.
    pid_file.remove().with_context(|| format!("Unable to remove {}", pid_file.path().display()))?;
    if kill_process(pid, signal).is_err() {
        say(&format!("Process {number} not running"));
        return Ok(());
    }
    say(&format!("Stopping {server}  pid: {number}  signal: {}", signal.as_raw()));
    if !dies(pid, PATIENCE) {
        let seconds = PATIENCE.as_secs();
        say(&format!("Waited {seconds} seconds for pid {number} ({}) to die; giving up", pid_file.path().display()));
    }
    Ok(())
}

/// Waits for the end of a process that is not our child: nothing but looking tells.
fn dies(pid: Pid, patience: Duration) -> bool {
    let give_up = Instant::now() + patience;
    while is_alive(pid) {
        if Instant::now() >= give_up {
            return false;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    true
}

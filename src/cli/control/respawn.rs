//! `--respawn`: a launcher that stays and starts its servers again when they die (v1-system §4).

use std::time::Duration;

use rustix::process::Pid;

use super::pid_file::PidFile;
use super::start::{self, Daemon, Verb};
use crate::cli::terminal::{complain, say};

/// A server that dies sooner than this after its start would only die again.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);

/// What a death calls for.
#[derive(Debug, PartialEq, Eq)]
enum AfterDeath {
    Respawn,
    /// Somebody removed the pid file, or put another server's there: the death was meant.
    Stopped,
    /// It never really lived.
    Bouncing,
}

/// Watches over the servers until each has been stopped or bounced.
pub(super) fn supervise(daemons: Vec<Daemon>) {
    std::thread::scope(|scope| {
        for daemon in daemons {
            scope.spawn(|| watch(daemon));
        }
    });
}

fn watch(mut daemon: Daemon) {
    loop {
        let pid = Pid::from_child(&daemon.child);
        if let Err(error) = daemon.child.wait() {
            return complain(&format!("Unable to watch over {}: {error}", daemon.launch.server));
        }
        let why_not = match after_death(pid, &daemon.pid_file) {
            AfterDeath::Respawn => None,
            AfterDeath::Stopped => Some("deliberately stopped"),
            AfterDeath::Bouncing => Some("bouncing"),
        };
        if let Some(reason) = why_not {
            return say(&format!("Supressed respawn as {} was {reason}.", daemon.launch.server));
        }
        match start::spawn(&daemon.launch, &daemon.pid_file, Verb::Respawn) {
            Ok(child) => daemon.child = child,
            Err(error) => return complain(&format!("{error:#}")),
        }
    }
}

/// Decides by the pid file, which is all that `glance-control stop` and this launcher share.
fn after_death(pid: Pid, pid_file: &PidFile) -> AfterDeath {
    decide(pid, pid_file.read(), pid_file.age())
}

fn decide(pid: Pid, recorded: Option<Pid>, age: Option<Duration>) -> AfterDeath {
    match age {
        Some(age) if recorded == Some(pid) && age < SHORTEST_LIFE => AfterDeath::Bouncing,
        Some(_) if recorded == Some(pid) => AfterDeath::Respawn,
        _ => AfterDeath::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_decides() {
        let (ours, other) = (Pid::from_raw(10).unwrap(), Pid::from_raw(11));
        let (young, old) = (Some(Duration::from_millis(999)), Some(Duration::from_secs(1)));
        assert_eq!(decide(ours, Some(ours), old), AfterDeath::Respawn);
        assert_eq!(decide(ours, Some(ours), young), AfterDeath::Bouncing);
        assert_eq!(decide(ours, None, None), AfterDeath::Stopped);
        assert_eq!(decide(ours, other, old), AfterDeath::Stopped, "restarted by hand meanwhile");
        assert_eq!(decide(ours, other, young), AfterDeath::Stopped);
    }
}

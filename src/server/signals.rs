//! The signals that stop a server, and how patient each of them is.

use std::fmt;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The most that running requests get after SIGTERM or SIGINT. With the time for cleaning up it must stay below the
/// patience of `glance-control stop` (15 s), which would give up.
const TERM_GRACE: Duration = Duration::from_secs(10);

/// A signal that says stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    Term,
    /// The patient one: `glance-control shutdown` and `reload` let requests finish (v1-system §2).
    Hup,
    Int,
}

impl StopSignal {
    /// How long running requests get, of the configured grace.
    pub(super) fn grace(self, configured: Duration) -> Duration {
        match self {
            Self::Hup => configured,
            Self::Term | Self::Int => configured.min(TERM_GRACE),
        }
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Term => "SIGTERM",
            Self::Hup => "SIGHUP",
            Self::Int => "SIGINT",
        })
    }
}

/// Waits for SIGTERM, SIGHUP or SIGINT.
#[derive(Debug)]
pub(crate) struct Stop {
    term: Signal,
    hup: Signal,
    int: Signal,
}

impl Stop {
    /// From now on these signals no longer end the process by themselves.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    /// The signal that came.
    pub(crate) async fn wait(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.term.recv() => StopSignal::Term,
            _ = self.hup.recv() => StopSignal::Hup,
            _ = self.int.recv() => StopSignal::Int,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hangup_gets_the_whole_of_a_long_grace() {
        let long = Duration::from_secs(60);
        assert_eq!(StopSignal::Hup.grace(long), long);
        assert_eq!(StopSignal::Term.grace(long), TERM_GRACE);
        assert_eq!(StopSignal::Int.grace(Duration::from_secs(1)), Duration::from_secs(1));
    }
}

//! The signals that stop a server. SIGHUP is a graceful stop too: `glance-control reload` starts a successor.

use tokio::signal::unix::{Signal, SignalKind, signal};

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

    /// The name of the signal that came.
    pub(crate) async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.hup.recv() => "SIGHUP",
            _ = self.int.recv() => "SIGINT",
        }
    }
}

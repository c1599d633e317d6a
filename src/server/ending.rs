//! The end of a server: one deadline for everything that is still running, and a second signal that ends it at once.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::signals::{Stop, StopSignal};
use super::threads::Threads;

/// A server that takes no connections any more.
#[derive(Debug)]
pub(crate) struct Ending {
    stop: Stop,
    deadline: Instant,
    /// Fills, uploads and copies go on where their requests were served: the threads end with this.
    _threads: Option<Threads>,
}

impl Ending {
    /// The end that `signal` begins, with the configured `grace`.
    pub(super) fn begin(stop: Stop, signal: StopSignal, grace: Duration) -> Self {
        let grace = signal.grace(grace);
        tracing::info!("{signal} received, stopping within {} s", grace.as_secs());
        Self { stop, deadline: Instant::now() + grace, _threads: None }
    }

    /// Keeps `threads` until the end.
    pub(super) fn with(self, threads: Threads) -> Self {
        Self { _threads: Some(threads), ..self }
    }

    /// How long is left.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The outcome of `work`; `None`, and `work` is dropped, if it takes longer than what is left.
    pub(crate) async fn grant<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            () = sleep_until(self.deadline) => None,
            signal = self.stop.wait() => {
                tracing::info!("{signal} received while stopping: stopping at once");
                self.deadline = Instant::now();
                None
            }
        }
    }
}

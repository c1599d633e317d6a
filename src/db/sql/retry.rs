//! Trying again what a database could not do now: the one place for it.

use std::time::{Duration, Instant};

use super::error::Fault;
use crate::db::{Error, Result};

/// Longest that one attempt at an operation may take.
pub(super) const ATTEMPT: Duration = Duration::from_secs(60);
/// How long an operation is tried again while locks or lost connections are in its way, and the pause between
/// (database §5).
const RETRY_FOR: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// When an operation is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Often, for a few seconds.
    Brief,
    /// As `use_db_reconnect` and its `db_*` options say.
    Patient {
        /// Attempts after the first; `None`: no end.
        times: Option<u32>,
        pause: Duration,
        /// Each pause is twice the one before.
        grows: bool,
        longest_pause: Duration,
    },
}

impl Retry {
    /// Runs one operation, again while nothing but a lock or a lost connection is in its way. What may have been
    /// committed is not done again.
    pub(super) async fn tried<T, F>(self, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, Fault>>,
    {
        let started = Instant::now();
        let mut attempts = 0;
        loop {
            let Ok(result) = tokio::time::timeout(ATTEMPT, attempt()).await else {
                return Err(no_answer());
            };
            attempts += 1;
            match result {
                Err(fault) if fault.is_passing() => match self.pause(attempts, started.elapsed()) {
                    Some(pause) => {
                        tracing::debug!(error = %fault, attempts, "the database is asked again");
                        tokio::time::sleep(pause).await;
                    }
                    None => return Err(fault.into()),
                },
                result => return Ok(result?),
            }
        }
    }

    /// The pause before another attempt; `None` if there is none.
    fn pause(self, attempts: u32, elapsed: Duration) -> Option<Duration> {
        match self {
            Self::Brief => (elapsed < RETRY_FOR).then_some(RETRY_PAUSE),
            Self::Patient { times, pause, grows, longest_pause } => {
                let factor = if grows { 2_u32.saturating_pow(attempts - 1) } else { 1 };
                times.is_none_or(|times| attempts <= times).then(|| pause.saturating_mul(factor).min(longest_pause))
            }
        }
    }
}

/// [`ATTEMPT`] is over.
pub(super) fn no_answer() -> Error {
    Error::Unavailable(format!(": the database did not answer in {} s", ATTEMPT.as_secs()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Retry;

    #[test]
    fn pauses_grow_up_to_the_longest_and_end() {
        let second = Duration::from_secs(1);
        let retry = Retry::Patient { times: Some(4), pause: second, grows: true, longest_pause: 3 * second };
        let pauses: Vec<_> = (1..=5).map(|attempts| retry.pause(attempts, 99 * second)).collect();
        assert_eq!(pauses, [Some(second), Some(2 * second), Some(3 * second), Some(3 * second), None]);
        assert_eq!(Retry::Brief.pause(99, 4 * second), Some(Duration::from_millis(50)));
        assert_eq!(Retry::Brief.pause(1, 6 * second), None);
    }
}

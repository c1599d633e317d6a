//! Holds requests back from a Keystone that does not answer, so that not each of them waits for it in vain.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After the first failure; doubled with each one that follows, up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);

/// Open as long as Keystone answers.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Option<Shut>>);

#[derive(Debug, Clone, Copy)]
struct Shut {
    until: Instant,
    pause: Duration,
}

impl Gate {
    /// Lets a request pass to Keystone, or says how long there is no use in asking.
    pub(super) fn pass(&self) -> Result<(), Duration> {
        let shut = *self.lock();
        let left = shut.map_or(Duration::ZERO, |shut| shut.until.saturating_duration_since(Instant::now()));
        if left.is_zero() { Ok(()) } else { Err(left) }
    }

    /// Keystone has answered.
    pub(super) fn open(&self) {
        *self.lock() = None;
    }

    /// Keystone has not; for how long nobody asks again.
    pub(super) fn shut(&self) -> Duration {
        let mut shut = self.lock();
        let pause = match *shut {
            // Those that were on their way together count as one.
            Some(Shut { until, pause }) if until > Instant::now() => return pause,
            Some(Shut { pause, .. }) => (pause * 2).min(LONGEST),
            None => SHORTEST,
        };
        *shut = Some(Shut { until: Instant::now() + pause, pause });
        pause
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Shut>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn shut_until_an_answer_or_for_a_while() {
        let gate = Gate::default();
        assert!(gate.pass().is_ok());
        let pause = gate.shut();
        assert!(gate.pass().unwrap_err() <= pause);
        assert_eq!(gate.shut(), pause);
        gate.open();
        assert!(gate.pass().is_ok());
    }
}

//! Holds requests back from a Keystone that does not answer, so that not each of them waits for it in vain.

use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// Somebody is asking whether it answers again.
    probed: bool,
}

impl Gate {
    /// Lets a request pass to Keystone, or says how long there is no use in asking. When a pause is over one passes, and the
    /// others wait for what it hears.
    pub(super) fn pass(&self) -> Result<(), Duration> {
        let mut gate = self.lock();
        let Some(shut) = &mut *gate else { return Ok(()) };
        let now = Instant::now();
        if shut.until > now {
            return Err(shut.until - now);
        }
        // If it never comes back, as its client is gone, the next one goes.
        *shut = Shut { until: now + LONGEST, probed: true, ..*shut };
        Ok(())
    }

    /// Keystone has answered.
    pub(super) fn open(&self) {
        *self.lock() = None;
    }

    /// Keystone has not; for how long nobody asks again.
    pub(super) fn shut(&self) -> Duration {
        let mut gate = self.lock();
        let pause = match *gate {
            Some(Shut { pause, probed: true, .. }) => (pause * 2).min(LONGEST),
            // Those that were on their way together count as one.
            Some(Shut { pause, .. }) => return pause,
            None => SHORTEST,
        };
        *gate = Some(Shut { until: Instant::now() + pause, pause, probed: false });
        pause
    }

    fn lock(&self) -> MutexGuard<'_, Option<Shut>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, SHORTEST};

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

    #[test]
    fn one_finds_out_whether_it_is_over() {
        let gate = Gate::default();
        gate.shut();
        std::thread::sleep(SHORTEST);
        assert!(gate.pass().is_ok());
        assert!(gate.pass().is_err());
        assert_eq!(gate.shut(), SHORTEST * 2);
        assert!(gate.pass().is_err());
    }
}

//! The scrubber program: `[DEFAULT]` (v1-system §5.4, §8).

use std::time::Duration;

use osloconf::Opt;

use super::images::SCRUB_TIME;
use super::{Error, Loaded, Result};
use crate::images::Cleanup;
use crate::model::ImageId;

pub(super) static DAEMON: Opt = Opt::bool("DEFAULT", "daemon").default("false").help("Run again and again");
static WAKEUP_TIME: Opt =
    Opt::int("DEFAULT", "wakeup_time").default("300").min(1).help("Seconds between runs of a daemon");
static CLEANUP_SCRUBBER: Opt =
    Opt::bool("DEFAULT", "cleanup_scrubber").default("false").help("Look for pending images that the queue forgot");
static CLEANUP_SCRUBBER_TIME: Opt = Opt::int("DEFAULT", "cleanup_scrubber_time")
    .default("86400")
    .min(0)
    .help("Seconds between such looks, and the age of what counts as forgotten");

static RESTORE: Opt = Opt::str("DEFAULT", "restore")
    .empty_is_unset()
    .help("Image whose data must not be removed after all: it is active again, and nothing else is done");
static SCRUB_POOL_SIZE: Opt = Opt::int("DEFAULT", "scrub_pool_size")
    .default("1")
    .range(1, 1024)
    .help("Images whose data is removed at the same time");

pub(super) static OPTIONS: &[&Opt] =
    &[&DAEMON, &WAKEUP_TIME, &CLEANUP_SCRUBBER, &CLEANUP_SCRUBBER_TIME, &SCRUB_POOL_SIZE, &RESTORE];

/// How the scrubber runs.
#[derive(Debug, Clone)]
pub(crate) struct ScrubberSettings {
    /// Pause between runs; `None`: one run.
    pub(crate) every: Option<Duration>,
    /// Seconds after which deleted images of which only the database tells are due: Glance queues them nowhere else.
    /// `None` without a database: registries never kept queues.
    pub(crate) recorded: Option<u64>,
    pub(crate) cleanup: Option<Cleanup>,
    /// Images at the same time.
    pub(crate) pool: usize,
    /// Nothing is scrubbed; this image is brought back.
    pub(crate) restore: Option<ImageId>,
}

impl Loaded {
    /// How the scrubber runs.
    pub(crate) fn scrubber(&self) -> Result<ScrubberSettings> {
        let conf = &self.conf;
        let wakeup = Duration::from_secs(self.natural(&WAKEUP_TIME)?);
        let interval = self.natural(&CLEANUP_SCRUBBER_TIME)?;
        Ok(ScrubberSettings {
            every: conf.bool(&DAEMON)?.then_some(wakeup),
            recorded: self.has_database().then(|| self.natural(&SCRUB_TIME)).transpose()?,
            cleanup: conf.bool(&CLEANUP_SCRUBBER)?.then_some(Cleanup { interval }),
            pool: usize::try_from(self.natural(&SCRUB_POOL_SIZE)?).unwrap_or(1).max(1),
            restore: self.restored()?,
        })
    }

    fn restored(&self) -> Result<Option<ImageId>> {
        let invalid = |reason: &str| Error::Invalid { option: RESTORE.name, reason: reason.to_owned() };
        let Some(id) = self.conf.str(&RESTORE)? else { return Ok(None) };
        if self.conf.bool(&DAEMON)? {
            return Err(invalid("--restore and --daemon exclude each other"));
        }
        ImageId::parse(&id).map(Some).ok_or_else(|| invalid("is not the id of an image"))
    }
}

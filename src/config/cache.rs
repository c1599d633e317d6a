//! The image cache: `[DEFAULT] image_cache_*` (v1-cache §10).

use std::time::Duration;

use osloconf::Opt;

use super::images::WORKER_SELF_REFERENCE_URL;
use super::{Error, Loaded, Result};
use crate::cache::{Driver, Settings};

pub(super) static IMAGE_CACHE_DIR: Opt =
    Opt::str("DEFAULT", "image_cache_dir").empty_is_unset().help("Directory of this node's image cache");
static IMAGE_CACHE_DRIVER: Opt = Opt::str("DEFAULT", "image_cache_driver").empty_is_unset().help(
    "Index of the cache: sqlite, xattr, or centralized_db, which is the default where its database and node are known",
);
static IMAGE_CACHE_SQLITE_DB: Opt = Opt::str("DEFAULT", "image_cache_sqlite_db")
    .default("cache.db")
    .empty_is_unset()
    .help("Database of the sqlite driver, below image_cache_dir");
static IMAGE_CACHE_MAX_SIZE: Opt = Opt::int("DEFAULT", "image_cache_max_size")
    .default("10737418240")
    .min(0)
    .help("Bytes that the cache never exceeds");
static IMAGE_CACHE_MIN_FREE: Opt = Opt::int("DEFAULT", "image_cache_min_free")
    .default("104857600")
    .min(0)
    .help("Bytes of its file system that the cache leaves free");
static IMAGE_CACHE_MAX_FILLS: Opt = Opt::int("DEFAULT", "image_cache_max_fills")
    .default("64")
    .range(1, 4096)
    .help("Images fetched into the cache at the same time; others are served uncached");
static IMAGE_CACHE_FILL_RETRIES: Opt = Opt::int("DEFAULT", "image_cache_fill_retries")
    .default("5")
    .range(0, 1000)
    .help("Failures of a store in a row that fetching into the cache tries to get over");
static IMAGE_CACHE_FINISH_ABANDONED: Opt = Opt::bool("DEFAULT", "image_cache_finish_abandoned")
    .default("true")
    .help("Go on fetching an image into the cache when nobody downloads it any more");
static IMAGE_CACHE_FILL_ON_RANGE: Opt = Opt::bool("DEFAULT", "image_cache_fill_on_range")
    .default("false")
    .help("Fetch the whole image into the cache when a part of it is asked for");
static IMAGE_CACHE_HITS_INTERVAL: Opt = Opt::int("DEFAULT", "image_cache_hits_interval")
    .default("5")
    .range(0, 3600)
    .help("Seconds after which counted hits are written to the index, at the latest");
static IMAGE_CACHE_STALL_TIME: Opt = Opt::int("DEFAULT", "image_cache_stall_time")
    .default("86400")
    .min(0)
    .help("Seconds after which an abandoned partial file may go");
static CACHE_PREFETCHER_INTERVAL: Opt = Opt::int("DEFAULT", "cache_prefetcher_interval")
    .default("300")
    .range(0, 365 * 24 * 60 * 60)
    .help("Seconds after which the server looks at the queue of its cache; 0: only when it starts and when v2 queues");

pub(super) static OPTIONS: &[&Opt] = &[
    &IMAGE_CACHE_DIR,
    &IMAGE_CACHE_DRIVER,
    &IMAGE_CACHE_SQLITE_DB,
    &IMAGE_CACHE_MAX_SIZE,
    &IMAGE_CACHE_MIN_FREE,
    &IMAGE_CACHE_MAX_FILLS,
    &IMAGE_CACHE_FILL_RETRIES,
    &IMAGE_CACHE_FINISH_ABANDONED,
    &IMAGE_CACHE_FILL_ON_RANGE,
    &IMAGE_CACHE_HITS_INTERVAL,
    &IMAGE_CACHE_STALL_TIME,
    &CACHE_PREFETCHER_INTERVAL,
];

/// Most characters of a node's name: what its column holds.
const LONGEST_NODE: usize = 255;

impl Loaded {
    /// How often a server looks at the queue of its cache; `None`: not by itself.
    pub(crate) fn prefetcher_interval(&self) -> Result<Option<Duration>> {
        let seconds = self.natural(&CACHE_PREFETCHER_INTERVAL)?;
        Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
    }

    /// The cache; whoever asks needs one.
    pub(crate) fn cache(&self) -> Result<Settings> {
        let conf = &self.conf;
        let dir = conf.str(&IMAGE_CACHE_DIR)?;
        Ok(Settings {
            dir: dir.ok_or(Error::Missing { option: "image_cache_dir", why: " for the image cache" })?.into(),
            driver: self.cache_driver()?,
            sqlite_db: conf.str(&IMAGE_CACHE_SQLITE_DB)?.unwrap_or_default(),
            max_size: self.natural(&IMAGE_CACHE_MAX_SIZE)?,
            min_free: self.natural(&IMAGE_CACHE_MIN_FREE)?,
            max_fills: u32::try_from(self.natural(&IMAGE_CACHE_MAX_FILLS)?).unwrap_or(u32::MAX),
            fill_retries: u32::try_from(self.natural(&IMAGE_CACHE_FILL_RETRIES)?).unwrap_or(u32::MAX),
            finish_abandoned: conf.bool(&IMAGE_CACHE_FINISH_ABANDONED)?,
            fill_on_range: conf.bool(&IMAGE_CACHE_FILL_ON_RANGE)?,
            hits_interval: Duration::from_secs(self.natural(&IMAGE_CACHE_HITS_INTERVAL)?),
            stall_time: Duration::from_secs(self.natural(&IMAGE_CACHE_STALL_TIME)?),
        })
    }

    /// The name of this node in the database, if that is where the index of its cache is.
    pub(crate) fn cache_node(&self, settings: &Settings) -> Result<Option<String>> {
        if settings.driver != Driver::CentralizedDb {
            return Ok(None);
        }
        let why = " for image_cache_driver centralized_db";
        if !self.has_database() {
            return Err(Error::Missing { option: "[database] connection", why });
        }
        let node = self.conf.str(&WORKER_SELF_REFERENCE_URL)?;
        let node = node.ok_or(Error::Missing { option: WORKER_SELF_REFERENCE_URL.name, why })?;
        if node.chars().count() > LONGEST_NODE {
            let reason = format!("more than {LONGEST_NODE} characters, which the database cannot hold");
            return Err(Error::Invalid { option: WORKER_SELF_REFERENCE_URL.name, reason });
        }
        Ok(Some(node))
    }

    /// The driver that is named. Otherwise that of today's Glance, if all is there that it needs, which Glance insists on;
    /// else that of 2012.
    fn cache_driver(&self) -> Result<Driver> {
        let conf = &self.conf;
        Ok(match conf.str(&IMAGE_CACHE_DRIVER)? {
            Some(name) => Driver::named(&name),
            None if self.has_database() && conf.str(&WORKER_SELF_REFERENCE_URL)?.is_some() => Driver::CentralizedDb,
            None => Driver::Sqlite,
        })
    }
}

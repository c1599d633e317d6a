//! The image cache: `[DEFAULT] image_cache_*` (v1-cache §10).

use std::time::Duration;

use osloconf::Opt;

use super::{Error, Loaded, Result};
use crate::cache::{Driver, Settings};

pub(super) static IMAGE_CACHE_DIR: Opt =
    Opt::str("DEFAULT", "image_cache_dir").empty_is_unset().help("Directory of this node's image cache");
static IMAGE_CACHE_DRIVER: Opt = Opt::str("DEFAULT", "image_cache_driver")
    .default("sqlite")
    .empty_is_unset()
    .help("Index of the cache: sqlite or xattr");
static IMAGE_CACHE_SQLITE_DB: Opt = Opt::str("DEFAULT", "image_cache_sqlite_db")
    .default("cache.db")
    .empty_is_unset()
    .help("Database of the sqlite driver, below image_cache_dir");
static IMAGE_CACHE_MAX_SIZE: Opt =
    Opt::int("DEFAULT", "image_cache_max_size").default("10737418240").min(0).help("Bytes that pruning leaves");
static IMAGE_CACHE_STALL_TIME: Opt = Opt::int("DEFAULT", "image_cache_stall_time")
    .default("86400")
    .min(0)
    .help("Seconds after which an abandoned partial file may go");

pub(super) static OPTIONS: &[&Opt] =
    &[&IMAGE_CACHE_DIR, &IMAGE_CACHE_DRIVER, &IMAGE_CACHE_SQLITE_DB, &IMAGE_CACHE_MAX_SIZE, &IMAGE_CACHE_STALL_TIME];

impl Loaded {
    /// The cache; whoever asks needs one.
    pub(crate) fn cache(&self) -> Result<Settings> {
        let conf = &self.conf;
        let dir = conf.str(&IMAGE_CACHE_DIR)?;
        Ok(Settings {
            dir: dir.ok_or(Error::Missing { option: "image_cache_dir", why: " for the image cache" })?.into(),
            driver: Driver::named(&conf.str(&IMAGE_CACHE_DRIVER)?.unwrap_or_default()),
            sqlite_db: conf.str(&IMAGE_CACHE_SQLITE_DB)?.unwrap_or_default(),
            max_size: self.natural(&IMAGE_CACHE_MAX_SIZE)?,
            stall_time: Duration::from_secs(self.natural(&IMAGE_CACHE_STALL_TIME)?),
        })
    }
}

//! `[database]`, and the page sizes of whoever owns the database (database §9, v1-system §5.4).

use std::time::Duration;

use osloconf::Opt;

use super::{Loaded, Result};
use crate::db::sql::{PageLimits, Settings};

pub(super) static CONNECTION: Opt = Opt::str("database", "connection")
    .deprecated(&[("DEFAULT", "sql_connection"), ("DATABASE", "sql_connection"), ("sql", "connection")])
    .empty_is_unset()
    .secret()
    .help("SQLAlchemy URL of the database");
static MAX_POOL_SIZE: Opt = Opt::int("database", "max_pool_size").default("5").min(1).help("Connections kept open");
static MAX_OVERFLOW: Opt =
    Opt::int("database", "max_overflow").default("50").min(0).help("Further connections in a rush");
static POOL_TIMEOUT: Opt =
    Opt::int("database", "pool_timeout").default("30").min(1).help("Seconds to wait for a connection");
static CONNECTION_RECYCLE_TIME: Opt = Opt::int("database", "connection_recycle_time")
    .deprecated(&[("DEFAULT", "sql_idle_timeout"), ("database", "idle_timeout")])
    .default("3600")
    .min(-1)
    .help("Seconds after which a connection is opened anew");
static SQLITE_SYNCHRONOUS: Opt =
    Opt::bool("database", "sqlite_synchronous").default("true").help("SQLite waits until its writes are on the disk");
static LIMIT_PARAM_DEFAULT: Opt =
    Opt::int("DEFAULT", "limit_param_default").default("25").min(1).help("Images on a page when nothing is asked");
static API_LIMIT_MAX: Opt = Opt::int("DEFAULT", "api_limit_max").default("1000").min(1).help("Most images on a page");

pub(super) static OPTIONS: &[&Opt] = &[
    &CONNECTION,
    &MAX_POOL_SIZE,
    &MAX_OVERFLOW,
    &POOL_TIMEOUT,
    &CONNECTION_RECYCLE_TIME,
    &SQLITE_SYNCHRONOUS,
    &LIMIT_PARAM_DEFAULT,
    &API_LIMIT_MAX,
];

impl Loaded {
    /// How long a list may be.
    pub(super) fn page_limits(&self) -> Result<PageLimits> {
        Ok(PageLimits { default: self.natural(&LIMIT_PARAM_DEFAULT)?, max: self.natural(&API_LIMIT_MAX)? })
    }

    /// Whether a database is configured.
    pub(crate) fn has_database(&self) -> bool {
        self.conf.is_set(&CONNECTION)
    }

    /// The database; an embedded one below the data directory if none is configured.
    pub(crate) fn database(&self) -> Result<Settings> {
        let conf = &self.conf;
        let embedded = || format!("sqlite:///{}", self.data_dir.join("glance.sqlite").display());
        let count = |opt| self.natural(opt).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
        Ok(Settings {
            connection: conf.str(&CONNECTION)?.unwrap_or_else(embedded),
            max_pool_size: count(&MAX_POOL_SIZE)?,
            max_overflow: count(&MAX_OVERFLOW)?,
            pool_timeout: Duration::from_secs(self.natural(&POOL_TIMEOUT)?),
            connection_recycle_time: Some(self.natural(&CONNECTION_RECYCLE_TIME)?)
                .filter(|s| *s > 0)
                .map(Duration::from_secs),
            sqlite_synchronous: conf.bool(&SQLITE_SYNCHRONOUS)?,
            page: self.page_limits()?,
        })
    }
}

//! `[database]`, and the page sizes of whoever owns the database (database §9, v1-system §5.4).

use std::time::Duration;

use osloconf::Opt;

use super::{Loaded, Result};
use crate::db::sql::{PageLimits, Retry, Settings};

pub(super) static CONNECTION: Opt = Opt::str("database", "connection")
    .deprecated(&[("DEFAULT", "sql_connection"), ("DATABASE", "sql_connection"), ("sql", "connection")])
    .empty_is_unset()
    .secret_url()
    .help("SQLAlchemy URL of the database");
static MAX_POOL_SIZE: Opt =
    Opt::int("database", "max_pool_size").default("5").min(0).help("Connections kept open; 0: no limit");
static MAX_OVERFLOW: Opt =
    Opt::int("database", "max_overflow").default("50").min(-1).help("Further connections in a rush; -1: no limit");
static POOL_TIMEOUT: Opt =
    Opt::int("database", "pool_timeout").default("30").min(1).help("Seconds to wait for a connection");
static CONNECTION_RECYCLE_TIME: Opt = Opt::int("database", "connection_recycle_time")
    .deprecated(&[("DEFAULT", "sql_idle_timeout"), ("database", "idle_timeout")])
    .default("3600")
    .min(-1)
    .help("Seconds after which a connection is opened anew");
static MAX_RETRIES: Opt = Opt::int("database", "max_retries")
    .deprecated(&[("DEFAULT", "sql_max_retries"), ("DATABASE", "sql_max_retries")])
    .default("10")
    .min(-1)
    .help("How often the database is tried to be reached at the start; -1: no end");
static RETRY_INTERVAL: Opt = Opt::int("database", "retry_interval")
    .deprecated(&[("DEFAULT", "sql_retry_interval"), ("DATABASE", "reconnect_interval")])
    .default("10")
    .min(0)
    .help("Seconds between those attempts");
static USE_DB_RECONNECT: Opt = Opt::bool("database", "use_db_reconnect")
    .default("false")
    .help("After a lost connection or a deadlock try again as the db_ options say, and not for just 5 s");
static DB_MAX_RETRIES: Opt =
    Opt::int("database", "db_max_retries").default("20").min(-1).help("Further attempts; -1: no end");
static DB_RETRY_INTERVAL: Opt =
    Opt::int("database", "db_retry_interval").default("1").min(0).help("Seconds before the second attempt");
static DB_INC_RETRY_INTERVAL: Opt =
    Opt::bool("database", "db_inc_retry_interval").default("true").help("Each pause is twice the one before");
static DB_MAX_RETRY_INTERVAL: Opt =
    Opt::int("database", "db_max_retry_interval").default("10").min(0).help("Seconds of the longest pause");
static MYSQL_SQL_MODE: Opt = Opt::str("database", "mysql_sql_mode")
    .default("TRADITIONAL")
    .help("sql_mode of connections to MySQL; empty: the server's own");
static MYSQL_WSREP_SYNC_WAIT: Opt =
    Opt::int("database", "mysql_wsrep_sync_wait").min(0).help("wsrep_sync_wait of connections to Galera");
static CONNECTION_PARAMETERS: Opt =
    Opt::str("database", "connection_parameters").empty_is_unset().help("More parameters of the connection, a=b&c=d");
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
    &MAX_RETRIES,
    &RETRY_INTERVAL,
    &USE_DB_RECONNECT,
    &DB_MAX_RETRIES,
    &DB_RETRY_INTERVAL,
    &DB_INC_RETRY_INTERVAL,
    &DB_MAX_RETRY_INTERVAL,
    &MYSQL_SQL_MODE,
    &MYSQL_WSREP_SYNC_WAIT,
    &CONNECTION_PARAMETERS,
    &SQLITE_SYNCHRONOUS,
    &LIMIT_PARAM_DEFAULT,
    &API_LIMIT_MAX,
];

/// What stands for no limit: more connections than servers take.
const NO_LIMIT: u32 = 1000;

impl Loaded {
    /// Connections kept, and further ones. A pool without a limit is none that keeps as many as there ever were.
    fn connections(&self) -> Result<(u32, u32)> {
        let count =
            |opt| -> Result<Option<u32>> { Ok(self.conf.int(opt)?.and_then(|count| u32::try_from(count).ok())) };
        Ok(match (count(&MAX_POOL_SIZE)?, count(&MAX_OVERFLOW)?) {
            (Some(0) | None, _) => (5, NO_LIMIT),
            (Some(kept), more) => (kept, more.unwrap_or(NO_LIMIT)),
        })
    }

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
        let seconds = |opt| self.natural(opt).map(Duration::from_secs);
        // -1 is no end.
        let times = |opt| -> Result<Option<u32>> { Ok(conf.int(opt)?.and_then(|times| u32::try_from(times).ok())) };
        let retry = if conf.bool(&USE_DB_RECONNECT)? {
            Retry::Patient {
                times: times(&DB_MAX_RETRIES)?,
                pause: seconds(&DB_RETRY_INTERVAL)?,
                grows: conf.bool(&DB_INC_RETRY_INTERVAL)?,
                longest_pause: seconds(&DB_MAX_RETRY_INTERVAL)?,
            }
        } else {
            Retry::Brief
        };
        let mut connection = conf.str(&CONNECTION)?.unwrap_or_else(embedded);
        if let Some(more) = conf.str(&CONNECTION_PARAMETERS)? {
            connection = format!("{connection}{}{more}", if connection.contains('?') { '&' } else { '?' });
        }
        let (max_pool_size, max_overflow) = self.connections()?;
        Ok(Settings {
            connection,
            max_retries: times(&MAX_RETRIES)?,
            retry_interval: seconds(&RETRY_INTERVAL)?,
            retry,
            mysql_sql_mode: conf.str(&MYSQL_SQL_MODE)?.unwrap_or_default(),
            mysql_wsrep_sync_wait: times(&MYSQL_WSREP_SYNC_WAIT)?,
            max_pool_size,
            max_overflow,
            pool_timeout: Duration::from_secs(self.natural(&POOL_TIMEOUT)?),
            connection_recycle_time: Some(self.natural(&CONNECTION_RECYCLE_TIME)?)
                .filter(|s| *s > 0)
                .map(Duration::from_secs),
            sqlite_synchronous: conf.bool(&SQLITE_SYNCHRONOUS)?,
            page: self.page_limits()?,
        })
    }
}

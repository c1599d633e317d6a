//! What the operator decides about the database. Reading the configuration is somebody else's business.

use std::fmt;
use std::time::Duration;

use super::retry::Retry;
use super::url::{self, BadUrl};

/// The part of `[database]` that is used (configuration §4), and the page sizes of lists.
#[derive(Clone)]
pub(crate) struct Settings {
    /// SQLAlchemy URL (database §9).
    pub(crate) connection: String,
    /// Connections kept.
    pub(crate) max_pool_size: u32,
    /// Connections opened beyond those under load.
    pub(crate) max_overflow: u32,
    /// Longest wait for a free connection.
    pub(crate) pool_timeout: Duration,
    /// Age at which a connection is replaced; `None`: never.
    pub(crate) connection_recycle_time: Option<Duration>,
    /// Attempts to reach the server at the start, after the first; `None`: no end.
    pub(crate) max_retries: Option<u32>,
    /// Pause between those.
    pub(crate) retry_interval: Duration,
    /// When operations are tried again.
    pub(crate) retry: Retry,
    /// MySQL's `sql_mode` of each connection; empty: the server's.
    pub(crate) mysql_sql_mode: String,
    /// What Galera waits for before it answers; `None`: as the server has it.
    pub(crate) mysql_wsrep_sync_wait: Option<u32>,
    /// False: SQLite leaves it to the system when its writes reach the disk.
    pub(crate) sqlite_synchronous: bool,
    /// Page sizes of lists.
    pub(crate) page: PageLimits,
}

impl fmt::Debug for Settings {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("page", &self.page).finish_non_exhaustive()
    }
}

impl Settings {
    /// Whether the URL can be used at all; nothing is opened.
    pub(crate) fn check(&self) -> Result<(), BadUrl> {
        url::parse(&self.connection).map(drop)
    }

    /// The defaults of every option, for this database.
    #[cfg(test)]
    pub(crate) fn new(connection: &str) -> Self {
        Self {
            connection: connection.to_owned(),
            max_pool_size: 5,
            max_overflow: 50,
            pool_timeout: Duration::from_secs(30),
            connection_recycle_time: Some(Duration::from_secs(3600)),
            max_retries: Some(10),
            retry_interval: Duration::from_secs(10),
            retry: Retry::Brief,
            mysql_sql_mode: "TRADITIONAL".to_owned(),
            mysql_wsrep_sync_wait: None,
            sqlite_synchronous: true,
            page: PageLimits::default(),
        }
    }
}

/// How long a list may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageLimits {
    /// Images of a page whose size was not asked for (`limit_param_default`).
    pub(crate) default: u64,
    /// Most images of any page (`api_limit_max`).
    pub(crate) max: u64,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { default: 25, max: 1000 }
    }
}

impl PageLimits {
    /// The size of a page for which `asked` was asked.
    pub(crate) fn size(self, asked: Option<u64>) -> u64 {
        asked.unwrap_or(self.default).min(self.max)
    }
}

//! From configuration files to the rooms' settings: one file per group of options.
//!
//! Names and defaults are Glance's, of 2012 and of today (configuration §3, v1-system §5).
//! Everything is checked before anything is opened.

mod auth_plugin;
mod backends;
mod cache;
mod check;
mod cors;
mod database;
mod findings;
mod front;
mod healthcheck;
mod identity;
mod ignored;
mod images;
mod keystone;
mod limits;
mod listener;
mod load;
mod logging;
mod notify;
mod pipeline;
mod protections;
mod registry;
mod remote_checks;
mod scrubber;
mod store;
mod v2;

use std::path::PathBuf;

pub(crate) use findings::{Finding, Severity};
pub(crate) use load::{Loaded, Program};
pub(crate) use pipeline::Pipeline;

/// The configuration cannot be used; the text is one line that names what is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file or a value.
    #[error("{0}")]
    Conf(#[from] osloconf::Error),
    /// Values that are wrong, all at once.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Values(Vec<osloconf::Error>),
    /// An option that must be set is not.
    #[error("{option} must be set{why}")]
    Missing { option: &'static str, why: &'static str },
    /// An option's value is well-formed but impossible.
    #[error("{option}: {reason}")]
    Invalid { option: &'static str, reason: String },
    /// The logging configuration that is named is not there (v1-system §5.2).
    #[error("Unable to locate specified logging config file: {}", .0.display())]
    NoLogConfig(PathBuf),
    /// The paste file does not hold what is asked of it (v1-cache §9).
    #[error("Unable to load {app} from configuration file {path}. Got: {reason}")]
    Paste { app: String, path: PathBuf, reason: String },
}

/// What reading a setting yields.
pub(crate) type Result<T> = std::result::Result<T, Error>;

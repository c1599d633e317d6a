//! What can be wrong with a configuration. Each error prints as one line an operator can act on.

use std::io;
use std::path::PathBuf;

use crate::sources::Origin;

/// The result of reading or converting configuration.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Files named on the command line do not exist.
    #[error("Failed to find some config files: {}", join(.0))]
    MissingFiles(Vec<PathBuf>),
    /// A file exists (or was asked for) but cannot be read.
    #[error("Failed to read config file {}: {source}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A directory of config files cannot be listed.
    #[error("Failed to read config directory {}: {source}", path.display())]
    ReadDir {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line breaks the INI syntax. The line itself is not shown: it may hold a password.
    #[error("{}:{line}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// An environment variable that sets an option is not UTF-8.
    #[error("Environment variable {name} is not valid UTF-8")]
    Environment {
        /// The variable, undecodable bytes replaced.
        name: String,
    },
    /// The value of an option does not fit its declaration.
    #[error(transparent)]
    Value(Box<BadValue>),
    /// A value of a paste file holds a `%(key)s` that cannot be resolved.
    #[error("Value for {key} in section [{section}] of {} is not valid: {reason}", path.display())]
    Paste {
        /// The paste file.
        path: PathBuf,
        /// The section, as written between the brackets.
        section: String,
        /// The key whose value is wrong.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A value that does not fit its option's declaration. Boxed in [`Error`], for it is much larger than the other cases.
#[derive(Debug, thiserror::Error)]
#[error("Value for option {option}{} from {origin} is not valid: '{value}' {reason}", in_group(group))]
pub struct BadValue {
    /// Name of the option.
    pub option: &'static str,
    /// Group of the option.
    pub group: &'static str,
    /// Where the value was set.
    pub origin: Origin,
    /// The offending value after `$` substitution, `****` when it holds a secret.
    pub value: String,
    /// What is wrong with it, to be read after the value.
    pub reason: String,
}

fn join(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(",")
}

/// Options of `[DEFAULT]` are known by their bare name; others need their group to be found.
fn in_group(group: &str) -> String {
    if group == "DEFAULT" { String::new() } else { format!(" in group [{group}]") }
}

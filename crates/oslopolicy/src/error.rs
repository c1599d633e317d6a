//! Why a policy file cannot be used at all.

use std::io;
use std::path::PathBuf;

/// The policy is unusable, which is not the same as a denial: the caller
/// refuses to start, or answers that the server is misconfigured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is absent or unreadable.
    #[error("cannot read the policy file {}: {source}", path.display())]
    Read {
        /// The configured file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file was read but is no policy.
    #[error("bad policy file {}: {source}", path.display())]
    Format {
        /// The configured file.
        path: PathBuf,
        /// What is wrong with its text.
        source: FormatError,
    },
}

/// What is wrong with the text of a policy file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not YAML or its subset JSON, or something other than a mapping; the
    /// parser's message names the place.
    #[error("it must be a YAML or JSON mapping of rule names to rules: {0}")]
    NotAMapping(String),
    /// A rule with a YAML tag, most often a `!` without quotes.
    #[error("rule {rule:?} begins with the YAML tag {tag:?}: put the rule in quotes")]
    Tagged {
        /// Name of the rule.
        rule: String,
        /// The tag as the parser resolved it.
        tag: String,
    },
    /// A rule of a type the language does not know.
    #[error("rule {rule:?} must be a string, or a list of strings and lists of strings")]
    Value {
        /// Name of the rule.
        rule: String,
    },
}

//! The form of the files.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// `setup.json`: what all files share.
#[derive(Debug, Deserialize)]
pub(super) struct Common {
    /// Who asks → headers that say so.
    pub(super) identities: Map<String, Value>,
    /// Headers of everybody who is somebody.
    pub(super) identified: Map<String, Value>,
    /// Headers of each request.
    pub(super) headers: Map<String, Value>,
    /// Options, as in [`Script::options`].
    pub(super) options: BTreeMap<String, Option<String>>,
}

/// A file of exchanges.
#[derive(Debug, Deserialize)]
pub(super) struct Script {
    /// Pipeline of `paste.ini`.
    pub(super) flavor: Option<String>,
    /// Options; null removes one. Outside of `[DEFAULT]` as `section.name`.
    #[serde(default)]
    pub(super) options: BTreeMap<String, Option<String>>,
    /// What `${NAME}` stands for from the beginning.
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    pub(super) steps: Vec<Step>,
}

/// A request and its answer.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) name: String,
    /// One of [`Common::identities`].
    #[serde(rename = "as")]
    pub(super) who: String,
    pub(super) method: String,
    pub(super) path: String,
    /// Null removes a header that would be sent.
    #[serde(default)]
    pub(super) headers: Map<String, Value>,
    pub(super) body: Option<Value>,
    /// The body goes in chunks.
    #[serde(default)]
    pub(super) chunked: bool,
    /// Of listed images only the identifiers are kept.
    #[serde(default)]
    pub(super) brief: bool,
    /// Variable → pointer into the JSON of the answer.
    #[serde(default)]
    pub(super) save: BTreeMap<String, String>,
    /// Pointer → value that must stand there; asked again until it does.
    #[serde(default)]
    pub(super) until: Map<String, Value>,
    /// What Glance said.
    pub(super) answer: Value,
    /// What Gander says, as far as it is given.
    pub(super) expect_instead: Option<Value>,
    /// Why that is another answer.
    #[serde(default)]
    pub(super) why: String,
}

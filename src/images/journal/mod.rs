//! The journal of unfinished work on data: what a process that dies in the middle of it may leave behind.
//!
//! One file per piece of work, `<image id>.<16 hex digits>`, mode 0600, in a directory of mode 0700 that all servers of
//! the images share. It holds JSON:
//!
//! ```json
//! {"work": "upload", "locations": ["file:///var/lib/glance/images/71c675ab-…"]}
//! ```
//!
//! `work` is `upload`, `stage`, `locate`, `delete` or `remove`; `locations` are those whose data may be left, in the form in which the
//! metadata keeps them (encrypted where it is); `stores` says of some in which of several stores they lie; `"repeatable": true` is there where an image whose upload failed is to take
//! data again, as v2 has it, and absent where it is to be killed. An entry is on disk before the work begins, and goes when
//! the work is settled. Who does the work holds a lock on the file ([`fastio::shared`]), so what is not locked was left by a
//! process that died, or that could not settle it. What is not whole JSON was never relied on; JSON that says something else
//! is a newer release's, and left to it.

mod abandoned;
mod directory;
mod entry;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(super) use abandoned::{Abandoned, Said, entries, others_at_work};
pub(super) use directory::prepare;
pub(super) use entry::Entry;

use super::held::noted_store;
use crate::model::Location;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Work {
    /// Data is stored for a queued image.
    Upload,
    /// Data is staged for a queued image.
    Stage,
    /// Data elsewhere, none of it ours, is proved to be a queued image's.
    Locate,
    /// An image is deleted, and its data with it.
    Delete,
    /// A location is taken from an image, and its data removed.
    Remove,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) work: Work,
    /// As stored in the metadata.
    pub(super) locations: Vec<String>,
    /// Location → the store that is noted of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) stores: BTreeMap<String, String>,
    /// After a failure the image is `queued` again, not `killed`. Nothing that older releases know of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) repeatable: bool,
}

impl Note {
    /// Of work that takes data away.
    pub(super) fn of_removal(work: Work, locations: &[Location]) -> Self {
        let noted = |location: &Location| Some((location.uri.clone(), noted_store(&location.metadata)?.to_owned()));
        Self {
            work,
            locations: locations.iter().map(|location| location.uri.clone()).collect(),
            stores: locations.iter().filter_map(noted).collect(),
            repeatable: false,
        }
    }
}

//! Places of an image's data as clients of v2 name them (v2-images §7).

use std::collections::BTreeMap;

use fastio::{Algorithm, Hasher};
use serde_json::{Map, Value};

use crate::model::{Image, ImageStatus, OsHash};

/// A place that a client names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) uri: String,
    /// What is noted of it.
    pub(crate) metadata: Map<String, Value>,
    pub(crate) validation: Option<Validation>,
}

/// What the client says of the data there. Hexadecimal, as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validation {
    /// MD5
    pub(crate) checksum: Option<String>,
    pub(crate) os_hash: OsHash,
}

/// Where in the list of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    At(usize),
    /// The end: behind the last one, or the last one itself.
    End,
}

/// What is to become of the places; `None` as a position for one that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlaceChange {
    Add(Option<Position>, Place),
    Remove(Option<Position>),
    Replace(Vec<Place>),
}

impl PlaceChange {
    /// The word for it in refusals.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Add(..) => "add",
            Self::Remove(_) => "remove",
            Self::Replace(_) => "replace",
        }
    }
}

/// Why the places do not change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlaceRefusal {
    #[error("Cannot set locations to empty list.")]
    NoneLeft,
    #[error("Cannot remove last location in the image.")]
    LastOne,
    #[error("It's not allowed to {} locations if locations are invisible.", if *.0 == "replace" { "update" } else { .0 })]
    Invisible(&'static str),
    #[error("It's not allowed to {verb} locations if image status is {status}.")]
    Status { verb: &'static str, status: ImageStatus },
    #[error("Invalid position for {0} a location.")]
    Position(&'static str),
    #[error("Original locations is not empty: {0:?}")]
    NotEmpty(Vec<String>),
    /// Only services name other places.
    #[error("http store must be enabled to use location API by normal user.")]
    NotHttp,
    /// No store that clients may name, no such object, or none whose size can be told.
    #[error("Invalid location")]
    Invalid,
    #[error("The metadata of a location holds only texts, lists and objects")]
    Metadata,
    #[error("The location {0} already exists")]
    Twice(String),
    #[error("Conflicting values for {0}")]
    Conflicting(&'static str),
    #[error("{0} is already set with a different value")]
    AlreadySet(&'static str),
    #[error("New value(s) for {0} may only be provided when image status is 'queued'")]
    TooLate(String),
    #[error("the os_hash_value of the data is {actual}, not {supplied}")]
    OtherData { supplied: String, actual: String },
    #[error("os_hash_algo must be {wanted}, not {named}")]
    Algorithm { wanted: &'static str, named: String },
    #[error("{name} ({value}) is not a valid hexadecimal value")]
    NotHex { name: &'static str, value: String },
    #[error("{name} ({value}) is not the correct size for {algorithm} (should be {bytes} bytes)")]
    DigestSize { name: &'static str, value: String, algorithm: &'static str, bytes: usize },
}

/// Texts, lists and objects of them are all that the database's readers understand (database §4.5).
pub(super) fn check_metadata(value: &Value) -> Result<(), PlaceRefusal> {
    match value {
        Value::String(_) => Ok(()),
        Value::Array(items) => items.iter().try_for_each(check_metadata),
        Value::Object(members) => members.values().try_for_each(check_metadata),
        _ => Err(PlaceRefusal::Metadata),
    }
}

/// What clients say of the data, where it says something new.
pub(super) fn accepted(
    image: &Image,
    places: &[Place],
    algorithm: Algorithm,
) -> Result<Option<Validation>, PlaceRefusal> {
    let mut said: BTreeMap<&'static str, String> = BTreeMap::new();
    for Validation { checksum, os_hash } in places.iter().filter_map(|place| place.validation.as_ref()) {
        let all = [
            ("checksum", checksum.as_ref()),
            ("os_hash_algo", Some(&os_hash.algo)),
            ("os_hash_value", Some(&os_hash.value)),
        ];
        for (name, value) in all.into_iter().filter_map(|(name, value)| Some((name, value?.to_lowercase()))) {
            match said.get(name) {
                Some(other) if *other != value => return Err(PlaceRefusal::Conflicting(name)),
                _ => said.insert(name, value),
            };
        }
    }
    let mut new = Vec::new();
    for (name, value) in &said {
        let known = match *name {
            "checksum" => image.checksum.as_ref(),
            "os_hash_algo" => image.os_hash_algo.as_ref(),
            _ => image.os_hash_value.as_ref(),
        };
        match known {
            Some(known) if known == value => {}
            Some(_) => return Err(PlaceRefusal::AlreadySet(name)),
            None => new.push(*name),
        }
    }
    if new.is_empty() {
        return Ok(None);
    }
    if image.status != ImageStatus::Queued {
        return Err(PlaceRefusal::TooLate(new.join(", ")));
    }
    let checksum = said.remove("checksum");
    if let Some(checksum) = &checksum {
        check_digest("checksum", checksum, Algorithm::Md5)?;
    }
    let (Some(algo), Some(value)) = (said.remove("os_hash_algo"), said.remove("os_hash_value")) else {
        return Ok(None);
    };
    if algo != algorithm.as_str() {
        return Err(PlaceRefusal::Algorithm { wanted: algorithm.as_str(), named: algo });
    }
    check_digest("os_hash_value", &value, algorithm)?;
    Ok(Some(Validation { checksum, os_hash: OsHash { algo, value } }))
}

/// Refuses what cannot be a digest by this algorithm.
pub(super) fn check_digest(name: &'static str, value: &str, algorithm: Algorithm) -> Result<(), PlaceRefusal> {
    if !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(PlaceRefusal::NotHex { name, value: value.to_owned() });
    }
    let digits = Hasher::new(algorithm).finish().len();
    if value.len() != digits {
        let algorithm = algorithm.as_str();
        return Err(PlaceRefusal::DigestSize { name, value: value.to_owned(), algorithm, bytes: digits / 2 });
    }
    Ok(())
}

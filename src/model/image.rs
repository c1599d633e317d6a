//! The image and its members as the service knows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDateTime;
use serde_json::{Map, Value};

use super::ImageId;

/// Life cycle of an image (v1-api §16, database §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ImageStatus {
    /// Registered, no data yet.
    Queued,
    /// Data is arriving.
    Saving,
    /// Staged data is arriving (v2).
    Uploading,
    /// An import task works on it (v2).
    Importing,
    /// Data is complete and may be downloaded.
    Active,
    /// Active, but downloads are refused (v2).
    Deactivated,
    /// An upload failed.
    Killed,
    /// Deleted; the data waits for the scrubber.
    PendingDelete,
    /// Deleted, data gone.
    Deleted,
}

impl ImageStatus {
    const ALL: [Self; 9] = [
        Self::Queued,
        Self::Saving,
        Self::Uploading,
        Self::Importing,
        Self::Active,
        Self::Deactivated,
        Self::Killed,
        Self::PendingDelete,
        Self::Deleted,
    ];

    /// The word used in the database and in every answer.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Saving => "saving",
            Self::Uploading => "uploading",
            Self::Importing => "importing",
            Self::Active => "active",
            Self::Deactivated => "deactivated",
            Self::Killed => "killed",
            Self::PendingDelete => "pending_delete",
            Self::Deleted => "deleted",
        }
    }
}

impl fmt::Display for ImageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ImageStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(())
    }
}

/// Who may find an image. v1 knows only public or not: its `is_public = false` is [`Visibility::Shared`],
/// because any v1 image can have members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Visibility {
    /// Everybody.
    Public,
    /// The owner only.
    Private,
    /// The owner and the members.
    Shared,
    /// Everybody who knows the id.
    Community,
}

impl Visibility {
    /// The word used in the database and in v2.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Shared => "shared",
            Self::Community => "community",
        }
    }
}

impl FromStr for Visibility {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Public, Self::Private, Self::Shared, Self::Community]
            .into_iter()
            .find(|visibility| visibility.as_str() == text)
            .ok_or(())
    }
}

/// An image record. Times are UTC with microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) id: ImageId,
    pub(crate) name: Option<String>,
    pub(crate) status: ImageStatus,
    pub(crate) visibility: Visibility,
    pub(crate) disk_format: Option<String>,
    pub(crate) container_format: Option<String>,
    /// Bytes of data; `None` until known.
    pub(crate) size: Option<u64>,
    /// Bytes of the disk that the data describes (v2); `None` where nobody looked.
    pub(crate) virtual_size: Option<u64>,
    /// Lower-case hex MD5 of the data.
    pub(crate) checksum: Option<String>,
    /// What `os_hash_value` is, or is to be, computed with: while data that lies elsewhere is hashed this is known before.
    pub(crate) os_hash_algo: Option<String>,
    /// The digest of the data that can be relied on; `None` where nobody computed one, or has yet.
    pub(crate) os_hash_value: Option<String>,
    pub(crate) protected: bool,
    /// Left out of lists that do not ask for it (v2).
    pub(crate) os_hidden: bool,
    /// GB a server's disk must have.
    pub(crate) min_disk: i64,
    /// MB a server's memory must have.
    pub(crate) min_ram: i64,
    pub(crate) owner: Option<String>,
    pub(crate) created_at: NaiveDateTime,
    pub(crate) updated_at: NaiveDateTime,
    pub(crate) deleted_at: Option<NaiveDateTime>,
    pub(crate) deleted: bool,
    pub(crate) properties: BTreeMap<String, Option<String>>,
    /// Words to find it by (v2).
    pub(crate) tags: BTreeSet<String>,
    /// Where the data is, in order.
    pub(crate) locations: Vec<Location>,
}

/// What the names of the service's own properties begin with; clients may not set them (security S38).
const OWN_PROPERTIES: &str = "os_glance";
/// Those of them that are nobody else's business: they name nodes (v2-images §4).
const HIDDEN_PROPERTIES: [&str; 2] = ["os_glance_stage_host", "os_glance_hash_op_host"];

/// Whether a property is the service's own.
pub(crate) fn is_own_property(name: &str) -> bool {
    name.starts_with(OWN_PROPERTIES)
}

impl Image {
    /// The properties that clients may see.
    pub(crate) fn shown_properties(&self) -> impl Iterator<Item = (&String, &Option<String>)> {
        self.properties.iter().filter(|(name, _)| !HIDDEN_PROPERTIES.contains(&name.as_str()))
    }

    /// The digest of the data that can be relied on, with its algorithm.
    pub(crate) fn os_hash(&self) -> Option<OsHash> {
        let (algo, value) = self.os_hash_algo.clone().zip(self.os_hash_value.clone())?;
        Some(OsHash { algo, value })
    }

    /// v1's `is_public`.
    pub(crate) fn is_public(&self) -> bool {
        self.visibility == Visibility::Public
    }
}

/// A place of an image's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// Store URI as stored (encrypted if the API has a `metadata_encryption_key`).
    pub(crate) uri: String,
    /// What a client or the service noted of it (v2).
    pub(crate) metadata: Map<String, Value>,
}

impl Location {
    /// A location of which nothing is noted.
    pub(crate) fn bare(uri: String) -> Self {
        Self { uri, metadata: Map::new() }
    }
}

/// A digest of an image's data ("multihash"). Both are text: another service may have used an algorithm unknown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OsHash {
    /// Name of the algorithm, as Python's `hashlib` has it (`os_hash_algo`).
    pub(crate) algo: String,
    /// Lower-case hex (`os_hash_value`).
    pub(crate) value: String,
}

/// A project that an image is shared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) image_id: ImageId,
    /// Project (or user) id.
    pub(crate) member: String,
    /// May share the image on (v1).
    pub(crate) can_share: bool,
}

/// One membership to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    /// Project (or user) id.
    pub(crate) member: String,
    /// `None`: keep what an existing membership has; false for a new one.
    pub(crate) can_share: Option<bool>,
}

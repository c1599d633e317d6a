//! Image stores: where the bytes are, behind one trait with a conformance suite.
//!
//! A location is a URI whose scheme names the driver; where there are several stores of one kind, something is noted beside
//! it. Nothing here knows images' metadata, HTTP requests or the cache.

#[cfg(test)]
pub(crate) mod conformance;
pub(crate) mod filesystem;
pub(crate) mod http;
mod local;
mod service_store;
mod stores;
mod unavailable;

use async_trait::async_trait;
use serde_json::{Map, Value};

pub(crate) use self::local::LocalFile;
pub(crate) use self::service_store::ServiceStore;
pub(crate) use self::stores::{Driver, NamedSettings, OpenError, Settings, Stores};
use crate::model::{ByteStream, ImageId};

/// Why a store operation did not happen. The texts are v1's (v1-api §6, v1-system §9).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such object.
    #[error("{0}")]
    NotFound(String),
    /// An object of that name is already there.
    #[error("{0}")]
    Duplicate(String),
    /// No room.
    #[error("There is not enough disk space on the image storage media.")]
    Full,
    /// The operating system forbids writing.
    #[error("Permission to write image storage media denied.")]
    WriteDenied,
    /// The store is not configured for writing.
    #[error("Configuration for store failed. Adding images to this store is disabled.")]
    AddDisabled,
    /// This kind of store cannot do that.
    #[error("{0}")]
    Unsupported(String),
    /// Removing is forbidden by the operating system.
    #[error("{0}")]
    DeleteDenied(String),
    /// The location cannot be understood or is of no registered scheme; never echoes credentials.
    #[error("{0}")]
    BadLocation(String),
    /// The store does not answer, or not as it should; may be tried again.
    #[error("{0}")]
    Unavailable(String),
    /// Reading the data to be stored failed (the client went away, a limit was passed): not the store's fault.
    #[error("{0}")]
    Source(#[source] std::io::Error),
    /// Anything else from the operating system.
    #[error("{0}")]
    Io(#[source] std::io::Error),
}

/// What a store operation yields.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A stretch of an object: from `start`, `len` bytes or to the end. Whole: `start` 0, no `len`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) start: u64,
    pub(crate) len: Option<u64>,
}

/// What [`Store::add`] stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Added {
    /// URI to read and delete it by.
    pub(crate) uri: String,
    /// Bytes stored.
    pub(crate) size: u64,
    /// What is to be noted of the location.
    pub(crate) metadata: Map<String, Value>,
}

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Plain.
    pub(crate) uri: String,
    /// The id of the store, as far as it is noted: where there are several, a URI may not tell.
    pub(crate) store: Option<String>,
}

/// What of a location's metadata is the id of its store.
pub(crate) const STORE_NOTE: &str = "store";

impl Address {
    /// The object at a location of which this is noted.
    pub(crate) fn of(uri: String, metadata: &Map<String, Value>) -> Self {
        Self { uri, store: metadata.get(STORE_NOTE).and_then(Value::as_str).map(str::to_owned) }
    }

    /// The object at a location of which nothing is noted.
    pub(crate) fn bare(uri: &str) -> Self {
        Self { uri: uri.to_owned(), store: None }
    }
}

/// An object opened for reading.
pub(crate) struct Opened {
    /// The bytes of the asked range.
    pub(crate) data: ByteStream,
    /// Where they lie, if it is a file of this machine: clients can be sent that without anybody reading it.
    pub(crate) file: Option<LocalFile>,
    /// Bytes of the *whole* object, if the store announces it.
    pub(crate) size: Option<u64>,
    /// What tells this state of the object from others, if the store says so: who reads on after a failure must not mix
    /// two. `None` also where objects never change.
    pub(crate) version: Option<String>,
}

impl Opened {
    /// The bytes on their way to a client: nobody else may look at them ([`fastio::outgoing`]).
    pub(crate) fn for_client(self) -> ByteStream {
        self.file.map_or(self.data, LocalFile::for_client)
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("size", &self.size).finish_non_exhaustive()
    }
}

/// A driver.
#[async_trait]
pub(crate) trait Store: Send + Sync + std::fmt::Debug {
    /// What it is called, if that is noted of its locations.
    fn id(&self) -> Option<&str> {
        None
    }

    /// URI schemes that name this driver.
    fn schemes(&self) -> &'static [&'static str];

    /// Whether clients may name `uri` as a location. Only drivers that say so accept any (never `file`: security S1),
    /// and only well-formed ones.
    fn check_client_location(&self, _uri: &str) -> Result<()> {
        let scheme = self.schemes().first().unwrap_or(&"");
        Err(Error::BadLocation(format!("Locations with the scheme '{scheme}' are not accepted from clients")))
    }

    /// Where [`Store::add`] may put the image, so that it can be found even if nobody lives to tell; none if the store
    /// takes no images. The URI that `add` yields must be just one of them, and `add` must refuse an image that is at
    /// another already.
    fn locations(&self, _id: &ImageId) -> Vec<String> {
        Vec::new()
    }

    /// Whether what lies here is only looked at: nothing is ever added or removed.
    fn is_read_only(&self) -> bool {
        false
    }

    /// How many bytes at the beginning of `uri` say that it lies in this store and not in another one of its kind; `None` if
    /// they do not.
    fn claims(&self, _uri: &str) -> Option<usize> {
        None
    }

    /// What an operator is told of this store.
    fn properties(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Stores `data` under the image's id; all or nothing: on any error no byte stays behind.
    /// `size` is the announced number of bytes, if known: a hint. What arrives is what counts.
    async fn add(&self, id: &ImageId, data: ByteStream, size: Option<u64>) -> Result<Added>;

    /// Opens `range` of the object at `uri`.
    async fn get(&self, uri: &str, range: ByteRange) -> Result<Opened>;

    /// Bytes of the object at `uri`; `None` if the store cannot tell.
    async fn size(&self, uri: &str) -> Result<Option<u64>>;

    /// Removes the object at `uri`.
    async fn delete(&self, uri: &str) -> Result<()>;
}

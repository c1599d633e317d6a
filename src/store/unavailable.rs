//! The stores that Gander knows by name but cannot reach in this release.
//!
//! Like any v1 store without a complete configuration they let the service start: adding is disabled,
//! and what exists cannot be read (v1-system §9).

use async_trait::async_trait;

use super::{Added, ByteRange, Error, Opened, Result, Store};
use crate::model::{ByteStream, ImageId};

/// A store without a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unavailable {
    /// What operators call its kind.
    pub(crate) name: &'static str,
    schemes: &'static [&'static str],
}

/// One for each store of v1 and today that has no driver here.
pub(crate) const STORES: [Unavailable; 3] = [
    Unavailable { name: "s3", schemes: &["s3", "s3+http", "s3+https"] },
    Unavailable { name: "swift", schemes: &["swift", "swift+http", "swift+https", "swift+config"] },
    Unavailable { name: "rbd", schemes: &["rbd"] },
];

/// Those that v1 never knew, so that they are there only where the operator names them.
const LATER: [Unavailable; 2] =
    [Unavailable { name: "cinder", schemes: &["cinder"] }, Unavailable { name: "vmware", schemes: &["vsphere"] }];

/// The one of this kind, if there is no driver for it.
pub(super) fn of_kind(kind: &str) -> Option<Unavailable> {
    STORES.into_iter().chain(LATER).find(|store| store.name == kind)
}

/// Whether `store` is one of these.
pub(super) fn is_one(store: &dyn Store) -> bool {
    STORES.iter().chain(&LATER).any(|unavailable| unavailable.schemes == store.schemes())
}

impl Unavailable {
    fn error(&self) -> Error {
        Error::Unsupported(format!("The {} store is not available in this release", self.name))
    }
}

#[async_trait]
impl Store for Unavailable {
    fn schemes(&self) -> &'static [&'static str] {
        self.schemes
    }

    async fn add(&self, _id: &ImageId, _data: ByteStream, _size: Option<u64>) -> Result<Added> {
        Err(Error::AddDisabled)
    }

    async fn get(&self, _uri: &str, _range: ByteRange) -> Result<Opened> {
        Err(self.error())
    }

    async fn size(&self, _uri: &str) -> Result<Option<u64>> {
        Err(self.error())
    }

    async fn delete(&self, _uri: &str) -> Result<()> {
        Err(self.error())
    }
}

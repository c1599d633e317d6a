//! The stores that Gander knows by name but cannot reach in this release.
//!
//! Like any v1 store without a complete configuration they let the service start: adding is disabled,
//! and what exists cannot be read (v1-system §9).

use async_trait::async_trait;

use super::{Added, ByteRange, Error, Opened, Result, Store};
use crate::model::{ByteStream, ImageId};

/// A store without a driver.
#[derive(Debug)]
pub(crate) struct Unavailable {
    name: &'static str,
    schemes: &'static [&'static str],
}

/// One for each store of v1 and today that has no driver here.
pub(crate) const STORES: [Unavailable; 3] = [
    Unavailable { name: "s3", schemes: &["s3", "s3+http", "s3+https"] },
    Unavailable { name: "swift", schemes: &["swift", "swift+http", "swift+https", "swift+config"] },
    Unavailable { name: "rbd", schemes: &["rbd"] },
];

/// Whether `store` is one of [`STORES`].
pub(crate) fn is_one(store: &dyn Store) -> bool {
    STORES.iter().any(|unavailable| unavailable.schemes == store.schemes())
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

//! A store of this service: a driver, and what the operator says of it.

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{Added, ByteRange, Opened, Result, STORE_NOTE, Store};
use crate::model::{ByteStream, ImageId};

/// A store of this service. As a driver it is its own, but that the id is noted of what it adds.
#[derive(Debug)]
pub(crate) struct ServiceStore {
    /// `None`: the only one of its kind, which locations' schemes name.
    pub(super) id: Option<String>,
    /// What operators call its kind.
    pub(crate) kind: &'static str,
    /// What users are told of it (`store_description`).
    pub(crate) description: Option<String>,
    /// Of several locations that in the heaviest store is taken first (`weight`).
    pub(crate) weight: i64,
    /// It gets the uploads that name none.
    pub(crate) is_default: bool,
    pub(super) driver: Box<dyn Store>,
}

impl ServiceStore {
    /// `metadata` with the id of this store noted in it.
    fn noted(&self, mut metadata: Map<String, Value>) -> Map<String, Value> {
        if let Some(id) = &self.id {
            metadata.insert(STORE_NOTE.to_owned(), Value::String(id.clone()));
        }
        metadata
    }

    /// Whether this is the store of this id.
    pub(super) fn is_called(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }
}

#[async_trait]
impl Store for ServiceStore {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn schemes(&self) -> &'static [&'static str] {
        self.driver.schemes()
    }

    fn check_client_location(&self, uri: &str) -> Result<()> {
        self.driver.check_client_location(uri)
    }

    fn locations(&self, id: &ImageId) -> Vec<String> {
        self.driver.locations(id)
    }

    fn is_read_only(&self) -> bool {
        self.driver.is_read_only()
    }

    fn claims(&self, uri: &str) -> Option<usize> {
        self.driver.claims(uri)
    }

    fn properties(&self) -> Map<String, Value> {
        self.driver.properties()
    }

    async fn add(&self, id: &ImageId, data: ByteStream, size: Option<u64>) -> Result<Added> {
        let added = self.driver.add(id, data, size).await?;
        Ok(Added { metadata: self.noted(added.metadata), ..added })
    }

    async fn get(&self, uri: &str, range: ByteRange) -> Result<Opened> {
        self.driver.get(uri, range).await
    }

    async fn size(&self, uri: &str) -> Result<Option<u64>> {
        self.driver.size(uri).await
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        self.driver.delete(uri).await
    }
}

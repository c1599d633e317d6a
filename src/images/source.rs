//! An image's data as the cache reads it: from the first of its locations that opens.

use std::sync::Arc;

use async_trait::async_trait;

use super::guard::capped;
use crate::cache::Source;
use crate::store::{self, ByteRange, Opened, Stores};

/// The data at one of several plain URIs.
#[derive(Debug)]
pub(super) struct StoredImage {
    pub(super) stores: Arc<Stores>,
    /// Tried in order.
    pub(super) uris: Vec<String>,
    /// Most bytes to read: an origin that a client named must not fill the cache's disk (security X9).
    pub(super) cap: u64,
}

#[async_trait]
impl Source for StoredImage {
    async fn open(&self, start: u64) -> store::Result<Opened> {
        let mut last = store::Error::NotFound("The image has no location".to_owned());
        for uri in &self.uris {
            let opened = match self.stores.for_uri(uri) {
                Ok(store) => store.get(uri, ByteRange { start, len: None }).await,
                Err(error) => Err(error),
            };
            match opened {
                Ok(opened) => return Ok(Opened { data: capped(opened.data, self.cap), size: opened.size }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

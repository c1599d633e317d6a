//! An image's data as the cache reads it: from the first of its locations that opens; and what it has to be.

use std::sync::Arc;

use async_trait::async_trait;
use fastio::Algorithm;

use super::guard::capped;
use crate::cache::{Digest, Expected, Source};
use crate::model::Image;
use crate::store::{self, Address, ByteRange, Opened, Store as _, Stores};

/// What the image's record is sure of. Data that we never saw, at a location that a client named, may have changed
/// since; then the store's word counts (v1-api §12).
pub(super) fn expected(image: &Image) -> Expected {
    let Some(checksum) = &image.checksum else { return Expected::default() };
    let md5 = || Digest { algorithm: Algorithm::Md5, hex: checksum.clone() };
    // Another service may have used an algorithm that nobody knows here.
    let strong = image.os_hash().and_then(|hash| Some(Digest { algorithm: hash.algo.parse().ok()?, hex: hash.value }));
    Expected { size: image.size, digest: Some(strong.unwrap_or_else(md5)) }
}

/// The data at one of several places.
#[derive(Debug)]
pub(super) struct StoredImage {
    pub(super) stores: Arc<Stores>,
    /// Tried in order.
    pub(super) places: Vec<Address>,
    /// Most bytes to read: an origin that a client named must not fill the cache's disk (security X9).
    pub(super) cap: u64,
}

#[async_trait]
impl Source for StoredImage {
    async fn open(&self, range: ByteRange) -> store::Result<Opened> {
        let mut told = store::Error::NotFound("The image has no location".to_owned());
        for place in &self.places {
            let opened = match self.stores.at(place) {
                Ok(store) => store.get(&place.uri, range).await,
                Err(error) => Err(error),
            };
            match opened {
                Ok(Opened { data, file, size, version }) => {
                    let file = file.filter(|file| file.len() <= self.cap);
                    return Ok(Opened { data: capped(data, self.cap), file, size, version });
                }
                // That data is missing in one place says less than that another cannot be reached.
                Err(error) if matches!(told, store::Error::NotFound(_)) => told = error,
                Err(_) => {}
            }
        }
        Err(told)
    }
}

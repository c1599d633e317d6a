//! Reading data that lies elsewhere to its end for its digests: where the store fails it is asked again, for the rest.

use std::time::Duration;

use fastio::{Algorithm, Hashing};
use futures_util::StreamExt;

use super::digest::{Received, hashing, received};
use crate::store::{ByteRange, Error, Result, Store};

/// The pause before a failed store is asked again the first time, doubled each time …
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Data in a store that is not ours.
#[derive(Debug)]
pub(super) struct Remote<'a> {
    store: &'a dyn Store,
    uri: &'a str,
    size: u64,
    retries: u32,
}

impl<'a> Remote<'a> {
    /// `size` bytes at `uri`; where `store` fails it is asked again up to `retries` times before it must give a byte.
    pub(super) fn new(store: &'a dyn Store, uri: &'a str, size: u64, retries: u32) -> Self {
        Self { store, uri, size, retries }
    }

    /// Its digests.
    ///
    /// # Errors
    /// The store's, when it is not asked again; that it has other data than it had at first, more of it, or less.
    pub(super) async fn hash(&self, algorithm: Algorithm) -> Result<Received> {
        let mut hashing = hashing(algorithm);
        let mut version = None;
        let mut failures = 0;
        loop {
            let before = hashing.size();
            let Err(error) = self.hear(&mut hashing, &mut version).await else {
                return received(hashing, algorithm).await.map_err(Error::Io);
            };
            let heard = hashing.size();
            if heard > before {
                failures = 0;
            }
            let may_pass = matches!(error, Error::Unavailable(_) | Error::Source(_) | Error::Io(_));
            if !may_pass || failures >= self.retries {
                return Err(error);
            }
            let pause = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(failures));
            failures += 1;
            let ms = pause.as_millis();
            tracing::warn!("a store failed at byte {heard} of data to be hashed, trying again in {ms} ms: {error}");
            tokio::time::sleep(pause).await;
        }
    }

    /// Hashes what is still missing. `version` is the one of what was heard before, once something was.
    async fn hear(&self, hashing: &mut Hashing, version: &mut Option<Option<String>>) -> Result<()> {
        let range = ByteRange { start: hashing.size(), len: None };
        let opened = self.store.get(self.uri, range).await?;
        let known = version.get_or_insert_with(|| opened.version.clone());
        if *known != opened.version || opened.size.is_some_and(|size| size != self.size) {
            return Err(replaced());
        }
        let mut data = opened.data;
        while let Some(block) = data.next().await.transpose().map_err(Error::Source)? {
            if block.len() as u64 > self.size - hashing.size() {
                return Err(replaced());
            }
            hashing.hear(block).await.map_err(Error::Io)?;
        }
        if hashing.size() < self.size {
            return Err(Error::Unavailable("the data ended early".to_owned()));
        }
        Ok(())
    }
}

/// What was begun to be read cannot be read to its end any more.
fn replaced() -> Error {
    Error::NotFound("the data was replaced while it was hashed".to_owned())
}

//! Reading entries again and comparing them with what their images are (promise P7): bits rot, and machines lose power
//! between a write and its arrival on the disk.

use std::io;
use std::sync::Arc;

use fastio::{Algorithm, Hashing, ImageFile};

use super::layout::OpenEntry;
use super::{Cache, Digest, Error, Expected, Result, fault};
use crate::model::ImageId;

/// What reading an entry again has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verified {
    /// Its bytes are the image.
    Good,
    /// Neither the image's record nor the file tells what its bytes should be; its size is right.
    Unknown,
    /// Its bytes are not the image, for this reason; it was dropped.
    Dropped(String),
    /// There is no entry any more.
    Gone,
}

impl Cache {
    /// The images that have an entry, ordered by id.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub(crate) async fn cached_ids(&self) -> Result<Vec<ImageId>> {
        let mut ids: Vec<_> = self.files(|layout| layout.entries()).await?.into_iter().map(|entry| entry.id).collect();
        ids.sort();
        Ok(ids)
    }

    /// Reads the entry of `id` to its end and drops it if it is not as `expected`, or not what it was when it was
    /// written.
    ///
    /// # Errors
    /// The entry cannot be opened or read.
    pub(crate) async fn verify(self: &Arc<Self>, id: &ImageId, expected: &Expected) -> Result<Verified> {
        let wanted = id.clone();
        let Some(OpenEntry { file, size, digest, .. }) = self.files(move |layout| layout.open_entry(&wanted)).await?
        else {
            return Ok(Verified::Gone);
        };
        let file = Arc::new(ImageFile::from(file));
        let mut reason = fault(size, digest.as_ref(), expected);
        // One noted with the algorithm that is expected was compared already.
        let noted =
            digest.iter().filter(|noted| Some(noted.algorithm) != expected.digest.as_ref().map(|d| d.algorithm));
        let known: Vec<&Digest> = expected.digest.iter().chain(noted).collect();
        if reason.is_none() {
            let algorithms: Vec<_> = known.iter().map(|digest| digest.algorithm).collect();
            let found = digests(&file, size, &algorithms).await;
            let found = found.map_err(|source| Error::File { path: self.layout.entry(id), source })?;
            let wrong = known.iter().zip(&found).find(|(known, found)| !known.hex.eq_ignore_ascii_case(found));
            reason = wrong.map(|(known, found)| format!("the digest {found} instead of {known}"));
        }
        match reason {
            Some(reason) => {
                tracing::error!(image = %id, "cached image is evicted: it has {reason}");
                self.evict_damaged(id, &file).await;
                Ok(Verified::Dropped(reason))
            }
            None if known.is_empty() => Ok(Verified::Unknown),
            None => Ok(Verified::Good),
        }
    }
}

/// The digests of the first `size` bytes of `file`.
async fn digests(file: &Arc<ImageFile>, size: u64, algorithms: &[Algorithm]) -> io::Result<Vec<String>> {
    let mut hashing = Hashing::start(algorithms);
    while hashing.size() < size {
        let left = usize::try_from(size - hashing.size()).unwrap_or(usize::MAX);
        let block = fastio::read_block(file, hashing.size(), left.min(fastio::BLOCK)).await?;
        hashing.hear(block).await?;
    }
    hashing.finish().await
}

//! A reader of a fill.

use std::io;

use bytes::Bytes;
use tokio::sync::watch;

use super::Progress;
use crate::cache::blocks::read_block;
use crate::cache::reader::{CachedFile, Fault};
use crate::model::ImageId;

/// Reads the growing file at its own pace.
pub(super) struct Follower {
    /// Whose file it is.
    pub(super) id: ImageId,
    /// How far it is.
    pub(super) progress: watch::Receiver<Progress>,
}

impl CachedFile for Follower {
    async fn block_at(&mut self, offset: u64) -> Result<Option<Bytes>, Fault> {
        let news = self.progress.wait_for(|progress| !progress.is_short_of(offset)).await.map(|now| now.clone());
        let (growing, end) = match news {
            Ok(Progress::Filling { growing, readable }) => (growing, readable),
            Ok(Progress::Complete { size, .. }) if offset == size => return Ok(None),
            Ok(Progress::Complete { growing, size }) => (growing, size),
            Ok(Progress::Broken(error)) => return Err(Fault::Store(io::Error::new(error.kind(), error.to_string()))),
            Ok(_) => return Err(Fault::Cache),
            Err(_) => {
                tracing::error!(image = %self.id, "a fill ended without a word: reading the store");
                return Err(Fault::Cache);
            }
        };
        read_block(&growing.file, offset, end).await.map(Some).map_err(|error| {
            tracing::warn!(image = %self.id, %error, "growing file cannot be read: reading the store");
            Fault::Cache
        })
    }
}

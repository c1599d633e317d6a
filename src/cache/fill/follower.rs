//! A reader of a fill.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use fastio::Rescue;
use tokio::sync::watch;

use super::{Growing, Progress};
use crate::cache::Expected;
use crate::cache::blocks::outgoing_block;
use crate::cache::in_use::Reading;
use crate::cache::reader::{self, CachedFile, Fault};
use crate::cache::rescue::FromStore;
use crate::cache::rest::{Rest, State};
use crate::cache::source::Source;
use crate::model::{ByteStream, ImageId};

/// Reads the growing file at its own pace.
pub(in crate::cache) struct Follower {
    /// Whose file it is.
    id: ImageId,
    /// How far it is.
    progress: watch::Receiver<Progress>,
    growing: Arc<Growing>,
    _reading: Reading,
}

impl Follower {
    /// A reader of the fill of `id`.
    pub(super) fn new(
        id: ImageId,
        progress: watch::Receiver<Progress>,
        growing: Arc<Growing>,
        reading: Reading,
    ) -> Self {
        Self { id, progress, growing, _reading: reading }
    }

    /// The image that is being filled, or a part of it; waits for no more than the bytes it is to yield.
    pub(in crate::cache) fn into_stream(
        self,
        source: Arc<dyn Source>,
        expected: &Expected,
        part: Option<Range<u64>>,
    ) -> ByteStream {
        let Growing { size, version, .. } = &*self.growing;
        let state = if expected.digest.is_some() { State::Any } else { State::Version(version.clone()) };
        let part = part.unwrap_or(0..size.unwrap_or(u64::MAX));
        let rest = Rest { source, size: *size, state };
        let rescue = FromStore { id: self.id.clone(), rest: rest.clone(), entry: None };
        reader::read(Read { follower: self, rescue: Arc::new(rescue) }, rest, part)
    }
}

/// A follower on his way.
struct Read {
    follower: Follower,
    /// Has what the file loses on the way to the client.
    rescue: Arc<dyn Rescue>,
}

impl CachedFile for Read {
    async fn block_at(&mut self, offset: u64, end: u64) -> Result<Option<Bytes>, Fault> {
        // Of an empty image even the end is told only when it is complete.
        if offset == end && end > 0 {
            return Ok(None);
        }
        let Follower { id, progress, growing, .. } = &mut self.follower;
        let news = progress.wait_for(|progress| !progress.is_short_of(offset)).await.map(|now| now.clone());
        let readable = match news {
            Ok(Progress::Filling { readable, .. }) => readable,
            Ok(Progress::Complete { size, .. }) if offset == size => return Ok(None),
            Ok(Progress::Complete { size, .. }) => size,
            Ok(Progress::Broken(error)) => return Err(Fault::Store(io::Error::new(error.kind(), error.to_string()))),
            Ok(_) => return Err(Fault::Cache),
            Err(_) => {
                tracing::error!(image = %id, "a fill ended without a word: reading the store");
                return Err(Fault::Cache);
            }
        };
        outgoing_block(&growing.file, offset, readable.min(end), &self.rescue).await.map(Some).map_err(|error| {
            tracing::warn!(image = %id, %error, "growing file cannot be read: reading the store");
            Fault::Cache
        })
    }
}

//! The way of a download through the cache: from an entry, through a fill, or past both.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::fill::Joined;
use super::source::{Source, open_part, open_whole};
use super::{Cache, Expected, Verdict};
use crate::model::{ByteStream, ImageId, RangeSpec};
use crate::store;

/// An image, or a part of one, on its way to a client.
pub(crate) struct Fetched {
    /// What the cache did.
    pub(crate) verdict: Verdict,
    /// Bytes of the whole image: the expected ones, else what the entry has or the store announces.
    pub(crate) size: Option<u64>,
    /// The bytes that `data` has; `None`: all, because no part was asked for, or because nobody can tell where parts of
    /// an image of unknown size are.
    pub(crate) part: Option<Range<u64>>,
    /// The bytes.
    pub(crate) data: ByteStream,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("verdict", &self.verdict)
            .field("size", &self.size)
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

/// Why an image, or the part that was asked for, cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The store's error; shared by all who wait for the same fill.
    #[error("{0}")]
    Store(Arc<store::Error>),
    /// The part that was asked for begins behind the end of the image.
    #[error("the image has only {size} bytes")]
    BeyondEnd {
        /// Bytes of the image.
        size: u64,
    },
}

impl From<store::Error> for FetchError {
    fn from(error: store::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl Cache {
    /// Yields the image `id`, or the part of it that is `wanted`: from its entry, from the fill of it that runs in this
    /// process, through one that begins now, or straight from `source`. Resolves once the data is open. Before the last
    /// block of a fill is handed out, the image is cached, unless the cache could not keep it.
    ///
    /// Bytes that are not as `expected` are never cached, and the stream of them ends in an error.
    /// Dropping the stream does not end the fill, unless so configured.
    ///
    /// # Errors
    /// The store's, if it cannot open the image, or that there is no such part.
    pub(crate) async fn fetch(
        self: &Arc<Self>,
        id: &ImageId,
        source: Arc<dyn Source>,
        expected: &Expected,
        wanted: Option<RangeSpec>,
    ) -> Result<Fetched, FetchError> {
        if let Some(hit) = self.lookup(id, expected).await {
            let size = hit.size();
            let part = part_of(size, wanted)?;
            let data = hit.into_stream(source, expected, part.clone().unwrap_or(0..size));
            return Ok(Fetched { verdict: Verdict::Hit, size: Some(size), part, data });
        }
        if expected.size.is_some_and(|size| size > self.settings.max_size) {
            return bypass(&*source, expected, wanted, Verdict::TooBig).await;
        }
        // A part does not begin a fill unless so configured, and then it does not wait for what lies before it.
        if wanted.is_some() && !self.fills.is_running(id) {
            if self.settings.fill_on_range {
                self.begin_unread(id, &source, expected);
            }
            return bypass(&*source, expected, wanted, Verdict::Part).await;
        }
        match self.join_or_begin(id, &source, expected).await? {
            Joined::Fill { follower, size, verdict } => {
                let part = size.map_or(Ok(None), |size| part_of(size, wanted))?;
                let data = follower.into_stream(source, expected, part.clone());
                Ok(Fetched { verdict, size, part, data })
            }
            Joined::Entry(hit) => {
                let size = hit.size();
                let part = part_of(size, wanted)?;
                let data = hit.into_stream(source, expected, part.clone().unwrap_or(0..size));
                Ok(Fetched { verdict: Verdict::Hit, size: Some(size), part, data })
            }
            Joined::Nothing(verdict) => bypass(&*source, expected, wanted, verdict).await,
        }
    }
}

/// The image, or a part of it, straight from its store.
///
/// # Errors
/// As [`Cache::fetch`].
pub(crate) async fn bypass(
    source: &dyn Source,
    expected: &Expected,
    wanted: Option<RangeSpec>,
    verdict: Verdict,
) -> Result<Fetched, FetchError> {
    // Where the size is certain, the store is not asked for more than the part.
    if let Some(size) = expected.size
        && let Some(part) = part_of(size, wanted)?
    {
        let data = open_part(source, part.clone(), size).await?.for_client();
        return Ok(Fetched { verdict, size: Some(size), part: Some(part), data });
    }
    let opened = open_whole(source, 0, expected.size).await?;
    let Some((size, part)) = opened.size.and_then(|size| Some((size, part_of(size, wanted).transpose()?))) else {
        return Ok(Fetched { verdict, size: opened.size, part: None, data: opened.for_client() });
    };
    let part = part?;
    // Stores that serve one at a time must see this one leave before the next comes.
    drop(opened);
    let data = open_part(source, part.clone(), size).await?.for_client();
    Ok(Fetched { verdict, size: Some(size), part: Some(part), data })
}

/// The bytes that are wanted of an image of this size; `None`: all.
fn part_of(size: u64, wanted: Option<RangeSpec>) -> Result<Option<Range<u64>>, FetchError> {
    wanted.map(|wanted| wanted.within(size).ok_or(FetchError::BeyondEnd { size })).transpose()
}

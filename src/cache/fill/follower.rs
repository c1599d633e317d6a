//! A reader of a fill.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use super::{Growing, Progress, Source};
use crate::cache::blocks::read_block;
use crate::model::{ByteStream, ImageId};

/// Reads the growing file at its own pace. Where the cache fails it, it goes on in the store by itself.
pub(super) struct Follower {
    id: ImageId,
    progress: watch::Receiver<Progress>,
    growing: Arc<Growing>,
    source: Arc<dyn Source>,
    /// Bytes handed out.
    offset: u64,
    /// The rest of the image, once it comes straight from the store.
    rest: Option<ByteStream>,
}

/// What a follower is to do next.
enum Step {
    /// Read up to here.
    Read(u64),
    /// Wait for more.
    Wait,
    /// Read the store.
    Leave,
    /// All is read.
    End,
}

impl Follower {
    /// A reader at the beginning of `growing`.
    pub(super) fn new(
        id: ImageId,
        progress: watch::Receiver<Progress>,
        growing: Arc<Growing>,
        source: Arc<dyn Source>,
    ) -> Self {
        Self { id, progress, growing, source, offset: 0, rest: None }
    }

    /// The image; an error where the store broke.
    pub(super) fn into_stream(self) -> ByteStream {
        Box::pin(stream::try_unfold(self, |mut follower| async move {
            let block = follower.next().await?;
            Ok(block.map(|block| (block, follower)))
        }))
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(rest) = &mut self.rest {
                return rest.next().await.transpose();
            }
            match self.step()? {
                Step::Read(end) => match read_block(&self.growing.file, self.offset, end).await {
                    Ok(block) => {
                        self.offset += block.len() as u64;
                        return Ok(Some(block));
                    }
                    Err(error) => {
                        tracing::warn!(image = %self.id, %error, "growing file cannot be read");
                        self.leave().await?;
                    }
                },
                Step::Wait => self.progress.changed().await.map_err(|_| io::Error::other("the fill was given up"))?,
                Step::Leave => self.leave().await?,
                Step::End => return Ok(None),
            }
        }
    }

    fn step(&mut self) -> io::Result<Step> {
        match &*self.progress.borrow_and_update() {
            Progress::Filling { readable, .. } if self.offset < *readable => Ok(Step::Read(*readable)),
            Progress::Filling { .. } | Progress::Opening => Ok(Step::Wait),
            Progress::Complete { size, .. } if self.offset < *size => Ok(Step::Read(*size)),
            Progress::Complete { .. } => Ok(Step::End),
            Progress::Broken(error) => Err(io::Error::new(error.kind(), error.to_string())),
            Progress::Abandoned | Progress::NotBegun | Progress::Unopened(_) => Ok(Step::Leave),
        }
    }

    /// Opens the store where this reader is.
    async fn leave(&mut self) -> io::Result<()> {
        let opened = self.source.open(self.offset).await.map_err(io::Error::other)?;
        self.rest = Some(opened.data);
        Ok(())
    }
}

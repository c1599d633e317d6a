//! Going on in the store where a file of the cache fails: whoever has some bytes of an image already must get the others
//! of the same state of it, or none.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::source::{Source, open_part, open_whole};
use crate::model::ByteStream;
use crate::store::Opened;

/// The image in its store, for somebody who has part of it from the cache.
#[derive(Clone)]
pub(super) struct Rest {
    pub(super) source: Arc<dyn Source>,
    /// Bytes of the image, if known.
    pub(super) size: Option<u64>,
    pub(super) state: State,
}

/// Which state of the image in its store goes with the bytes that were handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Any: the image's record has a checksum, so its data never changes.
    Any,
    /// The one of this version, as far as the store tells versions apart.
    Version(Option<String>),
    /// Nobody remembers: only who has no bytes yet can go on.
    Forgotten,
}

impl Rest {
    /// `part` of the image, for a client; to the end where `part` reaches beyond it.
    ///
    /// # Errors
    /// The store's, or that it has another state of the image now.
    pub(super) async fn open(&self, part: Range<u64>) -> io::Result<ByteStream> {
        Ok(self.opened(part).await?.for_client())
    }

    /// As [`Rest::open`], for us to look at: a map of a file that its disk cannot read would end the process.
    ///
    /// # Errors
    /// As [`Rest::open`].
    pub(super) async fn read(&self, part: Range<u64>) -> io::Result<ByteStream> {
        Ok(self.opened(part).await?.data)
    }

    async fn opened(&self, part: Range<u64>) -> io::Result<Opened> {
        let start = part.start;
        if self.state == State::Forgotten && start > 0 {
            return Err(changed("the image may have been replaced in its store since it was cached"));
        }
        let opened = match self.size {
            // To the end: a store that has more than it should is found out.
            Some(size) if part.end < size => open_part(&*self.source, part, size).await,
            size => open_whole(&*self.source, start, size).await,
        };
        let opened = opened.map_err(io::Error::other)?;
        match &self.state {
            State::Version(version) if *version != opened.version => {
                Err(changed("the image was replaced in its store meanwhile"))
            }
            _ => Ok(opened),
        }
    }
}

fn changed(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

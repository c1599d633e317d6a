//! Hashing data while it passes by, on a thread of its own, so that storing and hashing go on side by side.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use md5::{Digest, Md5};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Error, Result};
use crate::model::ByteStream;

/// Blocks that may wait for the hasher before the stream is held back.
const QUEUED_BLOCKS: usize = 16;

/// What came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// Lower-case hex MD5.
    pub(crate) md5: String,
    /// Bytes.
    pub(crate) size: u64,
}

/// The hasher of one stream.
#[derive(Debug)]
pub(crate) struct Digesting {
    hasher: JoinHandle<Received>,
}

impl Digesting {
    /// Gives back the stream, and the hasher that hears every block of it.
    pub(crate) fn start(data: ByteStream) -> (ByteStream, Self) {
        let (sender, receiver) = mpsc::channel::<Bytes>(QUEUED_BLOCKS);
        let hasher = tokio::task::spawn_blocking(move || hash(receiver));
        let teed = stream::unfold((data, sender), |(mut data, sender)| async move {
            let block = data.next().await?;
            if let Ok(bytes) = &block {
                // The hasher ends only when this sender is dropped, so sending cannot fail before that.
                let _ = sender.send(bytes.clone()).await;
            }
            Some((block, (data, sender)))
        });
        // Stores may look for more after the end.
        (Box::pin(teed.fuse()), Self { hasher })
    }

    /// The digest of everything that passed; call when the stream has been dropped or has ended.
    pub(crate) async fn finish(self) -> Result<Received> {
        self.hasher.await.map_err(|failure| Error::BrokenUpload(format!("hashing failed: {failure}")))
    }
}

fn hash(mut blocks: mpsc::Receiver<Bytes>) -> Received {
    let mut md5 = Md5::new();
    let mut size = 0u64;
    while let Some(block) = blocks.blocking_recv() {
        size += block.len() as u64;
        md5.update(&block);
    }
    Received { md5: hex(&md5.finalize()), size }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

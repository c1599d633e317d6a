//! Hashing data while it passes by: each batch on a thread of the blocking pool while the stream goes on, so that
//! storing and hashing run side by side.
//!
//! No thread belongs to a stream: slow clients, however many, must not keep others from the blocking pool, which all
//! work on files needs.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use md5::{Digest, Md5};
use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::{Error, Result};
use crate::model::ByteStream;

/// Bytes hashed at a time. A stream keeps up to two batches alive: one collecting, one being hashed.
const BATCH_BYTES: usize = 512 * 1024;
/// Blocks hashed at a time, against clients that send crumbs.
const BATCH_BLOCKS: usize = 256;

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
    // Only one of stream and `finish` uses it at a time; nobody waits for this lock.
    hasher: Arc<Mutex<Hasher>>,
}

impl Digesting {
    /// Gives back the stream, and the hasher that hears every block of it.
    pub(crate) fn start(data: ByteStream) -> (ByteStream, Self) {
        let hasher = Arc::new(Mutex::new(Hasher::new()));
        let teed = stream::unfold((data, Arc::clone(&hasher)), |(mut data, hasher)| async move {
            let mut block = data.next().await?;
            if let Ok(bytes) = &block
                && let Err(lost) = hasher.lock().await.hear(bytes.clone()).await
            {
                block = Err(io::Error::other(lost));
            }
            Some((block, (data, hasher)))
        });
        // Stores may look for more after the end.
        (Box::pin(teed.fuse()), Self { hasher })
    }

    /// The digest of everything that passed; call when the stream has been dropped or has ended without an error.
    pub(crate) async fn finish(self) -> Result<Received> {
        let mut hasher = self.hasher.lock().await;
        hasher.finish().await.map_err(|lost| Error::BrokenUpload(format!("hashing failed: {lost}")))
    }
}

/// Fails when the runtime ends.
type Hashed<T> = std::result::Result<T, JoinError>;

#[derive(Debug)]
struct Hasher {
    /// Hashes a batch, then gives the state back. Awaited, it is replaced, unless it failed.
    running: JoinHandle<Md5>,
    batch: Vec<Bytes>,
    batch_bytes: usize,
    size: u64,
}

impl Hasher {
    fn new() -> Self {
        Self { running: spawn_blocking(Md5::new), batch: Vec::new(), batch_bytes: 0, size: 0 }
    }

    /// Takes a block; holds the stream back only when a batch is full and its predecessor not yet hashed.
    async fn hear(&mut self, block: Bytes) -> Hashed<()> {
        self.size += block.len() as u64;
        self.batch_bytes += block.len();
        self.batch.push(block);
        if self.batch_bytes >= BATCH_BYTES || self.batch.len() >= BATCH_BLOCKS { self.turn().await } else { Ok(()) }
    }

    /// Waits for the predecessor of the batch and starts to hash the batch. Dropped half-way, it has changed nothing.
    async fn turn(&mut self) -> Hashed<()> {
        let mut md5 = (&mut self.running).await?;
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        self.running = spawn_blocking(move || {
            batch.iter().for_each(|block| md5.update(block));
            md5
        });
        Ok(())
    }

    async fn finish(&mut self) -> Hashed<Received> {
        self.turn().await?;
        let md5 = (&mut self.running).await?;
        Ok(Received { md5: hex(&md5.finalize()), size: self.size })
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn blocks_are_hashed_in_order_whatever_their_size() {
        for (block, blocks) in [(1, 1000), (300 * 1024, 7), (BATCH_BYTES, 3), (0, 600), (1, 0)] {
            let bytes: Vec<u8> = (0..block * blocks).map(|i| (i % 251) as u8).collect();
            let sent: Vec<io::Result<Bytes>> =
                (0..blocks).map(|i| Ok(Bytes::copy_from_slice(&bytes[i * block..(i + 1) * block]))).collect();
            let (teed, digesting) = Digesting::start(Box::pin(stream::iter(sent)));
            let passed: Vec<Bytes> = teed.map(|block| block.unwrap()).collect().await;
            assert!(passed.concat() == bytes);
            let expected = Received { md5: hex(&Md5::digest(&bytes)), size: bytes.len() as u64 };
            assert_eq!(digesting.finish().await.unwrap(), expected, "{blocks} blocks of {block}");
        }
    }

    #[tokio::test]
    async fn a_stream_dropped_early_is_hashed_as_far_as_it_went() {
        let sent = stream::repeat_with(|| Ok(Bytes::from_static(b"abc")));
        let (mut teed, digesting) = Digesting::start(Box::pin(sent));
        teed.next().await.unwrap().unwrap();
        drop(teed);
        assert_eq!(digesting.finish().await.unwrap(), Received { md5: hex(&Md5::digest(b"abc")), size: 3 });
    }
}

//! Hashing data while it passes by, so that storing and hashing run side by side: MD5 for `checksum`, and the operator's
//! algorithm. Whoever wants to know what kind of data it is looks at it in the same pass.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use fastio::{Algorithm, Hashing};
use futures_util::{StreamExt, stream};
use imgformat::{Inspected, Inspection};
use tokio::sync::Mutex;

use super::{Error, Result};
use crate::model::{ByteStream, OsHash};

/// What came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// Lower-case hex MD5.
    pub(crate) md5: String,
    /// The digest by the chosen algorithm.
    pub(crate) os_hash: OsHash,
    /// Bytes.
    pub(crate) size: u64,
    /// What kind of data it is, if somebody looked.
    pub(crate) inspected: Option<Inspected>,
}

/// The digests of one stream.
#[derive(Debug)]
pub(crate) struct Digesting {
    algorithm: Algorithm,
    // Only one of stream and `finish` uses it at a time; nobody waits for this lock. `None`: finished.
    heard: Arc<Mutex<Option<Heard>>>,
}

/// What hears every block.
#[derive(Debug)]
struct Heard {
    hashing: Hashing,
    inspection: Option<Inspection>,
}

impl Heard {
    async fn hear(&mut self, block: &Bytes) -> io::Result<()> {
        // After the first blocks this is a few comparisons: not worth another thread.
        if let Some(inspection) = &mut self.inspection {
            inspection.feed(block);
        }
        self.hashing.hear(block.clone()).await
    }
}

impl Digesting {
    /// Gives back the stream, and the digests that hear every block of it: MD5's and the one by `algorithm`. The
    /// inspection hears them, too.
    pub(crate) fn start(data: ByteStream, algorithm: Algorithm, inspection: Option<Inspection>) -> (ByteStream, Self) {
        let hashing = hashing(algorithm);
        let heard = Arc::new(Mutex::new(Some(Heard { hashing, inspection })));
        let teed = stream::unfold((data, Arc::clone(&heard)), |(mut data, heard)| async move {
            let mut block = data.next().await?;
            if let Ok(bytes) = &block {
                let outcome = match heard.lock().await.as_mut() {
                    Some(heard) => heard.hear(bytes).await,
                    None => Err(finished()),
                };
                block = outcome.and(block);
            }
            Some((block, (data, heard)))
        });
        // Stores may look for more after the end.
        (Box::pin(teed.fuse()), Self { algorithm, heard })
    }

    /// The digests of everything that passed; call when the stream has been dropped or has ended without an error.
    pub(crate) async fn finish(self) -> Result<Received> {
        let heard = self.heard.lock().await.take().ok_or_else(|| broken(&finished()))?;
        let Heard { hashing, inspection } = heard;
        let received = received(hashing, self.algorithm).await.map_err(|error| broken(&error))?;
        Ok(Received { inspected: inspection.map(Inspection::finish), ..received })
    }
}

/// MD5 and the digest by `algorithm`, at their beginning.
pub(super) fn hashing(algorithm: Algorithm) -> Hashing {
    match algorithm {
        Algorithm::Md5 => Hashing::start(&[Algorithm::Md5]),
        other => Hashing::start(&[Algorithm::Md5, other]),
    }
}

/// The digests of [`hashing`].
pub(super) async fn received(hashing: Hashing, algorithm: Algorithm) -> io::Result<Received> {
    let size = hashing.size();
    let digests = hashing.finish().await?;
    let (Some(md5), Some(value)) = (digests.first(), digests.last()) else { return Err(finished()) };
    let os_hash = OsHash { algo: algorithm.as_str().to_owned(), value: value.clone() };
    Ok(Received { md5: md5.clone(), os_hash, size, inspected: None })
}

fn broken(error: &io::Error) -> Error {
    Error::BrokenUpload(format!("hashing failed: {error}"))
}

fn finished() -> io::Error {
    io::Error::other("the digests are finished already")
}

#[cfg(test)]
mod tests {
    use fastio::Hasher;

    use super::*;

    fn digest(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    fn expected(bytes: &[u8], algorithm: Algorithm) -> Received {
        Received {
            md5: digest(Algorithm::Md5, bytes),
            os_hash: OsHash { algo: algorithm.as_str().to_owned(), value: digest(algorithm, bytes) },
            size: bytes.len() as u64,
            inspected: None,
        }
    }

    #[tokio::test]
    async fn what_passes_is_hashed_by_every_algorithm() {
        for algorithm in Algorithm::ALL {
            let bytes: Vec<u8> = (0..3_000_000).map(|i| (i % 251) as u8).collect();
            let sent: Vec<_> = bytes.chunks(70_000).map(|block| Ok(Bytes::copy_from_slice(block))).collect();
            let (teed, digesting) = Digesting::start(Box::pin(stream::iter(sent)), algorithm, None);
            let passed: Vec<Bytes> = teed.map(|block| block.unwrap()).collect().await;
            assert!(passed.concat() == bytes);
            assert_eq!(digesting.finish().await.unwrap(), expected(&bytes, algorithm));
        }
    }

    #[tokio::test]
    async fn what_passes_is_looked_at_on_demand() {
        let sent = [Bytes::from_static(b"QFI\xfb\0\0\0\x03"), Bytes::from(vec![0; 1000])].map(Ok);
        let inspection = Some(Inspection::new());
        let (teed, digesting) = Digesting::start(Box::pin(stream::iter(sent)), Algorithm::Md5, inspection);
        assert_eq!(teed.count().await, 2);
        let inspected = digesting.finish().await.unwrap().inspected.unwrap();
        assert_eq!((inspected.bytes, inspected.detected().unwrap().format), (1008, imgformat::Format::Qcow2));
    }

    #[tokio::test]
    async fn a_stream_dropped_early_is_hashed_as_far_as_it_went() {
        let sent = stream::repeat_with(|| Ok(Bytes::from_static(b"abc")));
        let (mut teed, digesting) = Digesting::start(Box::pin(sent), Algorithm::Sha256, None);
        teed.next().await.unwrap().unwrap();
        drop(teed);
        assert_eq!(digesting.finish().await.unwrap(), expected(b"abc", Algorithm::Sha256));
    }

    #[tokio::test]
    async fn errors_pass_and_nothing_is_heard_after_the_end() {
        let sent = [Ok(Bytes::from_static(b"abc")), Err(io::Error::other("gone")), Ok(Bytes::from_static(b"d"))];
        let (mut teed, digesting) = Digesting::start(Box::pin(stream::iter(sent)), Algorithm::Sha512, None);
        teed.next().await.unwrap().unwrap();
        assert_eq!(teed.next().await.unwrap().unwrap_err().to_string(), "gone");
        assert_eq!(digesting.finish().await.unwrap(), expected(b"abc", Algorithm::Sha512));
        assert!(teed.next().await.unwrap().is_err());
    }
}

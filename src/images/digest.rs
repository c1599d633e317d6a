//! Hashing data while it passes by, so that storing and hashing run side by side: MD5 for `checksum`, and the operator's
//! algorithm.

use std::io;
use std::sync::Arc;

use fastio::{Algorithm, Hashing};
use futures_util::{StreamExt, stream};
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
}

/// The digests of one stream.
#[derive(Debug)]
pub(crate) struct Digesting {
    algorithm: Algorithm,
    // Only one of stream and `finish` uses it at a time; nobody waits for this lock. `None`: finished.
    hashing: Arc<Mutex<Option<Hashing>>>,
}

impl Digesting {
    /// Gives back the stream, and the digests that hear every block of it: MD5's and the one by `algorithm`.
    pub(crate) fn start(data: ByteStream, algorithm: Algorithm) -> (ByteStream, Self) {
        let algorithms = match algorithm {
            Algorithm::Md5 => vec![Algorithm::Md5],
            other => vec![Algorithm::Md5, other],
        };
        let hashing = Arc::new(Mutex::new(Some(Hashing::start(&algorithms))));
        let teed = stream::unfold((data, Arc::clone(&hashing)), |(mut data, hashing)| async move {
            let mut block = data.next().await?;
            if let Ok(bytes) = &block {
                let heard = match hashing.lock().await.as_mut() {
                    Some(hashing) => hashing.hear(bytes.clone()).await,
                    None => Err(finished()),
                };
                block = heard.and(block);
            }
            Some((block, (data, hashing)))
        });
        // Stores may look for more after the end.
        (Box::pin(teed.fuse()), Self { algorithm, hashing })
    }

    /// The digests of everything that passed; call when the stream has been dropped or has ended without an error.
    pub(crate) async fn finish(self) -> Result<Received> {
        let broken = |error: io::Error| Error::BrokenUpload(format!("hashing failed: {error}"));
        let hashing = self.hashing.lock().await.take().ok_or_else(|| broken(finished()))?;
        let size = hashing.size();
        let digests = hashing.finish().await.map_err(broken)?;
        let (Some(md5), Some(value)) = (digests.first(), digests.last()) else { return Err(broken(finished())) };
        let os_hash = OsHash { algo: self.algorithm.as_str().to_owned(), value: value.clone() };
        Ok(Received { md5: md5.clone(), os_hash, size })
    }
}

fn finished() -> io::Error {
    io::Error::other("the digests are finished already")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
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
        }
    }

    #[tokio::test]
    async fn what_passes_is_hashed_by_every_algorithm() {
        for algorithm in Algorithm::ALL {
            let bytes: Vec<u8> = (0..3_000_000).map(|i| (i % 251) as u8).collect();
            let sent: Vec<_> = bytes.chunks(70_000).map(|block| Ok(Bytes::copy_from_slice(block))).collect();
            let (teed, digesting) = Digesting::start(Box::pin(stream::iter(sent)), algorithm);
            let passed: Vec<Bytes> = teed.map(|block| block.unwrap()).collect().await;
            assert!(passed.concat() == bytes);
            assert_eq!(digesting.finish().await.unwrap(), expected(&bytes, algorithm));
        }
    }

    #[tokio::test]
    async fn a_stream_dropped_early_is_hashed_as_far_as_it_went() {
        let sent = stream::repeat_with(|| Ok(Bytes::from_static(b"abc")));
        let (mut teed, digesting) = Digesting::start(Box::pin(sent), Algorithm::Sha256);
        teed.next().await.unwrap().unwrap();
        drop(teed);
        assert_eq!(digesting.finish().await.unwrap(), expected(b"abc", Algorithm::Sha256));
    }

    #[tokio::test]
    async fn errors_pass_and_nothing_is_heard_after_the_end() {
        let sent = [Ok(Bytes::from_static(b"abc")), Err(io::Error::other("gone")), Ok(Bytes::from_static(b"d"))];
        let (mut teed, digesting) = Digesting::start(Box::pin(stream::iter(sent)), Algorithm::Sha512);
        teed.next().await.unwrap().unwrap();
        assert_eq!(teed.next().await.unwrap().unwrap_err().to_string(), "gone");
        assert_eq!(digesting.finish().await.unwrap(), expected(b"abc", Algorithm::Sha512));
        assert!(teed.next().await.unwrap().is_err());
    }
}

use bytes::Bytes;
use md5::{Digest, Md5};
use sha2::{Sha256, Sha512};

use super::{Algorithm, Hasher, Hashing};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

#[test]
fn digests_are_those_of_other_implementations() {
    for len in [0, 1, 63, 64, 65, 111, 112, 127, 128, 129, 1000, 1 << 20] {
        let bytes = pattern(len);
        let ours = |algorithm| {
            let mut hasher = Hasher::new(algorithm);
            bytes.chunks(97).for_each(|chunk| hasher.update(chunk));
            hasher.finish()
        };
        assert_eq!(ours(Algorithm::Md5), hex(&Md5::digest(&bytes)), "{len}");
        assert_eq!(ours(Algorithm::Sha256), hex(&Sha256::digest(&bytes)), "{len}");
        assert_eq!(ours(Algorithm::Sha512), hex(&Sha512::digest(&bytes)), "{len}");
    }
}

#[test]
fn digests_have_their_known_values() {
    let of_abc = |algorithm| {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(b"abc");
        hasher.finish()
    };
    // RFC 1321 and FIPS 180-4.
    assert_eq!(of_abc(Algorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(of_abc(Algorithm::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(of_abc(Algorithm::Sha224), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
    assert!(of_abc(Algorithm::Sha384).starts_with("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"));
}

#[test]
fn algorithms_are_known_by_their_names() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
    }
    let unknown = "crc32".parse::<Algorithm>().unwrap_err();
    assert!(unknown.to_string().contains("'crc32' is not one of md5, sha1"), "{unknown}");
}

#[tokio::test]
async fn blocks_are_hashed_in_order_whatever_their_size() {
    for (block, blocks) in [(1, 1000), (300 * 1024, 7), (1 << 20, 3), (0, 600), (1, 0)] {
        let bytes = pattern(block * blocks);
        let mut hashing = Hashing::start(&[Algorithm::Md5, Algorithm::Sha512]);
        for i in 0..blocks {
            hashing.hear(Bytes::copy_from_slice(&bytes[i * block..(i + 1) * block])).await.unwrap();
        }
        assert_eq!(hashing.size(), bytes.len() as u64);
        let expected = [hex(&Md5::digest(&bytes)), hex(&Sha512::digest(&bytes))];
        assert_eq!(hashing.finish().await.unwrap(), expected, "{blocks} blocks of {block}");
    }
}

#[tokio::test]
async fn a_caller_who_stops_waiting_loses_no_block() {
    let mut hashing = Hashing::start(&[Algorithm::Sha256]);
    let bytes = pattern(5 << 20);
    for chunk in bytes.chunks(700_000) {
        let mut hearing = Box::pin(hashing.hear(Bytes::copy_from_slice(chunk)));
        // Polled once and dropped.
        let _ = std::future::poll_fn(|cx| std::task::Poll::Ready(hearing.as_mut().poll(cx))).await;
    }
    assert_eq!(hashing.finish().await.unwrap(), [hex(&Sha256::digest(&bytes))]);
}

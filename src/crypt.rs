//! `metadata_encryption_key`: how locations are kept in the database (v1-system §7).
//!
//! AES in CBC mode, the random IV in front, the whole in URL-safe base64. The plain text is followed by one zero byte
//! and random non-zero bytes up to a multiple of [`PADDED_TO`]. Written in v1's form, so that existing tools and
//! databases fit in both directions. It hides credentials from readers of the database; it authenticates nothing.

use aes::{Aes128, Aes192, Aes256, Block};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cbc::{Decryptor, Encryptor};

/// Length of an AES block and of the IV, in bytes.
const BLOCK: usize = 16;
/// Plain texts are padded to a multiple of this many bytes. Today's Glance pads to 16; both are read alike.
const PADDED_TO: usize = 64;

/// The option's value cannot be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value for metadata_encryption_key: must be 16, 24 or 32 bytes long, not {length}")]
pub(crate) struct BadKey {
    length: usize,
}

/// A stored location that the key does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("A stored location cannot be decrypted with the configured metadata_encryption_key")]
pub(crate) struct Undecipherable;

enum Key {
    Aes128([u8; 16]),
    Aes192([u8; 24]),
    Aes256([u8; 32]),
}

/// Encrypts and decrypts locations with one key.
pub(crate) struct LocationCipher(Key);

impl std::fmt::Debug for LocationCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocationCipher(..)")
    }
}

impl LocationCipher {
    /// `key` is the option's value; its bytes are the key, whose length chooses AES-128, -192 or -256.
    pub(crate) fn new(key: &str) -> Result<Self, BadKey> {
        let bytes = key.as_bytes();
        let key = match bytes.len() {
            16 => bytes.try_into().map(Key::Aes128),
            24 => bytes.try_into().map(Key::Aes192),
            _ => bytes.try_into().map(Key::Aes256),
        };
        key.map(Self).map_err(|_| BadKey { length: bytes.len() })
    }

    /// The form of the location `plain` to store.
    #[expect(clippy::expect_used, reason = "without the kernel's random source no secret can be kept")]
    pub(crate) fn encrypt(&self, plain: &str) -> String {
        let (mut iv, mut padding) = ([0; BLOCK], [0; PADDED_TO]);
        getrandom::fill(&mut iv).expect("the kernel's random source answers");
        getrandom::fill(&mut padding).expect("the kernel's random source answers");
        self.seal(plain, iv, padding.map(|byte| byte.max(1)))
    }

    fn seal(&self, plain: &str, iv: [u8; BLOCK], padding: [u8; PADDED_TO]) -> String {
        let mut data = plain.as_bytes().to_vec();
        data.push(0);
        let missing = data.len().next_multiple_of(PADDED_TO) - data.len();
        data.extend_from_slice(&padding[..missing]);
        let (blocks, _) = Block::slice_as_chunks_mut(&mut data);
        match &self.0 {
            Key::Aes128(key) => Encryptor::<Aes128>::new(key.into(), &iv.into()).encrypt_blocks(blocks),
            Key::Aes192(key) => Encryptor::<Aes192>::new(key.into(), &iv.into()).encrypt_blocks(blocks),
            Key::Aes256(key) => Encryptor::<Aes256>::new(key.into(), &iv.into()).encrypt_blocks(blocks),
        }
        URL_SAFE.encode([iv.as_slice(), &data].concat())
    }

    /// The location behind a stored form. One that was stored plain (it contains `://`, database §4.5) comes back as is.
    pub(crate) fn decrypt(&self, stored: &str) -> Result<String, Undecipherable> {
        if stored.contains("://") {
            return Ok(stored.to_owned());
        }
        let mut sealed = URL_SAFE.decode(stored).map_err(|_| Undecipherable)?;
        let (iv, data) = sealed.split_first_chunk_mut::<BLOCK>().ok_or(Undecipherable)?;
        let iv = (&*iv).into();
        let (blocks, []) = Block::slice_as_chunks_mut(data) else { return Err(Undecipherable) };
        match &self.0 {
            Key::Aes128(key) => Decryptor::<Aes128>::new(key.into(), iv).decrypt_blocks(blocks),
            Key::Aes192(key) => Decryptor::<Aes192>::new(key.into(), iv).decrypt_blocks(blocks),
            Key::Aes256(key) => Decryptor::<Aes256>::new(key.into(), iv).decrypt_blocks(blocks),
        }
        let end = data.iter().rposition(|&byte| byte == 0).ok_or(Undecipherable)?;
        String::from_utf8(data[..end].to_vec()).map_err(|_| Undecipherable)
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, BadKey, LocationCipher, PADDED_TO, Undecipherable};

    const KEY: &str = "012345678901234567890123456789ab";
    const IMAGE: &str = "file:///var/lib/glance/images/71c675ab-d94f-49cd-a114-e12490b328d9";
    /// v1-system §7: IV 00 01 … 0f, padding 01 02 03 ….
    const VECTORS: [(&str, &str); 3] = [
        (
            "",
            "AAECAwQFBgcICQoLDA0OD_kGbHXeRVrwFmvRACOwy8a0UFY4ePhgpVkrVhozdKuUe6XfOpecpEbH2jbMAfWYN42HjErtfPjvuh9KE79akRE=",
        ),
        (
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "AAECAwQFBgcICQoLDA0OD2RCQuUXnwKxi0qKJbqdd-6AkjXOGEu13jtzCL7-Ei53NipePY5BYBOG44sZt1EP1dPZnWHLetpzJIzO5KpkBkA=",
        ),
        (
            IMAGE,
            "AAECAwQFBgcICQoLDA0OD-nHFbOSn9QrYKvkLF1gYNpgPUKcqq3RsPVAIiQLMOENMatzog_6njzDocF4O1jVgltsFmeTDCn054dE9iAURildfXUL7qtdTIys95sqgiRxQgKfanotEIBphQOZaJfF35ERXPy7o_M4dRtnZs1kTif9kikfMdMjAU1Maa50l0B2",
        ),
    ];

    fn cipher() -> LocationCipher {
        LocationCipher::new(KEY).unwrap()
    }

    #[test]
    fn vectors_of_the_specification() {
        let iv: [u8; BLOCK] = std::array::from_fn(|i| i as u8);
        let padding: [u8; PADDED_TO] = std::array::from_fn(|i| i as u8 + 1);
        for (plain, stored) in VECTORS {
            assert_eq!(cipher().seal(plain, iv, padding), stored);
            assert_eq!(cipher().decrypt(stored).unwrap(), plain);
        }
    }

    #[test]
    fn every_length_survives_with_every_key_size() {
        for key in [&KEY[..16], &KEY[..24], KEY] {
            let cipher = LocationCipher::new(key).unwrap();
            for length in 0..192 {
                let plain = "u".repeat(length);
                let stored = cipher.encrypt(&plain);
                assert_eq!(stored.len(), [108, 192, 280][length / PADDED_TO], "{length}");
                assert_eq!(cipher.decrypt(&stored).unwrap(), plain);
            }
        }
    }

    #[test]
    fn the_same_location_never_looks_the_same() {
        assert_ne!(cipher().encrypt(IMAGE), cipher().encrypt(IMAGE));
    }

    /// Made with OpenSSL from `s3://b/k`, a zero byte and 01 … 07: one block, as Glance writes today.
    #[test]
    fn todays_padding_to_sixteen_is_read() {
        let stored = "AAECAwQFBgcICQoLDA0OD1mWXMuekGrsh0oBqM0trQA=";
        assert_eq!(cipher().decrypt(stored).as_deref(), Ok("s3://b/k"));
    }

    #[test]
    fn plain_locations_pass() {
        assert_eq!(cipher().decrypt(IMAGE).unwrap(), IMAGE);
    }

    #[test]
    fn what_the_key_does_not_open_is_an_error() {
        for stored in ["", "AAAA", "no base64!", "AAECAwQFBgcICQoLDA0OD_kG", VECTORS[0].1.trim_end_matches('=')] {
            assert_eq!(cipher().decrypt(stored), Err(Undecipherable), "{stored}");
        }
        let other = LocationCipher::new("another key that is 32 bytes lon").unwrap();
        assert_eq!(other.decrypt(VECTORS[2].1), Err(Undecipherable));
    }

    #[test]
    fn keys_of_other_lengths_are_refused_by_name() {
        for length in [0, 15, 17, 33] {
            let error = LocationCipher::new(&"k".repeat(length)).unwrap_err();
            assert_eq!(error, BadKey { length });
            assert!(error.to_string().contains("metadata_encryption_key"));
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", cipher()), "LocationCipher(..)");
    }
}

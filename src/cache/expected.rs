//! What is known of an image before its bytes are seen: what an entry has to be to be that image.

use std::fmt;
use std::str::FromStr;

use fastio::Algorithm;

/// The digest of an image's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) algorithm: Algorithm,
    /// Lower-case hex.
    pub(crate) hex: String,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.hex)
    }
}

impl FromStr for Digest {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, hex) = text.split_once(':').ok_or(())?;
        Ok(Self { algorithm: name.parse().map_err(|_| ())?, hex: hex.to_owned() })
    }
}

/// What the image's record is sure of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Bytes.
    pub(crate) size: Option<u64>,
    /// Their digest.
    pub(crate) digest: Option<Digest>,
}

impl Expected {
    /// The digest to compute of bytes that should be the image: the one to compare with, or else one to know them by
    /// later (security C32).
    pub(super) fn algorithm(&self) -> Algorithm {
        self.digest.as_ref().map_or(Algorithm::Sha256, |digest| digest.algorithm)
    }

    /// Whether bytes of digest `found` are certainly not the image. Digests of two algorithms tell nothing.
    pub(super) fn contradicts(&self, found: &Digest) -> bool {
        let expected = self.digest.as_ref();
        expected.is_some_and(|expected| {
            expected.algorithm == found.algorithm && !expected.hex.eq_ignore_ascii_case(&found.hex)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_digest_of_the_same_algorithm_contradicts() {
        let digest = |text: &str| text.parse::<Digest>().unwrap();
        let expected = Expected { size: None, digest: Some(digest("md5:ab")) };
        assert!(expected.contradicts(&digest("md5:ac")));
        assert!(!expected.contradicts(&digest("md5:AB")));
        assert!(!expected.contradicts(&digest("sha256:00")));
        assert!(!Expected::default().contradicts(&digest("md5:ac")));
        assert_eq!(digest("sha512:0f").to_string(), "sha512:0f");
        assert!("sha512".parse::<Digest>().is_err() && "crc:00".parse::<Digest>().is_err());
    }
}

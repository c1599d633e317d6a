//! Image ids.

use std::fmt;

/// Longest id the database holds (database §3.1).
const MAX_LEN: usize = 36;

/// An image id: UUID-like text, kept as the client gave it.
///
/// Being UUID-like it holds no separator and no dot, so it is safe as a file name (security C10).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ImageId(String);

impl ImageId {
    /// A fresh random id (UUID version 4).
    pub(crate) fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// Accepts 32 hex digits, optionally grouped by dashes, in braces or behind `urn:`/`uuid:` (v1-api §9.1),
    /// of at most 36 characters in all; anything else is `None`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LEN {
            return None;
        }
        let bare = text.replace("urn:", "").replace("uuid:", "");
        let digits = bare.trim_matches(|c| c == '{' || c == '}').replace('-', "");
        let uuid_like = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        uuid_like.then(|| Self(text.to_owned()))
    }

    /// The id as given.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ImageId;

    #[test]
    fn uuid_like_text_is_kept_as_given() {
        for text in [
            "71c675ab-d94f-49cd-a114-e12490b328d9",
            "71C675ABD94F49CDA114E12490B328D9",
            "{71c675abd94f49cda114e12490b328d9}",
        ] {
            assert_eq!(ImageId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn anything_that_could_be_a_path_is_refused() {
        for text in [
            "",
            "1",
            "..",
            "a/b",
            "queue",
            "cache.db",
            "71c675ab-d94f-49cd-a114-e12490b328dg",
            "../../../../../../../etc/passwd",
        ] {
            assert_eq!(ImageId::parse(text), None, "{text}");
        }
        assert_eq!(ImageId::parse(&"a".repeat(300)), None);
    }
}

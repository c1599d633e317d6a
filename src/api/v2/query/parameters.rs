//! A query string taken apart.

use percent_encoding::percent_decode_str;
use url::form_urlencoded::byte_serialize;

use super::Refusal;

/// Longest query string that is looked into, in bytes, as links spell it and without the marker: else the first page
/// could be asked for, and the next one not.
pub(crate) const MAX_QUERY: usize = 32 * 1024;
/// Names the image after which a page begins.
pub(super) const MARKER: &str = "marker";
/// Bad UTF-8 (v2-images §2.1), and NUL, which no database holds.
const UNDECODABLE: &str = "Error decoding your request. Either the URL or the request body contained characters that could \
                           not be decoded by Glance";

/// Decoded parameters in the order given, repeated ones and all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Decodes a query string by the rules of forms: `+` is a blank, and a name may stand without a value.
    ///
    /// # Errors
    /// The message of a 400, where a part is no UTF-8 or the whole is too long.
    pub(crate) fn decode(query: &str) -> Result<Self, Refusal> {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(name)?, decoded(value)?))
        };
        let parts = query.split('&').filter(|part| !part.is_empty());
        let pairs = Self(parts.map(pair).collect::<Result<_, Refusal>>()?);
        if pairs.encoded_len() > MAX_QUERY {
            return Err(format!("The query string must not be longer than {MAX_QUERY} bytes when it is encoded."));
        }
        Ok(pairs)
    }

    /// Bytes of all but the marker in a link.
    fn encoded_len(&self) -> usize {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).map(str::len).sum::<usize>();
        let kept = self.pairs().filter(|(name, _)| *name != MARKER);
        kept.map(|(name, value)| encoded(name) + encoded(value) + "=&".len()).sum::<usize>().saturating_sub(1)
    }

    /// The last value given under a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next_back()
    }

    /// All values given under a name.
    pub(super) fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// All pairs.
    pub(super) fn pairs(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn decoded(text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| UNDECODABLE)?;
    if text.contains('\0') { Err(UNDECODABLE.to_owned()) } else { Ok(text.into_owned()) }
}

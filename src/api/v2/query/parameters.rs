//! A query string taken apart.

use percent_encoding::percent_decode_str;

use super::Refusal;

/// Longest query string that is looked into, in bytes.
pub(crate) const MAX_QUERY: usize = 32 * 1024;
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
        if query.len() > MAX_QUERY {
            return Err(format!("The query string must not be longer than {MAX_QUERY} bytes."));
        }
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(name)?, decoded(value)?))
        };
        query.split('&').filter(|part| !part.is_empty()).map(pair).collect::<Result<_, _>>().map(Self)
    }

    /// The last value given under a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
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

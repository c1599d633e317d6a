//! `Range` and `If-Range` of a request for an image's data (v2-images §8.2, RFC 9110 §14.2).
//!
//! Read by hand, as Glance's clients know it from its library: the unit in any case, blanks tolerated, `-0` the
//! whole, and whatever else follows ignored; the crates that read ranges are stricter.

use std::ops::Range;

use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};

use super::error::ApiError;
use crate::images::Wanted;
use crate::model::RangeSpec;

/// Why a `Range` is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It names several.
    Several,
    /// It names none.
    NoRange,
}

/// Of [`Unusable::Several`].
pub(super) const SEVERAL: &str = "Requests with multiple ranges are not supported in Glance. You may make multiple \
                                  single-range requests instead.";
/// Of [`Unusable::NoRange`].
pub(super) const NO_RANGE: &str = "Invalid Range header.";

/// The part that the request asks for; `None`: it asks for all.
///
/// # Errors
/// 416 for what is no range of bytes, 400 for several; but with `If-Range` such a wish is only ignored, as it may be for
/// data that is no more.
pub(super) fn wanted(headers: &HeaderMap) -> Result<Option<Wanted>, ApiError> {
    let only_if = headers.get(IF_RANGE).map(validator);
    match single(headers) {
        Ok(range) => Ok(range.map(|range| Wanted { range, only_if })),
        Err(_) if only_if.is_some() => Ok(None),
        Err(Unusable::Several) => Err(ApiError::bad_request(SEVERAL)),
        Err(Unusable::NoRange) => Err(ApiError::range_not_satisfiable(NO_RANGE)),
    }
}

/// The bytes that `Range` names, if there is one.
pub(super) fn single(headers: &HeaderMap) -> Result<Option<RangeSpec>, Unusable> {
    let mut ranges = headers.get_all(RANGE).iter();
    let Some(range) = ranges.next() else { return Ok(None) };
    let text = range.to_str().unwrap_or("");
    if ranges.next().is_some() || text.contains(',') {
        return Err(Unusable::Several);
    }
    parse(text).map(Some).ok_or(Unusable::NoRange)
}

/// `Content-Range` of an answer that has this part of an image of `size` bytes.
pub(super) fn content_range(part: &Range<u64>, size: u64) -> HeaderValue {
    // Digits and signs only: always a header's value.
    HeaderValue::from_str(&format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1)))
        .unwrap_or(HeaderValue::from_static("bytes */*"))
}

/// The entity tag in `If-Range`, with or without the quotes that v1 never had. A date, or a weak tag, is that of no image,
/// so that its sender gets all.
fn validator(value: &HeaderValue) -> String {
    let text = value.to_str().unwrap_or("").trim();
    let unquoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    unquoted.unwrap_or(text).to_owned()
}

fn parse(text: &str) -> Option<RangeSpec> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim(), leading_digits(last.trim_start()));
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (first.is_empty(), last.is_empty()) {
        (true, true) => None,
        (true, false) => Some(RangeSpec::Last(number(last)?)),
        (false, true) => Some(RangeSpec::From { first: number(first)?, last: None }),
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(RangeSpec::From { first, last: Some(last) })
        }
    }
}

/// What follows the last byte is nobody's concern.
fn leading_digits(text: &str) -> &str {
    text.find(|c: char| !c.is_ascii_digit()).map_or(text, |end| &text[..end])
}

/// Digits only; a number beyond all images is as good as the largest.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn parsed(text: &str) -> Result<RangeSpec, StatusCode> {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_str(text).unwrap())]);
        wanted(&headers).map(|wanted| wanted.unwrap().range).map_err(|error| error.status)
    }

    #[test]
    fn a_single_range_is_understood() {
        let from = |first, last| Ok(RangeSpec::From { first, last });
        assert_eq!(parsed("bytes=0-4"), from(0, Some(4)));
        assert_eq!(parsed("BYTES = 5 - "), from(5, None));
        assert_eq!(parsed("bytes=5-99999999999999999999999"), from(5, Some(u64::MAX)));
        assert_eq!(parsed("bytes=-3"), Ok(RangeSpec::Last(3)));
        assert_eq!(parsed("bytes=-0"), Ok(RangeSpec::Last(0)));
        assert_eq!(parsed("bytes=1-2-3"), from(1, Some(2)));
        assert_eq!(parsed("bytes=1-x"), from(1, None));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=+1-2", "bytes=-x", "lines=0-4"]
        {
            assert_eq!(parsed(text), Err(StatusCode::RANGE_NOT_SATISFIABLE), "{text}");
        }
        for text in ["bytes=0-1,3-4", "bytes=0-1,", ","] {
            assert_eq!(parsed(text), Err(StatusCode::BAD_REQUEST), "{text}");
        }
    }

    #[test]
    fn a_condition_forgives_what_is_no_range() {
        for text in ["bytes=5-2", "bytes=0-1,3-4"] {
            let headers = [(RANGE, HeaderValue::from_static(text)), (IF_RANGE, HeaderValue::from_static("abc"))];
            assert_eq!(wanted(&HeaderMap::from_iter(headers)).unwrap(), None);
        }
    }

    #[test]
    fn a_validator_is_read_with_and_without_quotes() {
        for (text, tag) in [("\"abc\"", "abc"), ("abc", "abc"), ("W/\"abc\"", "W/\"abc\""), ("\"", "\"")] {
            assert_eq!(validator(&HeaderValue::from_static(text)), tag);
        }
    }
}

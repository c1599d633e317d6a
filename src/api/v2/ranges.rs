//! The part of an image that a request of v2 asks for (v2-images §8.2): by `Range`, and by `Content-Range`, as clients of
//! long ago have it. Conditions are nobody's concern here.

use http::header::{CONTENT_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};

use super::body::explained;
use crate::api::error::ApiError;
use crate::api::range::{NO_RANGE, SEVERAL, Unusable, number, single};
use crate::images::Wanted;
use crate::model::RangeSpec;

/// The part of an image of `size` bytes, if that is known; `None`: the request asks for all.
pub(super) fn wanted(headers: &HeaderMap, size: Option<u64>) -> Result<Option<Wanted>, ApiError> {
    let range = match single(headers) {
        Ok(Some(range)) => Some(range),
        Ok(None) => old_style(headers, size)?,
        // Said, and yet nothing said.
        Err(Unusable::NoRange) if headers.get(RANGE).is_some_and(HeaderValue::is_empty) => None,
        Err(Unusable::Several) => return Err(explained(SEVERAL)),
        Err(Unusable::NoRange) => return Err(ApiError::range_not_satisfiable(NO_RANGE)),
    };
    Ok(range.map(|range| Wanted { range, only_if: None }))
}

fn old_style(headers: &HeaderMap, size: Option<u64>) -> Result<Option<RangeSpec>, ApiError> {
    let Some(value) = headers.get(CONTENT_RANGE) else { return Ok(None) };
    let unusable = || ApiError::range_not_satisfiable("Invalid Content-Range header.");
    let (first, last, whole) = value.to_str().ok().and_then(parse).ok_or_else(unusable)?;
    let Some(size) = size else { return Ok(Some(RangeSpec::From { first, last: Some(last) })) };
    let beyond = |end: &str, begin: &str| {
        let largest = i128::from(size) - 1;
        let text = format!(
            "Invalid {end} position in Content-Range header. {begin} position MUST be in the inclusive range [0, \
             {largest}]."
        );
        Err(ApiError::range_not_satisfiable(text))
    };
    match whole {
        None if last >= size => beyond("stop", "The stop"),
        _ if first >= size => beyond("start", "Start"),
        _ => Ok(Some(RangeSpec::From { first, last: Some(last) })),
    }
}

/// First byte, last byte, and the size of the whole if it is named.
fn parse(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, whole) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first.trim())?, number(last.trim())?);
    let whole = match whole.trim() {
        "*" => None,
        size => Some(number(size)?),
    };
    let fits = unit.eq_ignore_ascii_case("bytes") && first <= last && whole.is_none_or(|whole| last < whole);
    fits.then_some((first, last, whole))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn of(headers: &[(http::HeaderName, &'static str)]) -> Result<Option<RangeSpec>, (StatusCode, String)> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        match wanted(&headers, Some(10)) {
            Ok(wanted) => Ok(wanted.map(|wanted| wanted.range)),
            Err(error) => Err((error.status, error.explanation.unwrap_or(error.detail))),
        }
    }

    #[test]
    fn the_old_header_counts_where_the_new_one_is_missing() {
        let from = |first, last| Ok(Some(RangeSpec::From { first, last: Some(last) }));
        assert_eq!(of(&[]), Ok(None));
        for text in ["bytes 2-4/10", "BYTES 2-4/*", "bytes 2 - 4 / 10"] {
            assert_eq!(of(&[(CONTENT_RANGE, text)]), from(2, 4), "{text}");
        }
        assert_eq!(of(&[(CONTENT_RANGE, "bytes 5-99/100")]), from(5, 99));
        assert_eq!(of(&[(CONTENT_RANGE, "junk"), (RANGE, "bytes=0-1")]), from(0, 1));
    }

    #[test]
    fn what_the_image_does_not_have_is_416() {
        for (text, told) in [
            ("bytes 2-10/*", "Invalid stop position in Content-Range header. The stop position MUST be"),
            ("bytes 10-11/12", "Invalid start position in Content-Range header. Start position MUST be"),
            ("bytes */10", "Invalid Content-Range header."),
            ("bytes 4-2/10", "Invalid Content-Range header."),
            ("bytes 2-10/10", "Invalid Content-Range header."),
            ("lines 2-4/10", "Invalid Content-Range header."),
            ("", "Invalid Content-Range header."),
        ] {
            let (status, said) = of(&[(CONTENT_RANGE, text)]).unwrap_err();
            assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE, "{text}");
            assert!(said.starts_with(told), "{text}: {said}");
        }
    }

    #[test]
    fn several_ranges_are_a_bad_request() {
        let (status, said) = of(&[(RANGE, "bytes=0-1,3-4")]).unwrap_err();
        assert_eq!((status, said.as_str()), (StatusCode::BAD_REQUEST, SEVERAL));
    }
}

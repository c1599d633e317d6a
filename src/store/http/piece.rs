//! Which bytes of an answer make the asked range: origins may ignore a `Range`, or serve another one.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, HeaderName, HeaderValue};

use crate::store::{ByteRange, Error, Result};

/// What to take of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Bytes to pass over first.
    pub(super) skip: u64,
    /// Bytes to take then; `None`: all there are.
    pub(super) take: Option<u64>,
    /// Whether a body that ends before that is cut short.
    pub(super) exact: bool,
    /// Bytes of the whole object, if announced.
    pub(super) object_size: Option<u64>,
}

/// The `Range` to ask for; none for a whole object, nor for an empty range, which has no way to be written.
pub(super) fn request_header(range: ByteRange) -> Option<HeaderValue> {
    let last = match range.len {
        Some(0) => return None,
        None if range.start == 0 => return None,
        Some(len) => range.start.saturating_add(len - 1).to_string(),
        None => String::new(),
    };
    HeaderValue::from_str(&format!("bytes={}-{last}", range.start)).ok()
}

impl Piece {
    /// What the answer to a request for `range` holds of it.
    pub(super) fn of(range: ByteRange, status: StatusCode, headers: &HeaderMap) -> Result<Self> {
        let ranged = request_header(range).is_some();
        match status {
            StatusCode::NOT_FOUND => Err(Error::NotFound("HTTP datastore could not find image at URI.".to_owned())),
            StatusCode::RANGE_NOT_SATISFIABLE if ranged => Ok(Self::beyond_the_end(headers)),
            StatusCode::PARTIAL_CONTENT if ranged => Self::of_partial(range, headers),
            StatusCode::PARTIAL_CONTENT => Err(unexpected(status)),
            status if status.is_success() => Ok(Self::of_whole(range, headers)),
            status if status.is_redirection() => Err(Error::BadLocation(format!(
                "The http location answers {}, a redirect that is not followed",
                status.as_u16()
            ))),
            status => Err(unexpected(status)),
        }
    }

    fn of_whole(range: ByteRange, headers: &HeaderMap) -> Self {
        let object_size = text(headers, &CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        let rest = object_size.map(|size| size.saturating_sub(range.start));
        let take = match (rest, range.len) {
            (Some(rest), Some(len)) => Some(rest.min(len)),
            (rest, len) => rest.or(len),
        };
        Self { skip: range.start, take, exact: rest.is_some(), object_size }
    }

    fn of_partial(range: ByteRange, headers: &HeaderMap) -> Result<Self> {
        let served = text(headers, &CONTENT_RANGE).and_then(served_range).filter(|served| {
            let asked_last = range.len.map(|len| range.start.saturating_add(len - 1));
            let at_the_end = served.size.is_some_and(|size| served.last + 1 == size);
            served.first == range.start
                && asked_last.is_none_or(|last| served.last <= last)
                && (asked_last == Some(served.last) || at_the_end || served.size.is_none())
        });
        let served = served.ok_or_else(|| unexpected(StatusCode::PARTIAL_CONTENT))?;
        Ok(Self { skip: 0, take: Some(served.last - served.first + 1), exact: true, object_size: served.size })
    }

    fn beyond_the_end(headers: &HeaderMap) -> Self {
        let object_size = text(headers, &CONTENT_RANGE)
            .and_then(|range| range.strip_prefix("bytes */"))
            .and_then(|size| size.parse().ok());
        Self { skip: 0, take: Some(0), exact: true, object_size }
    }
}

struct Served {
    first: u64,
    last: u64,
    size: Option<u64>,
}

/// `bytes first-last/size`, where `*` is an unknown size.
fn served_range(header: &str) -> Option<Served> {
    let (range, size) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let size: Option<u64> = if size == "*" { None } else { Some(size.parse().ok()?) };
    let sound = first <= last && last < u64::MAX && size.is_none_or(|size| last < size);
    sound.then_some(Served { first, last, size })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn unexpected(status: StatusCode) -> Error {
    Error::Unavailable(format!("The remote server where the image is answered unexpectedly: {}", status.as_u16()))
}

#[cfg(test)]
mod tests {
    use super::{ByteRange, CONTENT_LENGTH, CONTENT_RANGE, Error, HeaderMap, Piece, StatusCode, request_header};

    fn range(start: u64, len: Option<u64>) -> ByteRange {
        ByteRange { start, len }
    }

    fn partial(asked: ByteRange, content_range: &str) -> Result<Piece, Error> {
        let headers = HeaderMap::from_iter([(CONTENT_RANGE, content_range.parse().unwrap())]);
        Piece::of(asked, StatusCode::PARTIAL_CONTENT, &headers)
    }

    fn whole(asked: ByteRange, length: Option<u64>) -> Piece {
        let headers = length.map(|length| (CONTENT_LENGTH, length.into()));
        Piece::of(asked, StatusCode::OK, &headers.into_iter().collect()).unwrap()
    }

    #[test]
    fn ranges_are_asked_for_where_there_is_one() {
        let header = |start, len| request_header(range(start, len)).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header(0, None), None);
        assert_eq!(header(7, Some(0)), None);
        assert_eq!(header(7, None).as_deref(), Some("bytes=7-"));
        assert_eq!(header(0, Some(1)).as_deref(), Some("bytes=0-0"));
        assert_eq!(header(2, Some(3)).as_deref(), Some("bytes=2-4"));
    }

    #[test]
    fn the_range_is_cut_out_of_a_whole_object() {
        let piece = |skip, take, exact, object_size| Piece { skip, take, exact, object_size };
        assert_eq!(whole(range(0, None), Some(10)), piece(0, Some(10), true, Some(10)));
        assert_eq!(whole(range(4, Some(3)), Some(10)), piece(4, Some(3), true, Some(10)));
        assert_eq!(whole(range(8, Some(9)), Some(10)), piece(8, Some(2), true, Some(10)));
        assert_eq!(whole(range(12, None), Some(10)), piece(12, Some(0), true, Some(10)));
        assert_eq!(whole(range(0, None), None), piece(0, None, false, None));
        assert_eq!(whole(range(4, Some(3)), None), piece(4, Some(3), false, None));
    }

    #[test]
    fn a_partial_answer_must_be_the_range() {
        let asked = range(4, Some(3));
        let piece = |take, object_size| Piece { skip: 0, take: Some(take), exact: true, object_size };
        assert_eq!(partial(asked, "bytes 4-6/10").unwrap(), piece(3, Some(10)));
        assert_eq!(partial(asked, "bytes 4-5/6").unwrap(), piece(2, Some(6)));
        assert_eq!(partial(asked, "bytes 4-6/*").unwrap(), piece(3, None));
        assert_eq!(partial(range(4, None), "bytes 4-9/10").unwrap(), piece(6, Some(10)));
        for other in ["", "bytes 0-2/10", "bytes 4-9/10", "bytes 4-5/10", "bytes 4-3/10", "bytes 4-6/5", "lines 4-6/10"]
        {
            assert!(matches!(partial(asked, other), Err(Error::Unavailable(_))), "{other}");
        }
        assert!(partial(range(4, None), "bytes 4-8/10").is_err());
        assert!(partial(range(0, None), "bytes 0-9/10").is_err(), "not asked for");
    }
}

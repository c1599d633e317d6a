//! `Range` and `Content-Range` of downloads, of both APIs.

use fuzzing::Target;
use http::header::{CONTENT_RANGE, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::kind;
use crate::api::error::ApiError;
use crate::api::range;
use crate::api::v2::ranges::wanted;
use crate::images::Wanted;

const WORDS: [&str; 12] =
    ["bytes=", "bytes ", "-", "/", "*", "*/", ",", "0", "9", "10", "18446744073709551615", "BYTES="];

#[test]
fn no_range_leads_out_of_the_image() {
    let target = Target::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/ranges"));
    target.words(WORDS).run(|input| {
        let mut lines = input.split(|byte| *byte == b'\n');
        let mut header = |name: HeaderName| Some((name, HeaderValue::from_bytes(lines.next()?).ok()?));
        let headers = [header(RANGE), header(CONTENT_RANGE)];
        let new = HeaderMap::from_iter(headers[0].clone());
        let old = HeaderMap::from_iter(headers[1].clone());
        let both = HeaderMap::from_iter(headers.into_iter().flatten());
        let mut outcome = Vec::new();
        for size in [0, 1, 10, u64::MAX] {
            for headers in [&new, &old, &both] {
                outcome.push(part(wanted(headers, Some(size)), size));
            }
            // What is checked against a size is of an image that has it.
            if let (Ok(Some(wanted)), 1..) = (wanted(&old, Some(size)), size) {
                assert!(wanted.range.within(size).is_some(), "{wanted:?} of {size}");
            }
            outcome.push(part(wanted(&both, None), size));
            outcome.push(part(range::wanted(&new), size));
        }
        let mut conditional = new;
        conditional.insert(IF_RANGE, HeaderValue::from_static("abc"));
        assert!(range::wanted(&conditional).is_ok(), "a condition forgives");
        outcome
    });
}

/// What is left of the wish in an image of `size` bytes.
fn part(wanted: Result<Option<Wanted>, ApiError>, size: u64) -> String {
    match wanted {
        Ok(None) => "all".to_owned(),
        Ok(Some(wanted)) => match wanted.range.within(size) {
            None => "behind the end".to_owned(),
            Some(part) => {
                assert!(part.start < part.end && part.end <= size, "{part:?} of {size}");
                let said = range::content_range(&part, size);
                assert_ne!(said, "bytes */*");
                format!("part{}{}", part.start == 0, part.end == size)
            }
        },
        Err(refusal) => {
            assert!([400, 416].contains(&refusal.status.as_u16()), "{refusal:?}");
            kind(&refusal.explanation.unwrap_or(refusal.detail))
        }
    }
}

//! Times as v1 writes and reads them: UTC, without a zone in answers (v1-api §1, §9.1).

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// `YYYY-MM-DDTHH:MM:SS.ffffff`, without the fraction when it is zero.
pub(crate) fn isoformat(time: NaiveDateTime) -> String {
    let micros = time.nanosecond() / 1000;
    let layout = if micros == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
    time.format(layout).to_string()
}

/// Reads `YYYY-MM-DD`, optionally any one separator and `HH:MM[:SS[.frac]]`, optionally `Z` or `±HH:MM`.
///
/// The result is UTC in whole microseconds, the finest the database holds. `None`: not such a time.
pub(crate) fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let mut rest = rest.chars();
    if rest.next().is_none() {
        return Some(date.and_time(NaiveTime::MIN));
    }
    let (time, offset) = split_zone(rest.as_str())?;
    let time =
        NaiveTime::parse_from_str(time, "%H:%M:%S%.f").or_else(|_| NaiveTime::parse_from_str(time, "%H:%M")).ok()?;
    let time = time.with_nanosecond(time.nanosecond() / 1000 * 1000)?;
    date.and_time(time).checked_sub_offset(offset)
}

/// The time of day and its zone; no zone means UTC.
fn split_zone(text: &str) -> Option<(&str, FixedOffset)> {
    let utc = FixedOffset::east_opt(0)?;
    if let Some(time) = text.strip_suffix('Z') {
        return Some((time, utc));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, utc)) };
    let (time, zone) = text.split_at(at);
    // chrono reads a zone only as a part of a full time, and more spellings than v1 did: six characters is `±HH:MM`.
    let whole = (zone.len() == 6).then(|| format!("2000-01-01T00:00:00{zone}"))?;
    let offset = *DateTime::parse_from_rfc3339(&whole).ok()?.offset();
    Some((time, offset))
}

#[cfg(test)]
mod tests {
    use super::{isoformat, parse_time};

    #[test]
    fn a_zero_fraction_is_left_out() {
        for text in ["2012-02-20T18:06:51", "2012-02-20T18:06:51.000001", "2012-02-20T18:06:51.120000"] {
            assert_eq!(isoformat(parse_time(text).unwrap()), text);
        }
    }

    #[test]
    fn every_accepted_form_becomes_utc() {
        for (text, utc) in [
            ("2012-02-20", "2012-02-20T00:00:00"),
            ("2012-02-20T18:06", "2012-02-20T18:06:00"),
            ("2012-02-20 18:06:51", "2012-02-20T18:06:51"),
            ("2012-02-20T18:06:51Z", "2012-02-20T18:06:51"),
            ("2012-02-20T18:06:51.1234567Z", "2012-02-20T18:06:51.123456"),
            ("2012-02-20T18:06:51.5+02:30", "2012-02-20T15:36:51.500000"),
            ("2012-02-20T18:06-08:00", "2012-02-21T02:06:00"),
        ] {
            assert_eq!(parse_time(text).map(isoformat).as_deref(), Some(utc), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "yesterday",
            "2012-02-30",
            "2012-02-20T",
            "2012-02-20T25:00",
            "2012-02-20T18:06:51+2",
            "2012-02-20T18:06:51+0200",
            "2012-02-20T18:06:51ZZ",
            "2012-02-2\u{e9}",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}

//! A stretch of an image, as clients ask for it (RFC 9110 §14.1.2).

use std::ops::Range;

/// One range of bytes of something whose size need not be known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeSpec {
    /// From the byte at `first` to that at `last`, both included, or to the end.
    From { first: u64, last: Option<u64> },
    /// This many bytes before the end; of 0 the whole (v2-images §8.2).
    Last(u64),
}

impl RangeSpec {
    /// The bytes of it that something of `size` bytes has, never none; `None`: it begins behind the end.
    pub(crate) fn within(self, size: u64) -> Option<Range<u64>> {
        let part = match self {
            Self::From { first, last } => first..last.map_or(size, |last| size.min(last.saturating_add(1))),
            Self::Last(0) => 0..size,
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (part.start < part.end).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(first: u64, last: impl Into<Option<u64>>) -> RangeSpec {
        RangeSpec::From { first, last: last.into() }
    }

    #[test]
    fn a_range_is_cut_at_the_end() {
        for (spec, part) in [
            (from(0, 4), Some(0..5)),
            (from(5, None), Some(5..10)),
            (from(5, 100), Some(5..10)),
            (from(5, u64::MAX), Some(5..10)),
            (from(9, 9), Some(9..10)),
            (from(10, None), None),
            (from(10, 12), None),
            (from(u64::MAX, None), None),
            (RangeSpec::Last(3), Some(7..10)),
            (RangeSpec::Last(10), Some(0..10)),
            (RangeSpec::Last(100), Some(0..10)),
            (RangeSpec::Last(0), Some(0..10)),
        ] {
            assert_eq!(spec.within(10), part, "{spec:?}");
        }
    }

    #[test]
    fn of_nothing_there_is_no_part() {
        for spec in [from(0, None), from(0, 0), RangeSpec::Last(0), RangeSpec::Last(1)] {
            assert_eq!(spec.within(0), None, "{spec:?}");
        }
    }
}

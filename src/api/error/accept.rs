//! Content negotiation by `Accept` (RFC 9110 §12.5.1), as far as errors need it: too little for a library.

/// The place of the media type among `offers` that a client wants most; of equals the first. `None`: it wants none of them.
/// A header that cannot be understood is none, which wants all of them.
pub(in crate::api) fn preferred(accept: &str, offers: &[(&str, &str)]) -> Option<usize> {
    if accept.trim().is_empty() {
        return None;
    }
    let Some(ranges) = accept.split(',').map(Range::parse).collect::<Option<Vec<Range>>>() else {
        return Some(0);
    };
    let mut best = None;
    for (place, offer) in offers.iter().enumerate() {
        let fitting = ranges.iter().filter_map(|range| Some((range.fits(offer)?, range.quality)));
        // The most specific range decides how much an offer is wanted.
        let quality = fitting.max_by_key(|(precision, _)| *precision).map_or(0, |(_, quality)| quality);
        if quality > best.map_or(0, |(_, quality)| quality) {
            best = Some((place, quality));
        }
    }
    best.map(|(place, _)| place)
}

/// One media range of the header.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// It names a variant of the type, which no offer is.
    variant: bool,
    /// Thousandths.
    quality: u32,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        if kind.is_empty() || subtype.is_empty() {
            return None;
        }
        let (mut quality, mut variant) = (1000, false);
        for part in parts {
            match part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")) {
                Some(value) => quality = thousandths(value)?,
                None => variant = true,
            }
        }
        Some(Self { kind, subtype, variant, quality })
    }

    /// How precisely it names the offer; `None` if it does not.
    fn fits(&self, (kind, subtype): &(&str, &str)) -> Option<u8> {
        match (self.kind, self.subtype) {
            _ if self.variant => None,
            ("*", "*") => Some(0),
            (own, "*") => own.eq_ignore_ascii_case(kind).then_some(1),
            (own, sub) => (own.eq_ignore_ascii_case(kind) && sub.eq_ignore_ascii_case(subtype)).then_some(2),
        }
    }
}

/// A `qvalue`: 0 to 1 with up to three digits behind the point.
fn thousandths(text: &str) -> Option<u32> {
    let value: f64 = text.parse().ok()?;
    (0.0..=1.0).contains(&value).then_some((value * 1000.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use fuzzing::Target;

    use super::preferred;

    #[test]
    fn whatever_is_accepted_one_of_the_offers_is_given() {
        let offers = [("text", "html"), ("application", "json")];
        let target = Target::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/accept"));
        let words =
            ["text/html", "application/json", "application/*", "*/*", ";q=", "; q=0", ";q=1.000", ";q=nan", ", ", ";"];
        target.words(words).run(|input| {
            let accept = String::from_utf8_lossy(input);
            let best = preferred(&accept, &offers);
            assert!(best.is_none_or(|place| place < offers.len()));
            assert_eq!(preferred(&accept.to_ascii_uppercase(), &offers), best, "case means nothing");
            if !accept.trim().is_empty() {
                assert_eq!(
                    preferred(&format!("{accept}, image/png"), &offers),
                    best,
                    "what is not there means nothing"
                );
            }
            best
        });
    }

    #[test]
    fn the_most_wanted_offer_wins_and_the_first_of_equals() {
        let offers = [("text", "html"), ("application", "json")];
        for (accept, expected) in [
            ("", None),
            ("image/png", None),
            ("*/*", Some(0)),
            ("text/*", Some(0)),
            ("application/json", Some(1)),
            ("Application/JSON", Some(1)),
            ("application/json; charset=utf-8", None),
            ("application/json, */*", Some(0)),
            ("application/json, */*;q=0.5", Some(1)),
            ("text/html;q=0, */*", Some(1)),
            ("text/html;q=0.1, application/json;q=0.2", Some(1)),
            ("*/*;q=0", None),
            ("rubbish", Some(0)),
            ("application/json, /", Some(0)),
        ] {
            assert_eq!(preferred(accept, &offers), expected, "{accept}");
        }
    }
}

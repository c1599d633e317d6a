//! `%(key)s`, the interpolation of Python's ConfigParser, inside one file.
//!
//! Config files get the lenient form, [`expand_known`]: today's log formats are full of `%(asctime)s` that name no
//! key. Paste files get the strict one, [`expand_all`].

/// A value cut at its percent signs.
enum Piece<'a> {
    Text(&'a str),
    /// `%%`.
    Percent,
    /// The key of `%(key)s`.
    Key(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        pieces.push(Piece::Text(&rest[..at]));
        let after = &rest[at + 1..];
        let key = after.strip_prefix('(').and_then(|named| named.split_once(')'));
        if let Some(tail) = after.strip_prefix('%') {
            pieces.push(Piece::Percent);
            rest = tail;
        } else if let Some((key, tail)) = key.and_then(|(key, tail)| Some((key, tail.strip_prefix('s')?))) {
            pieces.push(Piece::Key(key));
            rest = tail;
        } else {
            pieces.push(Piece::Text("%"));
            rest = after;
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// In the value of `key`, replaces the keys that `lookup` knows and leaves the others as they stand. `%%` becomes `%`
/// only where a key was replaced, since a value without one was most likely never meant for this interpolation. A key
/// that leads back to itself is left as it stands.
pub(crate) fn expand_known<'a>(key: &'a str, text: &'a str, lookup: &impl Fn(&str) -> Option<&'a str>) -> String {
    known(text, lookup, &mut vec![key]).unwrap_or_else(|| text.to_owned())
}

/// `None` when nothing was replaced. `trail` holds the keys whose values are being expanded.
fn known<'a>(text: &'a str, lookup: &impl Fn(&str) -> Option<&'a str>, trail: &mut Vec<&'a str>) -> Option<String> {
    let mut replaced = false;
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Percent => out.push('%'),
            Piece::Key(key) => match lookup(key).filter(|_| !trail.contains(&key)) {
                Some(value) => {
                    replaced = true;
                    trail.push(key);
                    out.push_str(&known(value, lookup, trail).unwrap_or_else(|| value.to_owned()));
                    trail.pop();
                }
                None => out.push_str(&format!("%({key})s")),
            },
        }
    }
    replaced.then_some(out)
}

/// In the value of `key`, replaces every key and turns `%%` into `%`; other percent signs stay.
///
/// # Errors
/// What is wrong with the first key that `lookup` does not know or that leads back to itself.
pub(crate) fn expand_all<'a>(
    key: &'a str,
    text: &'a str,
    lookup: &impl Fn(&str) -> Option<&'a str>,
) -> Result<String, String> {
    all(text, lookup, &mut vec![key])
}

fn all<'a>(
    text: &'a str,
    lookup: &impl Fn(&str) -> Option<&'a str>,
    trail: &mut Vec<&'a str>,
) -> Result<String, String> {
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Percent => out.push('%'),
            Piece::Key(key) => {
                let value = lookup(key).ok_or_else(|| format!("there is no key for %({key})s"))?;
                if trail.contains(&key) {
                    return Err(format!("%({key})s leads back to itself"));
                }
                trail.push(key);
                out.push_str(&all(value, lookup, trail)?);
                trail.pop();
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(key: &str) -> Option<&'static str> {
        Some(match key {
            "a" => "A",
            "nested" => "<%(a)s>",
            "plain" => "50%% %(asctime)s",
            "loop" => "x%(pool)s",
            "pool" => "y%(loop)s",
            _ => return None,
        })
    }

    #[test]
    fn known_keys_are_replaced_others_stay() {
        for (text, expanded) in [
            ("", ""),
            ("%(a)s/%(a)s", "A/A"),
            ("%(nested)s 100%%", "<A> 100%"),
            ("%(asctime)s 100%%", "%(asctime)s 100%%"),
            ("%(asctime)s %(a)s", "%(asctime)s A"),
            ("%(a)d %(levelname)8s %", "%(a)d %(levelname)8s %"),
            ("%%(a)s", "%%(a)s"),
            ("%(a", "%(a"),
            ("%(plain)s", "50%% %(asctime)s"),
        ] {
            assert_eq!(expand_known("here", text, &lookup), expanded, "{text}");
        }
    }

    #[test]
    fn a_circle_of_keys_ends_where_it_closes() {
        assert_eq!(expand_known("here", "%(loop)s", &lookup), "xy%(loop)s");
        assert_eq!(expand_known("loop", "x%(pool)s", &lookup), "xy%(loop)s");
        assert_eq!(expand_known("a", "<%(a)s>", &lookup), "<%(a)s>");
    }

    #[test]
    fn the_strict_form_replaces_all_or_refuses() {
        assert_eq!(expand_all("here", "%(nested)s %%(a)s 5%", &lookup).unwrap(), "<A> %(a)s 5%");
        assert_eq!(expand_all("here", "%(b)s", &lookup).unwrap_err(), "there is no key for %(b)s");
        assert_eq!(expand_all("here", "%(loop)s", &lookup).unwrap_err(), "%(loop)s leads back to itself");
    }

    /// Text without a percent sign is never changed by either form.
    #[test]
    fn plain_text_passes_through() {
        for text in ["a", "(a)s", "$a ${b}", "\u{e9}\n;#", "a)s("] {
            assert_eq!(expand_known("here", text, &lookup), text);
            assert_eq!(expand_all("here", text, &lookup).unwrap(), text);
        }
    }
}

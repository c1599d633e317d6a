//! The right side of a check: text in which `%(name)s` stands for an attribute
//! of the target.

use std::fmt;

use crate::facts::Attributes;
use crate::python;

/// A parsed right side, split once so that judging a request parses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Attribute(String),
}

/// What a right side is for one target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rendered {
    Text(String),
    /// The target has no such attribute, so nothing is the same.
    Lacking,
    /// The attribute is a list or a mapping, of which nobody can say what it
    /// reads as: a fault, which no `not` makes a permission of.
    Unreadable,
}

impl Template {
    /// Reads `%(name)s` and `%%`, the only conversions rules are written with.
    /// Any other `%` is an error, told in words.
    pub(crate) fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((text, conversion)) = rest.split_once('%') {
            parts.push(Part::Text(text.to_owned()));
            if let Some(after) = conversion.strip_prefix('%') {
                parts.push(Part::Text("%".to_owned()));
                rest = after;
            } else if let Some((name, after)) = conversion
                .strip_prefix('(')
                .and_then(|named| named.split_once(")s"))
                .filter(|(name, _)| !name.contains(')'))
            {
                parts.push(Part::Attribute(name.to_owned()));
                rest = after;
            } else {
                return Err(format!("{source:?} has a '%' that begins neither '%(name)s' nor '%%'"));
            }
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Whether it is the same for every target.
    pub(crate) fn is_fixed(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// The text for this target.
    pub(crate) fn render(&self, target: &dyn Attributes) -> Rendered {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Attribute(name) => {
                    let Some(value) = target.attribute(name) else { return Rendered::Lacking };
                    match python::text(&value) {
                        Some(text) => out.push_str(&text),
                        None => return Rendered::Unreadable,
                    }
                }
            }
        }
        Rendered::Text(out)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(&text.replace('%', "%%")),
            Part::Attribute(name) => write!(f, "%({name})s"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Target;

    #[test]
    fn render() {
        let target = Target::default()
            .with("id", "7f")
            .with("owner", None::<String>)
            .with("protected", true)
            .with("size", 42)
            .with("tags", vec!["a"]);
        for (source, expected) in [
            ("", "".to_owned()),
            ("admin", "admin".to_owned()),
            ("%(id)s", "7f".to_owned()),
            ("a-%(id)s-b%(size)s", "a-7f-b42".to_owned()),
            ("%(owner)s", "None".to_owned()),
            ("%(protected)s", "True".to_owned()),
            ("100%%", "100%".to_owned()),
            ("%%(id)s", "%(id)s".to_owned()),
        ] {
            let template = Template::parse(source).unwrap();
            assert_eq!(template.render(&target), Rendered::Text(expected), "{source}");
        }
        let of = |source| Template::parse(source).unwrap().render(&target);
        assert_eq!(of("%(missing)s"), Rendered::Lacking);
        assert_eq!(of("%(tags)s"), Rendered::Unreadable);
    }

    #[test]
    fn malformed() {
        for source in ["%", "50%", "%s", "%(id", "%(id)", "%(id)d", "%(a)d%(b)s"] {
            assert!(Template::parse(source).is_err(), "{source}");
        }
    }
}

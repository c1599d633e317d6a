//! The right side of a check: text in which `%(name)s` stands for an attribute
//! of the target.

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

    /// The text for this target; `None` when it lacks an attribute.
    pub(crate) fn render(&self, target: &dyn Attributes) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Attribute(name) => out.push_str(&python::text(&*target.attribute(name)?)?),
            }
        }
        Some(out)
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
            ("", Some("")),
            ("admin", Some("admin")),
            ("%(id)s", Some("7f")),
            ("a-%(id)s-b%(size)s", Some("a-7f-b42")),
            ("%(owner)s", Some("None")),
            ("%(protected)s", Some("True")),
            ("100%%", Some("100%")),
            ("%%(id)s", Some("%(id)s")),
            ("%(missing)s", None),
            ("%(tags)s", None),
        ] {
            let template = Template::parse(source).unwrap();
            assert_eq!(template.render(&target).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn malformed() {
        for source in ["%", "50%", "%s", "%(id", "%(id)", "%(id)d", "%(a)d%(b)s"] {
            assert!(Template::parse(source).is_err(), "{source}");
        }
    }
}

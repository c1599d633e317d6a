//! A rule as a tree, and the reading of its leaves.

use std::fmt;

use crate::python;
use crate::template::Template;

/// One node of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    True,
    False,
    /// The credentials hold this role, whatever its case.
    Role(Template),
    /// Whatever the rule of this name says.
    Rule(String),
    /// Left and right are the same text.
    Generic {
        left: Operand,
        right: Template,
    },
    /// Another server says so; its URL.
    Remote(Template),
    /// A fault in the policy, told in words. It has no verdict.
    Unusable(String),
    Not(Box<Check>),
    And(Vec<Check>),
    Or(Vec<Check>),
}

/// The left side of a generic check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    /// The text of a Python literal.
    Literal(String),
    /// Where to look in the credentials, outermost key first.
    Path(Vec<String>),
}

impl Check {
    /// Reads one leaf: `@`, `!` or `kind:match`.
    pub(crate) fn leaf(source: &str) -> Self {
        match source {
            "@" => Self::True,
            "!" => Self::False,
            _ => Self::pair(source).unwrap_or_else(Self::Unusable),
        }
    }

    fn pair(source: &str) -> Result<Self, String> {
        let (kind, right) = source.split_once(':').ok_or_else(|| format!("{source:?} is no check: it has no ':'"))?;
        match kind {
            "" => Err(format!("{source:?} has nothing before its ':'")),
            "role" => Ok(Self::Role(Template::parse(right)?)),
            "rule" => Ok(Self::Rule(right.to_owned())),
            // What a URL holds may be secret, so it is not told.
            "http" | "https" => Template::parse(source)
                .map(Self::Remote)
                .map_err(|_| "a URL has a '%' that begins neither '%(name)s' nor '%%'".to_owned()),
            _ => Ok(Self::Generic { left: Operand::parse(kind)?, right: Template::parse(right)? }),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(&path.join(".")),
            // Quotes are what keeps a text from being the name of a value.
            Self::Literal(text) if python::literal(text).as_ref() == Some(text) => f.write_str(text),
            Self::Literal(text) if text.contains('\'') => write!(f, "\"{text}\""),
            Self::Literal(text) => write!(f, "'{text}'"),
        }
    }
}

/// Whether this can be the name of a value: it begins like a word, and has nothing else in it.
fn is_name(part: &str) -> bool {
    part.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

impl Operand {
    fn parse(source: &str) -> Result<Self, String> {
        match python::literal(source) {
            Some(literal) => Ok(Self::Literal(literal)),
            // Python knows more literals than these; what may be one is no name of a value.
            None if !source.split('.').all(is_name) => Err(format!("{source} is neither a literal nor a name")),
            None => Ok(Self::Path(source.split('.').map(str::to_owned).collect())),
        }
    }
}

//! Words of the text syntax.
//!
//! oslo.policy splits at white space alone and then takes parentheses off the
//! ends of each word, which is why `%(name)s` needs no quoting.

use crate::check::Check;

/// One word, or one parenthesis taken off a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Check(Check),
    /// A word in quotes, which the grammar has no place for.
    Quoted(String),
}

impl Token {
    /// The words of a rule, in order.
    pub(crate) fn split(rule: &str) -> Vec<Self> {
        let mut tokens = Vec::new();
        for word in rule.split_whitespace() {
            let opened = word.trim_start_matches('(');
            let bare = opened.trim_end_matches(')');
            tokens.extend((opened.len()..word.len()).map(|_| Self::Open));
            if !bare.is_empty() {
                // Quotes count only around the word with its closing parentheses.
                tokens.push(match unquoted(opened) {
                    Some(text) => Self::Quoted(text.to_owned()),
                    None => Self::word(bare),
                });
            }
            tokens.extend((bare.len()..opened.len()).map(|_| Self::Close));
        }
        tokens
    }

    fn word(word: &str) -> Self {
        match word.to_lowercase().as_str() {
            "and" => Self::And,
            "or" => Self::Or,
            "not" => Self::Not,
            _ => Self::Check(Check::leaf(word)),
        }
    }
}

fn unquoted(word: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| word.strip_prefix(quote)?.strip_suffix(quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str) -> Token {
        Token::Check(Check::leaf(source))
    }

    #[test]
    fn split() {
        use Token::{And, Close, Not, Open, Or};
        for (rule, expected) in [
            ("", vec![]),
            (" \t\n", vec![]),
            ("role:a", vec![check("role:a")]),
            ("a:b AND c:d", vec![check("a:b"), And, check("c:d")]),
            ("Not @ oR !", vec![Not, check("@"), Or, check("!")]),
            ("((a:b))", vec![Open, Open, check("a:b"), Close, Close]),
            ("( a:%(b)s )", vec![Open, check("a:%(b)s"), Close]),
            ("(a:%(b)s)", vec![Open, check("a:%(b)s"), Close]),
            ("()", vec![Open, Close]),
            ("'x'", vec![Token::Quoted("x".to_owned())]),
            ("\"a:b\"", vec![Token::Quoted("a:b".to_owned())]),
            ("('x')", vec![Open, check("'x'"), Close]),
            ("'x':y", vec![check("'x':y")]),
        ] {
            assert_eq!(Token::split(rule), expected, "{rule}");
        }
    }
}

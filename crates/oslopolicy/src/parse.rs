//! From the value of a rule to its tree: the text syntax and the older list
//! syntax.

use std::iter::Peekable;
use std::vec;

use serde_json::Value;

use crate::check::Check;
use crate::token::Token;

/// How deep parentheses and `not` may nest; keeps the recursion off the end of
/// the stack.
const MAX_DEPTH: usize = 64;

/// The tree of a rule. `None` when the value has no form the language knows.
pub(crate) fn value(value: &Value) -> Option<Check> {
    match value {
        Value::String(rule) => Some(text(rule)),
        Value::Array(alternatives) => list(alternatives),
        _ => None,
    }
}

/// The tree of a rule in text syntax; one that cannot be parsed is unusable.
pub(crate) fn text(rule: &str) -> Check {
    // Only truly empty text permits: white space is a rule somebody lost.
    if rule.is_empty() {
        return Check::True;
    }
    let mut parser = Parser(Token::split(rule).into_iter().peekable());
    match parser.rule() {
        Ok(check) => check,
        Err(reason) => Check::Unusable(format!("cannot parse {rule:?}: {reason}")),
    }
}

/// Alternatives, each one check or a list of checks that must all hold. Empty
/// alternatives do not count, so a list of nothing else permits nobody.
fn list(alternatives: &[Value]) -> Option<Check> {
    if alternatives.is_empty() {
        return Some(Check::True);
    }
    let mut any = Vec::new();
    for alternative in alternatives {
        match alternative {
            Value::String(leaf) if leaf.is_empty() => {}
            Value::String(leaf) => any.push(Check::leaf(leaf)),
            Value::Array(leaves) if leaves.is_empty() => {}
            Value::Array(leaves) => {
                any.push(Check::And(leaves.iter().map(|leaf| leaf.as_str().map(Check::leaf)).collect::<Option<_>>()?))
            }
            _ => return None,
        }
    }
    Some(Check::Or(any))
}

/// Recursive descent; `not` binds closer than `and`, `and` closer than `or`.
struct Parser(Peekable<vec::IntoIter<Token>>);

impl Parser {
    fn rule(&mut self) -> Result<Check, String> {
        let check = self.any(0)?;
        match self.0.next() {
            None => Ok(check),
            Some(Token::Close) => Err("a ')' too many".to_owned()),
            Some(_) => Err("'and' or 'or' is missing between two checks".to_owned()),
        }
    }

    fn any(&mut self, depth: usize) -> Result<Check, String> {
        let first = self.all(depth)?;
        let mut checks = vec![first];
        while self.0.next_if_eq(&Token::Or).is_some() {
            checks.push(self.all(depth)?);
        }
        Ok(group(checks, Check::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Check, String> {
        let first = self.one(depth)?;
        let mut checks = vec![first];
        while self.0.next_if_eq(&Token::And).is_some() {
            checks.push(self.one(depth)?);
        }
        Ok(group(checks, Check::And))
    }

    fn one(&mut self, depth: usize) -> Result<Check, String> {
        if depth >= MAX_DEPTH {
            return Err(format!("it nests deeper than {MAX_DEPTH} levels"));
        }
        match self.0.next() {
            Some(Token::Check(check)) => Ok(check),
            Some(Token::Not) => Ok(Check::Not(Box::new(self.one(depth + 1)?))),
            Some(Token::Open) => {
                let inner = self.any(depth + 1)?;
                match self.0.next() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err("a ')' is missing".to_owned()),
                }
            }
            Some(Token::Quoted(text)) => Err(format!("the quoted text {text:?} is no check")),
            Some(Token::And | Token::Or | Token::Close) | None => Err("a check is missing".to_owned()),
        }
    }
}

/// A group of one is that one.
fn group(mut checks: Vec<Check>, make: fn(Vec<Check>) -> Check) -> Check {
    match checks.pop() {
        Some(only) if checks.is_empty() => only,
        last => {
            checks.extend(last);
            make(checks)
        }
    }
}

#[cfg(test)]
mod tests;

//! The verdict of a rule on one request.

use serde_json::Value;

use crate::check::{Check, Operand};
use crate::facts::{Attributes, Credentials};
use crate::python;
use crate::remote::{Answers, Question, Verdict};
use crate::rules::Rules;
use crate::template::{Rendered, Template};

/// How many rules may lean on one another in a row; keeps the recursion off the
/// end of the stack.
const MAX_CHAIN: usize = 64;

/// One walk through the rules. A verdict of `None` means that a fault in the
/// policy stands in the way; it is no permission, and neither is its negation.
pub(crate) struct Evaluation<'a> {
    rules: &'a Rules,
    target: &'a dyn Attributes,
    creds: &'a dyn Credentials,
    answers: &'a Answers,
    /// The first URL met that nobody has asked.
    unasked: Option<String>,
    /// Names of the rules being judged, outermost first.
    chain: Vec<&'a str>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        rules: &'a Rules,
        target: &'a dyn Attributes,
        creds: &'a dyn Credentials,
        answers: &'a Answers,
    ) -> Self {
        Self { rules, target, creds, answers, unasked: None, chain: Vec::new() }
    }

    /// Judges a rule by name. Other servers are asked only where all else leaves
    /// the verdict open.
    pub(crate) fn judge(mut self, rule: &str) -> Verdict {
        match (self.rule(rule), self.unasked.take()) {
            (Some(true), _) => Verdict::Permitted,
            (None, Some(url)) => Verdict::Ask(Box::new(self.question(url, rule))),
            (Some(false) | None, _) => Verdict::Denied,
        }
    }

    #[cold]
    fn question(&self, url: String, rule: &str) -> Question {
        Question { url, rule: rule.to_owned(), target: self.target.all(), credentials: self.creds.all() }
    }

    /// Judges a rule by name: an undefined one as the default rule, and without
    /// one, or in a cycle, not at all.
    fn rule(&mut self, name: &str) -> Option<bool> {
        let check = self.enter(name)?;
        let verdict = self.check(check);
        self.leave();
        verdict
    }

    /// The check of a rule that may be judged now, until [`Evaluation::leave`].
    #[inline]
    pub(crate) fn enter(&mut self, name: &str) -> Option<&'a Check> {
        let (name, check) = self.rules.resolve(name)?;
        if self.chain.contains(&name) || self.chain.len() >= MAX_CHAIN {
            return None;
        }
        self.chain.push(name);
        Some(check)
    }

    pub(crate) fn leave(&mut self) {
        self.chain.pop();
    }

    pub(crate) fn check(&mut self, check: &'a Check) -> Option<bool> {
        match check {
            Check::True => Some(true),
            Check::False => Some(false),
            Check::Role(role) => self.has_role(role),
            Check::Rule(name) => self.rule(name),
            Check::Generic { left, right } => self.same(left, right),
            Check::Remote(url) => self.answer(url),
            Check::Unusable(_) => None,
            Check::Not(check) => self.check(check).map(|verdict| !verdict),
            Check::And(checks) => self.group(checks, false),
            Check::Or(checks) => self.group(checks, true),
        }
    }

    /// `decisive` settles the group wherever it turns up; otherwise one check
    /// without a verdict leaves the whole without.
    fn group(&mut self, checks: &'a [Check], decisive: bool) -> Option<bool> {
        let mut verdict = Some(!decisive);
        for check in checks {
            match self.check(check) {
                Some(found) if found == decisive => return Some(decisive),
                Some(_) => {}
                None => verdict = None,
            }
        }
        verdict
    }

    /// Kept out of the way of all the rules that ask nobody.
    #[cold]
    fn answer(&mut self, url: &Template) -> Option<bool> {
        // What cannot be asked is no answer, that a `not` could make a permission of.
        let Rendered::Text(url) = url.render(self.target) else { return None };
        match self.answers.of(&url) {
            Some(answer) => answer,
            None => {
                self.unasked.get_or_insert(url);
                None
            }
        }
    }

    fn has_role(&self, role: &Template) -> Option<bool> {
        match role.render(self.target) {
            Rendered::Text(wanted) => Some(self.creds.has_role(&wanted)),
            Rendered::Lacking => Some(false),
            Rendered::Unreadable => None,
        }
    }

    fn same(&self, left: &Operand, right: &Template) -> Option<bool> {
        let wanted = match right.render(self.target) {
            Rendered::Text(wanted) => wanted,
            Rendered::Lacking => return Some(false),
            Rendered::Unreadable => return None,
        };
        Some(match left {
            Operand::Literal(literal) => *literal == wanted,
            Operand::Path(path) => path.split_first().is_some_and(|(first, rest)| {
                self.creds.credential(first).is_some_and(|value| found(&value, rest, &wanted))
            }),
        })
    }
}

/// Whether the value at the path, or any element of a list met there, reads as
/// wanted.
fn found(value: &Value, path: &[String], wanted: &str) -> bool {
    if let Value::Array(elements) = value {
        return elements.iter().any(|element| found(element, path, wanted));
    }
    match path.split_first() {
        Some((key, rest)) => value.get(key).is_some_and(|inner| found(inner, rest, wanted)),
        None => python::text(value).is_some_and(|text| text == wanted),
    }
}

#[cfg(test)]
mod tests;

//! A verdict taken apart for whoever wonders about it.

use crate::check::Check;
use crate::evaluate::Evaluation;
use crate::facts::{Attributes, Credentials};
use crate::remote::Answers;
use crate::rules::Rules;
use crate::template::{Rendered, Template};

/// What came of one part of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is true.
    Passed,
    /// It is false.
    Failed,
    /// A fault stands in the way: neither it nor its negation permits.
    Fault,
}

/// One part of a rule, and the parts that it consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The part in the language of rules; of groups the word that joins them; of
    /// what is no check the reason why.
    pub check: String,
    /// What came of it.
    pub outcome: Outcome,
    /// What is to be known besides: what it was compared with, or its fault.
    pub note: Option<String>,
    /// All parts of it, also those that the verdict did not hang on.
    pub parts: Vec<Explanation>,
}

pub(crate) fn explain(
    rules: &Rules,
    rule: &str,
    target: &dyn Attributes,
    creds: &dyn Credentials,
    answers: &Answers,
) -> Explanation {
    let evaluation = Evaluation::new(rules, target, creds, answers);
    Explainer { rules, target, answers, evaluation }.rule(rule)
}

struct Explainer<'a> {
    rules: &'a Rules,
    target: &'a dyn Attributes,
    answers: &'a Answers,
    evaluation: Evaluation<'a>,
}

impl<'a> Explainer<'a> {
    fn rule(&mut self, name: &str) -> Explanation {
        let check = format!("rule:{name}");
        let undefined = !self.rules.is_defined(name);
        let Some(inner) = self.evaluation.enter(name) else {
            let fault = if undefined { "there is no such rule" } else { "it refers back to itself, or too far" };
            return Explanation { check, outcome: Outcome::Fault, note: Some(fault.to_owned()), parts: Vec::new() };
        };
        let part = self.check(inner);
        self.evaluation.leave();
        let note = undefined.then(|| "there is no such rule: the default rule counts".to_owned());
        Explanation { check, outcome: part.outcome, note, parts: vec![part] }
    }

    fn check(&mut self, check: &'a Check) -> Explanation {
        let (text, parts) = match check {
            Check::Rule(name) => return self.rule(name),
            Check::Not(inner) => ("not".to_owned(), vec![self.check(inner)]),
            Check::And(checks) => ("and".to_owned(), checks.iter().map(|check| self.check(check)).collect()),
            Check::Or(checks) => ("or".to_owned(), checks.iter().map(|check| self.check(check)).collect()),
            Check::True => ("@".to_owned(), Vec::new()),
            Check::False => ("!".to_owned(), Vec::new()),
            Check::Role(role) => (format!("role:{role}"), Vec::new()),
            Check::Generic { left, right } => (format!("{left}:{right}"), Vec::new()),
            Check::Remote(url) => (url.to_string(), Vec::new()),
            Check::Unusable(fault) => (fault.clone(), Vec::new()),
        };
        let outcome = match self.evaluation.check(check) {
            Some(true) => Outcome::Passed,
            Some(false) => Outcome::Failed,
            None => Outcome::Fault,
        };
        Explanation { check: text, outcome, note: self.note(check), parts }
    }

    fn note(&self, check: &Check) -> Option<String> {
        match check {
            Check::Role(template) | Check::Generic { right: template, .. } => self.rendered(template),
            Check::Remote(url) => match url.render(self.target) {
                Rendered::Text(url) => match self.answers.of(&url) {
                    None => Some("not asked".to_owned()),
                    Some(None) => Some(format!("no answer from {url}")),
                    Some(Some(_)) => None,
                },
                Rendered::Lacking | Rendered::Unreadable => self.rendered(url),
            },
            _ => None,
        }
    }

    /// What the right side is for this target, where that is not as written.
    fn rendered(&self, template: &Template) -> Option<String> {
        match template.render(self.target) {
            Rendered::Text(_) if template.is_fixed() => None,
            Rendered::Text(text) => Some(format!("the target has {text:?}")),
            Rendered::Lacking => Some("the target has no such attribute".to_owned()),
            Rendered::Unreadable => Some("the attribute of the target is no plain value".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;

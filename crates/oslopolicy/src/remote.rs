//! What other servers are asked (`http:` and `https:` checks), and what they
//! have answered.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What judging a rule comes to.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// The rule passes.
    Permitted,
    /// It does not, or has a fault.
    Denied,
    /// It cannot be told before this is answered.
    Ask(Box<Question>),
}

/// One thing to ask another server.
#[derive(Debug, PartialEq)]
pub struct Question {
    /// Where to send it.
    pub url: String,
    /// Name of the rule that was to be judged.
    pub rule: String,
    /// The object acted upon.
    pub target: Map<String, Value>,
    /// Who asks.
    pub credentials: Map<String, Value>,
}

/// Answers to the questions of one rule for one target and one asker.
#[derive(Debug, Default)]
pub struct Answers(BTreeMap<String, Option<bool>>);

impl Answers {
    /// Notes an answer. Without one (the server cannot be reached, or is not
    /// understood) the check has no verdict, and never permits.
    pub fn note(&mut self, question: Question, answer: Option<bool>) {
        self.0.insert(question.url, answer);
    }

    /// `None`: nobody has asked.
    pub(crate) fn of(&self, url: &str) -> Option<Option<bool>> {
        self.0.get(url).copied()
    }
}

//! The rule language of oslo.policy: a policy file names rules, a caller asks
//! whether one of them lets a request through.
//!
//! This crate knows the language and the file, never a service: which rules
//! exist, what their defaults are, what stands in the credentials and what a
//! denial looks like on the wire are the caller's business.
//!
//! Two kinds of failure are kept apart. A fact the request lacks (an attribute
//! of the target, a key of the credentials) makes its check false, so that a
//! `not` in front of it is true, as operators of oslo.policy expect. A fault in
//! the policy itself (text that cannot be parsed, an undefined rule, a cycle) has
//! no verdict at all: nothing, not even `not`, turns it into a permission. Such
//! [`Enforcer::new`] tells of them.
//!
//! Judging never waits and does no I/O but for a look at the files. Where a
//! verdict hangs on another server (`http:` checks), it is a
//! [`Verdict::Ask`]: the caller asks that server as it sees fit, notes the answer,
//! and has the rule judged again.

mod check;
mod enforcer;
mod error;
mod evaluate;
mod explain;
mod facts;
mod lint;
mod parse;
mod python;
mod remote;
mod rules;
mod template;
mod token;

pub use enforcer::Enforcer;
pub use error::{Error, FormatError};
pub use explain::{Explanation, Outcome};
pub use facts::{Attributes, Credentials, Creds, Target, same_role};
pub use lint::Warning;
pub use remote::{Answers, Question, Verdict};
pub use rules::{Definition, Origin, Rules};

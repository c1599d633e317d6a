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
//! the policy itself (text that cannot be parsed, an undefined rule, a cycle, a
//! remote `http:` check, which this crate does not perform) has no verdict at
//! all: nothing, not even `not`, turns it into a permission. Such faults are
//! listed by [`Enforcer::warnings`].

mod check;
mod enforcer;
mod error;
mod evaluate;
mod facts;
mod lint;
mod parse;
mod python;
mod rules;
mod template;
mod token;

pub use enforcer::Enforcer;
pub use error::{Error, FormatError};
pub use facts::{Attributes, Credentials, Creds, Target, same_role};
pub use lint::Warning;
pub use rules::Rules;

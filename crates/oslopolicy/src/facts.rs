//! What a rule is judged on. The two sides have types of their own because
//! swapping them would silently compare the wrong things.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// An object acted upon; `%(name)s` in a rule reads its attributes.
pub trait Attributes {
    /// The attribute of this name. Null is not the same as absent: it compares
    /// as the word `None`.
    fn attribute(&self, name: &str) -> Option<Cow<'_, Value>>;
}

/// An object acted upon that is just its attributes.
#[derive(Debug, Clone, Default)]
pub struct Target(Map<String, Value>);

impl Target {
    /// Adds or replaces one attribute. `None` becomes null, which is not the
    /// same as absent: null compares as the word `None`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

impl Attributes for Target {
    fn attribute(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }
}

/// Who asks: `user_id`, `project_id`, `roles` and whatever else the service
/// wants rules to see.
#[derive(Debug, Clone, Default)]
pub struct Creds(Map<String, Value>);

impl Creds {
    /// Adds or replaces one value. `roles` must be a list of strings.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl From<Map<String, Value>> for Creds {
    fn from(values: Map<String, Value>) -> Self {
        Self(values)
    }
}

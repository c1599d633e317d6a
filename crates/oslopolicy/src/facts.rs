//! What a rule is judged on. The two sides have types of their own because
//! swapping them would silently compare the wrong things.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// An object acted upon; `%(name)s` in a rule reads its attributes.
pub trait Attributes: Sync {
    /// The attribute of this name. Null is not the same as absent: it compares
    /// as the word `None`.
    fn attribute(&self, name: &str) -> Option<Cow<'_, Value>>;

    /// All of them, as another server is told.
    fn all(&self) -> Map<String, Value>;
}

/// Who asks. Made when it is asked for, as rules look at little of it.
pub trait Credentials: Sync {
    /// The value of this name, such as `project_id`. Null is not the same as
    /// absent: it compares as the word `None`.
    fn credential(&self, name: &str) -> Option<Cow<'_, Value>>;

    /// Whether the asker has this role, whatever the case of either.
    fn has_role(&self, role: &str) -> bool;

    /// All values, as another server is told.
    fn all(&self) -> Map<String, Value>;
}

/// Whether two names of roles are the same.
#[must_use]
pub fn same_role(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || one.to_lowercase() == other.to_lowercase()
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

    fn all(&self) -> Map<String, Value> {
        self.0.clone()
    }
}

/// An asker who is just these values: `user_id`, `project_id`, `roles` and
/// whatever else rules are to see.
#[derive(Debug, Clone, Default)]
pub struct Creds(Map<String, Value>);

impl Creds {
    /// Adds or replaces one value. `roles` must be a list of strings.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
}

impl Credentials for Creds {
    fn credential(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }

    fn has_role(&self, role: &str) -> bool {
        let Some(Value::Array(roles)) = self.0.get("roles") else { return false };
        roles.iter().filter_map(Value::as_str).any(|held| same_role(held, role))
    }

    fn all(&self) -> Map<String, Value> {
        self.0.clone()
    }
}

impl From<Map<String, Value>> for Target {
    fn from(values: Map<String, Value>) -> Self {
        Self(values)
    }
}

impl From<Map<String, Value>> for Creds {
    fn from(values: Map<String, Value>) -> Self {
        Self(values)
    }
}

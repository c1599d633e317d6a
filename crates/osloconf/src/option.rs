//! Declaring an option: what it is called, what it holds, what it is when nobody sets it.
//!
//! Declarations are constants, so a program's options are `static` tables that tests and documentation can walk.

use crate::sources::{Name, same_group};

/// What an option holds, and so how its text is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Text as it stands; an empty value is the empty string.
    Str,
    /// `true`/`1`/`on`/`yes` or `false`/`0`/`off`/`no`, in any case.
    Bool,
    /// A 64-bit integer; an empty value is null and hides the default.
    Int,
    /// A finite number; an empty value is null and hides the default.
    Float,
    /// A TCP port, 0 to 65535; an empty value is null and hides the default.
    Port,
    /// Items separated by commas.
    List,
    /// `key:value` pairs separated by commas.
    Dict,
    /// One string per occurrence of the key; commas are ordinary characters.
    Multi,
}

/// One declared option. Built with [`Opt::str`] and its siblings, then refined:
///
/// ```
/// # use osloconf::Opt;
/// static WORKERS: Opt = Opt::int("DEFAULT", "workers").default("0").range(0, 1024).help("Worker processes");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    /// Section it stands in, lower case except for `DEFAULT`.
    pub group: &'static str,
    /// Key, with underscores.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Its value when nobody sets it, written as in a file; `$name` works here too.
    pub default: Option<&'static str>,
    /// Other `(group, name)` pairs it was known by.
    pub deprecated: &'static [(&'static str, &'static str)],
    /// Whether an empty value counts as not set, so that the default applies.
    pub empty_is_unset: bool,
    /// Smallest number allowed.
    pub min: Option<i64>,
    /// Largest number allowed.
    pub max: Option<i64>,
    /// The strings allowed; empty means any.
    pub choices: &'static [&'static str],
    /// Whether a choice may be written in any case.
    pub any_case: bool,
    /// Whether a list must be written `[a,b]`.
    pub bracketed: bool,
    /// Whether the value must never be shown.
    pub secret: bool,
    /// Whether it is a URL of which only the password is secret.
    pub url: bool,
    /// Why it is accepted and has no effect; `None`: it has one.
    pub ignored: Option<&'static str>,
    /// One line for the operator.
    pub help: &'static str,
}

impl Opt {
    const fn new(group: &'static str, name: &'static str, kind: Kind) -> Self {
        Self {
            group,
            name,
            kind,
            default: None,
            deprecated: &[],
            empty_is_unset: false,
            min: None,
            max: None,
            choices: &[],
            any_case: false,
            bracketed: false,
            secret: false,
            url: false,
            ignored: None,
            help: "",
        }
    }

    /// Declares a string.
    pub const fn str(group: &'static str, name: &'static str) -> Self {
        Self::new(group, name, Kind::Str)
    }

    /// Declares a boolean.
    pub const fn bool(group: &'static str, name: &'static str) -> Self {
        Self::new(group, name, Kind::Bool)
    }

    /// Declares an integer.
    pub const fn int(group: &'static str, name: &'static str) -> Self {
        Self::new(group, name, Kind::Int)
    }

    /// Declares a number with a fraction.
    pub const fn float(group: &'static str, name: &'static str) -> Self {
        Self::new(group, name, Kind::Float)
    }

    /// Declares a TCP port.
    pub const fn port(group: &'static str, name: &'static str) -> Self {
        Self::new(group, name, Kind::Port).range(0, 65535)
    }

    /// Declares a list.
    pub const fn list(group: &'static str, name: &'static str) -> Self {
        Self::new(group, name, Kind::List)
    }

    /// Declares a dictionary.
    pub const fn dict(group: &'static str, name: &'static str) -> Self {
        Self::new(group, name, Kind::Dict)
    }

    /// Declares a string that may be given several times.
    pub const fn multi(group: &'static str, name: &'static str) -> Self {
        Self::new(group, name, Kind::Multi)
    }

    /// Sets the value it has when nobody sets it.
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// Names what it was called before.
    pub const fn deprecated(mut self, names: &'static [(&'static str, &'static str)]) -> Self {
        self.deprecated = names;
        self
    }

    /// Lets an empty value mean "not set".
    pub const fn empty_is_unset(mut self) -> Self {
        self.empty_is_unset = true;
        self
    }

    /// Bounds the number, both ends included.
    pub const fn range(mut self, min: i64, max: i64) -> Self {
        self.min = Some(min);
        self.max = Some(max);
        self
    }

    /// Bounds the number from below.
    pub const fn min(mut self, min: i64) -> Self {
        self.min = Some(min);
        self
    }

    /// Allows only these strings.
    pub const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    /// Lets a choice be written in any case; it is read as declared.
    pub const fn any_case(mut self) -> Self {
        self.any_case = true;
        self
    }

    /// Demands square brackets around the list.
    pub const fn bracketed(mut self) -> Self {
        self.bracketed = true;
        self
    }

    /// Keeps the value out of messages and dumps.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Keeps the value out of messages, and the password of the URL that it is out of dumps.
    pub const fn secret_url(mut self) -> Self {
        self.secret = true;
        self.url = true;
        self
    }

    /// Says why it has no effect, to be read after these words.
    pub const fn ignored(mut self, why: &'static str) -> Self {
        self.ignored = Some(why);
        self
    }

    /// Describes it to the operator.
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// The same option in another group: for groups that exist once per configured thing, such as a store.
    /// Its former names stay as declared.
    pub const fn in_group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// Every name it answers to, the current one first.
    pub fn names(&self) -> Vec<(&'static str, &'static str)> {
        let mut names = vec![(self.group, self.name)];
        names.extend_from_slice(self.deprecated);
        names
    }

    /// Whether this is its current name.
    pub(crate) fn is_called(&self, name: Name<'_>) -> bool {
        same_group(self.group, name.0) && self.name == name.1
    }

    /// Whether this group and key are its current or a former name.
    pub fn answers_to(&self, name: (&str, &str)) -> bool {
        self.names().iter().any(|(group, key)| same_group(group, name.0) && *key == name.1)
    }

    /// Whether this value counts as none.
    pub(crate) fn ignores(&self, value: &str) -> bool {
        self.empty_is_unset && value.trim().is_empty()
    }
}

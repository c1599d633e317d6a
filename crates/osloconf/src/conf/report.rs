//! What a program may want to tell its operator about the configuration as a whole.

use std::fmt;
use std::path::PathBuf;

use super::Conf;
use crate::expand::Expansion;
use crate::option::Opt;
use crate::sources::Origin;

/// A value set under a former name of its option. Prints as a warning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deprecation {
    /// Group of the former name.
    pub used_group: &'static str,
    /// The former name.
    pub used_name: &'static str,
    /// Group of the current name.
    pub group: &'static str,
    /// The current name.
    pub name: &'static str,
    /// Where it is set.
    pub origin: Origin,
}

impl fmt::Display for Deprecation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { used_group, used_name, group, name, origin } = self;
        write!(f, "Option \"{used_name}\" from group \"{used_group}\" in {origin} is deprecated. ")?;
        write!(f, "Use option \"{name}\" from group \"{group}\".")
    }
}

/// A key in a file that no declaration answers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unknown {
    /// The section, as written.
    pub group: String,
    /// The key.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// A `$name` that stands for nothing and was left as written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unresolved {
    /// Group of the option whose value has it.
    pub group: &'static str,
    /// The option whose value has it.
    pub name: &'static str,
    /// The name, without dollar sign and braces; `****` in a secret value, where it may be half a password.
    pub reference: String,
    /// Where the value was set.
    pub origin: Origin,
}

/// One option and the value in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dumped {
    /// Group of the option.
    pub group: &'static str,
    /// Name of the option.
    pub name: &'static str,
    /// The value with `$name` replaced; several values are joined by `, `. `****` if it holds a secret, `None` if it
    /// has no value.
    pub value: Option<String>,
}

impl Conf {
    /// The former names in use, in registry order.
    pub fn deprecations(&self) -> Vec<Deprecation> {
        let mut found = Vec::new();
        for opt in &self.registry {
            for hit in self.hits(opt) {
                let former = opt.deprecated.iter().find(|name| **name == hit.name);
                found.extend(former.map(|&(used_group, used_name)| Deprecation {
                    used_group,
                    used_name,
                    group: opt.group,
                    name: opt.name,
                    origin: hit.origin.clone(),
                }));
            }
        }
        found.dedup();
        found
    }

    /// The keys in files that none of `registry` answers to, in file order, each once per file.
    pub fn unknown(&self, registry: &[&Opt]) -> Vec<Unknown> {
        let mut found = Vec::new();
        for file in &self.sources.files {
            for setting in &file.settings {
                let name = (setting.group.as_str(), setting.name.as_str());
                let unknown = Unknown { group: name.0.to_owned(), name: name.1.to_owned(), path: file.path.clone() };
                if !registry.iter().any(|opt| opt.answers_to(name)) && !found.contains(&unknown) {
                    found.push(unknown);
                }
            }
        }
        found
    }

    /// The `$name`s left as written because no option has that name, in registry order.
    pub fn unresolved(&self) -> Vec<Unresolved> {
        let mut found = Vec::new();
        for opt in &self.registry {
            for hit in self.hits(opt) {
                let mut expansion = Expansion::new(self);
                // A value that cannot be expanded at all is an error of `validate`, not a warning here.
                if expansion.run((opt.group, opt.name), hit.value).is_err() {
                    continue;
                }
                let secret = opt.secret || expansion.secret;
                found.extend(expansion.unknown.into_iter().map(|reference| Unresolved {
                    group: opt.group,
                    name: opt.name,
                    reference: if secret { "****".to_owned() } else { reference },
                    origin: hit.origin.clone(),
                }));
            }
        }
        found
    }

    /// The value in force of every option of the registry, in registry order, fit for a log.
    pub fn dump(&self) -> Vec<Dumped> {
        let dumped = |opt: &Opt| Dumped { group: opt.group, name: opt.name, value: self.shown(opt) };
        self.registry.iter().map(dumped).collect()
    }

    fn shown(&self, opt: &Opt) -> Option<String> {
        let hits = self.hits(opt);
        let mut expansion = Expansion::new(self);
        let mut run = |text: &str| expansion.run((opt.group, opt.name), text).unwrap_or_else(|_| text.to_owned());
        let values: Vec<_> = hits.iter().map(|hit| run(hit.value)).collect();
        let secret = opt.secret || expansion.secret;
        (!values.is_empty()).then(|| if secret { "****".to_owned() } else { values.join(", ") })
    }
}

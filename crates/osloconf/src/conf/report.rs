//! What a program may want to tell its operator about the configuration as a whole.

use std::fmt;
use std::path::Path;

use super::Conf;
use crate::expand::Expansion;
use crate::mask::{mask_passwords, mask_url};
use crate::option::Opt;
use crate::sources::{Hit, Origin};

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

/// A key that stands in a file, whether it is declared or not.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The file.
    pub path: &'a Path,
    /// Number of its line, from 1.
    pub line: usize,
    /// The section, as written.
    pub group: &'a str,
    /// The key.
    pub name: &'a str,
    /// The value as it stands there. It may be secret.
    pub value: &'a str,
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
    /// The values with `$name` replaced, and where each was set: several only if it may be given several times, none if
    /// it has no value. A secret is `****`, and so is a password inside a URL.
    pub values: Vec<(String, Origin)>,
    /// Why it has no effect, if it has none.
    pub ignored: Option<&'static str>,
}

impl Conf {
    /// The former names in use, in registry order.
    pub fn deprecations(&self) -> Vec<Deprecation> {
        let mut found = Vec::new();
        for opt in self.effective_options() {
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

    fn effective_options(&self) -> impl Iterator<Item = &Opt> {
        self.registry.iter().filter(|opt| opt.ignored.is_none())
    }

    /// Every key that stands in a file, in file order.
    pub fn settings(&self) -> impl Iterator<Item = Setting<'_>> {
        self.sources.files.iter().flat_map(|file| {
            file.settings.iter().map(|setting| Setting {
                path: &file.path,
                line: setting.line,
                group: &setting.group,
                name: &setting.name,
                value: &setting.value,
            })
        })
    }

    /// The `$name`s left as written because no option has that name, in registry order.
    pub fn unresolved(&self) -> Vec<Unresolved> {
        let mut found = Vec::new();
        for opt in self.effective_options() {
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
        let dumped =
            |opt: &Opt| Dumped { group: opt.group, name: opt.name, values: self.shown(opt), ignored: opt.ignored };
        self.registry.iter().map(dumped).collect()
    }

    fn shown(&self, opt: &Opt) -> Vec<(String, Origin)> {
        let shown = |hit: Hit<'_>| {
            let mut expansion = Expansion::new(self);
            let expanded = expansion.run((opt.group, opt.name), hit.value);
            let text = expanded.unwrap_or_else(|_| hit.value.to_owned());
            let text = match (opt.url, opt.secret || expansion.secret) {
                // What another option keeps secret may stand anywhere in the URL.
                (true, _) if !expansion.secret => mask_url(&text),
                (_, true) => "****".to_owned(),
                (_, false) => mask_passwords(&text),
            };
            (text, hit.origin)
        };
        self.hits(opt).into_iter().map(shown).collect()
    }
}

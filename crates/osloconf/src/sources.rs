//! Where raw values come from, and which of them wins: command line, environment, files from last to first.
//!
//! Knows names and text, not declarations.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::ini::{self, Dialect};
use crate::percent;

#[cfg(test)]
mod tests;

/// Values from the command line: `(group, name)` to every occurrence, in order.
pub type Overrides = BTreeMap<(String, String), Vec<String>>;

/// Where a value was set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A flag of the program.
    CommandLine,
    /// The environment variable of this name.
    Environment(String),
    /// A config file.
    File {
        /// The file.
        path: PathBuf,
        /// Number of the line with the key, from 1.
        line: usize,
    },
    /// A place that the program knows, called by its name.
    Named(String),
    /// Nowhere: the option's declaration.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("the command line"),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Named(place) => f.write_str(place),
            Self::Default => f.write_str("its default"),
        }
    }
}

/// The two parts of an option's name: group and key.
pub(crate) type Name<'a> = (&'a str, &'a str);

/// A raw value that was found.
pub(crate) struct Hit<'a> {
    pub(crate) value: &'a str,
    /// Under which of the option's names.
    pub(crate) name: Name<'a>,
    pub(crate) origin: Origin,
}

/// Whether two names mean one group: any case will do, but `[DEFAULT]` must be written so.
pub(crate) fn same_group(one: &str, other: &str) -> bool {
    one == other || one != "DEFAULT" && other != "DEFAULT" && one.eq_ignore_ascii_case(other)
}

/// One assignment in a file, `%(key)s` already replaced.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) line: usize,
}

#[derive(Clone)]
pub(crate) struct LoadedFile {
    pub(crate) path: PathBuf,
    pub(crate) settings: Vec<Setting>,
}

impl LoadedFile {
    /// What can be made of a file, and each thing that is wrong with it.
    fn read(path: &Path) -> (Self, Vec<Error>) {
        let (sections, faults) = ini::survey(path, Dialect::Oslo);
        let last = |group: &str, key: &str| {
            let named = sections.iter().rev().filter(|section| same_group(&section.name, group));
            let mut entries = named.flat_map(|section| section.entries.iter().rev());
            entries.find(|entry| entry.key == key).map(|entry| &*entry.value)
        };
        let mut settings = Vec::new();
        for section in &sections {
            let lookup = |key: &str| last(&section.name, key).or_else(|| last("DEFAULT", key));
            settings.extend(section.entries.iter().map(|entry| Setting {
                group: section.name.clone(),
                name: entry.key.clone(),
                value: percent::expand_known(&entry.key, &entry.value, &lookup),
                line: entry.line,
            }));
        }
        (Self { path: path.to_owned(), settings }, faults)
    }

    fn hits<'a>(&'a self, name: Name<'a>) -> impl Iterator<Item = Hit<'a>> {
        let named = move |setting: &&Setting| same_group(&setting.group, name.0) && setting.name == name.1;
        self.settings.iter().filter(named).map(move |setting| {
            let origin = Origin::File { path: self.path.clone(), line: setting.line };
            Hit { value: &setting.value, name, origin }
        })
    }
}

/// Everything that was set anywhere.
#[derive(Clone)]
pub(crate) struct Sources {
    overrides: Overrides,
    /// What wins over all others, and where that is set.
    pub(crate) above: Option<(Overrides, Origin)>,
    environment: BTreeMap<String, String>,
    pub(crate) files: Vec<LoadedFile>,
}

impl Sources {
    /// Reads the files and keeps what could be an option from the environment; beside it, each thing that is wrong.
    pub(crate) fn load<K: Into<OsString>, V: Into<OsString>>(
        paths: &[PathBuf],
        environment: impl IntoIterator<Item = (K, V)>,
        overrides: Overrides,
    ) -> (Self, Vec<Error>) {
        let mut faults = Vec::new();
        let mut files = Vec::new();
        for path in paths {
            let (file, wrong) = LoadedFile::read(path);
            files.push(file);
            faults.extend(wrong);
        }
        let mut kept = BTreeMap::new();
        for (name, value) in environment {
            let Ok(name) = name.into().into_string() else { continue };
            if name.starts_with("OS_") && name.contains("__") {
                match value.into().into_string() {
                    Ok(value) => drop(kept.insert(name, value)),
                    Err(_) => faults.push(Error::Environment { name }),
                }
            }
        }
        (Self { overrides, above: None, environment: kept, files }, faults)
    }

    /// The winning value under any of the names. Within one source the earlier name wins.
    pub(crate) fn single<'a>(&'a self, names: &[Name<'a>]) -> Option<Hit<'a>> {
        let first = |source: &dyn Fn(Name<'a>) -> Option<Hit<'a>>| names.iter().find_map(|name| source(*name));
        first(&|name| self.given(name).last())
            .or_else(|| first(&|name| self.exported(name)))
            .or_else(|| self.files.iter().rev().find_map(|file| first(&|name| file.hits(name).last())))
    }

    /// All values of a multi-valued option from the best source that has any; files count as one source.
    pub(crate) fn all<'a>(&'a self, names: &[Name<'a>]) -> Vec<Hit<'a>> {
        let mut hits: Vec<_> = names.iter().flat_map(|name| self.given(*name)).collect();
        if hits.is_empty() {
            hits.extend(names.iter().filter_map(|name| self.exported(*name)));
        }
        if hits.is_empty() {
            hits.extend(self.files.iter().flat_map(|file| names.iter().flat_map(|name| file.hits(*name))));
        }
        hits
    }

    /// What stands above all files: in one place, if it is there, else on the command line.
    fn given<'a>(&'a self, name: Name<'a>) -> impl Iterator<Item = Hit<'a>> {
        let named = move |((group, key), _): &(&(String, String), _)| same_group(group, name.0) && key == name.1;
        let above = self.above.as_ref().filter(|(values, _)| values.iter().any(|entry| named(&entry)));
        let (overrides, origin) =
            above.map_or((&self.overrides, Origin::CommandLine), |(values, place)| (values, place.clone()));
        let values = overrides.iter().filter(named).flat_map(|(_, values)| values);
        values.map(move |value| Hit { value, name, origin: origin.clone() })
    }

    fn exported<'a>(&'a self, name: Name<'a>) -> Option<Hit<'a>> {
        let variable = format!("OS_{}__{}", name.0, name.1).to_uppercase();
        let value = self.environment.get(&variable)?;
        Some(Hit { value, name, origin: Origin::Environment(variable) })
    }
}

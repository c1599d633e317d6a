//! PasteDeploy files: the sections that name a service's pipelines, applications and filters.
//!
//! Read as far as the dialect goes: `[DEFAULT]`, `set key = value`, `%(here)s` and `%(key)s`. What a factory string or
//! `use = egg:…` means is the caller's to know.

use std::fmt;
use std::path::{Path, PathBuf, absolute};

use crate::error::{Error, Result};
use crate::ini::{self, Dialect, Entry};
use crate::percent;

#[cfg(test)]
mod tests;

/// A paste file that was read.
#[derive(Clone, Debug)]
pub struct PasteFile {
    path: PathBuf,
    sections: Vec<Section>,
}

/// One section but `[DEFAULT]`, such as `[filter:cache]`.
#[derive(Clone, Eq, PartialEq)]
pub struct Section {
    /// What stands before the colon: `app`, `filter`, `pipeline`, `composite`…
    pub kind: String,
    /// What stands after it; `main` when there is no colon.
    pub name: String,
    /// Its own keys, in file order.
    local: Vec<(String, String)>,
    /// `[DEFAULT]` with the section's `set` lines applied.
    globals: Vec<(String, String)>,
}

impl PasteFile {
    /// Reads a file. Sections with one header are joined; of a repeated key the last counts.
    ///
    /// # Errors
    /// [`Error::ReadFile`], [`Error::Syntax`], or [`Error::Paste`] for a `%(key)s` that names nothing or itself.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let path = absolute(path).map_err(|source| Error::ReadFile { path: path.to_owned(), source })?;
        let mut raw: Vec<(String, Vec<Entry>)> = vec![("DEFAULT".to_owned(), builtin(&path))];
        for section in ini::read(&path, Dialect::ConfigParser)? {
            match raw.iter_mut().find(|(name, _)| *name == section.name) {
                Some((_, entries)) => entries.extend(section.entries),
                None => raw.push((section.name, section.entries)),
            }
        }
        let (_, defaults) = raw.remove(0);
        let globals = expanded(&path, "DEFAULT", &defaults, &[])?;
        let sections = raw.into_iter().map(|(header, entries)| {
            let values = expanded(&path, &header, &entries, &defaults)?;
            Ok(Section::new(&header, values, globals.clone()))
        });
        Ok(Self { sections: sections.collect::<Result<_>>()?, path })
    }

    /// The file, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The sections in file order, without `[DEFAULT]`.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section `[kind:name]`.
    pub fn section(&self, kind: &str, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind && section.name == name)
    }
}

impl fmt::Debug for Section {
    /// Names the section only: filters hold tokens and passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}:{}]", self.kind, self.name)
    }
}

impl Section {
    fn new(header: &str, values: Vec<(String, String)>, mut globals: Vec<(String, String)>) -> Self {
        let (kind, name) = header.split_once(':').unwrap_or((header, "main"));
        let mut local = Vec::new();
        for (key, value) in values {
            match key.strip_prefix("set ") {
                Some(global) => put(&mut globals, global.trim(), value),
                None => local.push((key, value)),
            }
        }
        Self { kind: kind.trim().to_owned(), name: name.trim().to_owned(), local, globals }
    }

    /// The value that counts here: the section's own, else one it `set`s, else that of `[DEFAULT]`.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.local.iter().chain(&self.globals);
        values.find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The section's own keys and values in file order, without `set` lines and `[DEFAULT]`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.local.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// What PasteDeploy itself puts into `[DEFAULT]`. Percent signs of the path are none of the file's.
fn builtin(path: &Path) -> Vec<Entry> {
    let entry = |key: &str, path: &Path| Entry {
        key: key.to_owned(),
        value: path.display().to_string().replace('%', "%%"),
        line: 0,
    };
    let here = path.parent().unwrap_or(path);
    vec![entry("here", here), entry("__file__", path)]
}

/// The entries with their `%(key)s` replaced from themselves or the defaults, each key once.
fn expanded(path: &Path, section: &str, entries: &[Entry], defaults: &[Entry]) -> Result<Vec<(String, String)>> {
    let lookup = |key: &str| last(entries, key).or_else(|| last(defaults, key));
    let mut values = Vec::new();
    for Entry { key, value, .. } in entries {
        let value = percent::expand_all(key, value, &lookup).map_err(|reason| Error::Paste {
            path: path.to_owned(),
            section: section.to_owned(),
            key: key.clone(),
            reason,
        })?;
        put(&mut values, key, value);
    }
    Ok(values)
}

fn last<'a>(entries: &'a [Entry], key: &str) -> Option<&'a str> {
    entries.iter().rfind(|entry| entry.key == key).map(|entry| entry.value.as_str())
}

fn put(values: &mut Vec<(String, String)>, key: &str, value: String) {
    match values.iter_mut().find(|(name, _)| name == key) {
        Some(found) => found.1 = value,
        None => values.push((key.to_owned(), value)),
    }
}

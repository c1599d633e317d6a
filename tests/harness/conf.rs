//! A configuration file in the making.

use std::fmt::{Display, Write};

/// Options, those of `[DEFAULT]` by their name, others as `section.name`; and the flavor. A value set twice is the last
/// one, unless it is added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conf {
    options: Vec<(String, String)>,
    flavor: String,
}

impl Conf {
    pub(crate) fn set(&mut self, name: &str, value: impl Display) {
        self.remove(name);
        self.options.push((name.to_owned(), value.to_string()));
    }

    /// One more value of an option that may have several.
    pub(crate) fn add(&mut self, name: &str, value: impl Display) {
        self.options.push((name.to_owned(), value.to_string()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.options.retain(|(known, _)| known != name);
    }

    /// The value as written.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Which pipeline of the paste file is served; empty for the plain one.
    pub(crate) fn set_flavor(&mut self, flavor: &str) {
        flavor.clone_into(&mut self.flavor);
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("[DEFAULT]\n");
        for (name, value) in self.options.iter().filter(|(name, _)| !name.contains('.')) {
            writeln!(text, "{name} = {value}").unwrap();
        }
        writeln!(text, "\n[paste_deploy]\nflavor = {}", self.flavor).unwrap();
        for (name, value) in &self.options {
            if let Some((section, name)) = name.split_once('.') {
                writeln!(text, "\n[{section}]\n{name} = {value}").unwrap();
            }
        }
        text
    }
}

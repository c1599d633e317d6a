//! Protected properties: which custom properties of images a caller may create, read, update and delete
//! (policy-and-auth §7).
//!
//! A file of sections, each a regular expression; the first that is found in a property's name decides, and what no section
//! knows is nobody's (security S7).

use std::path::{Path, PathBuf};

use osloconf::ini::{self, Dialect};
use regex::Regex;

use crate::model::Context;

/// What can be done with a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Read,
    Update,
    Delete,
}

impl Operation {
    /// In the order of [`Section::permissions`].
    const ALL: [Self; 4] = [Self::Create, Self::Read, Self::Update, Self::Delete];

    /// The key that says who may.
    fn key(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What the values of the file are (`property_protection_rule_format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Roles, one of which the caller must have.
    Roles,
    /// The name of one rule of policy.
    Policies,
}

/// Who may do something with a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Permission {
    Anyone,
    Nobody,
    /// Whoever has one of these roles, in lower case.
    Roles(Vec<String>),
    /// Whom this rule of policy lets pass.
    Rule(String),
}

/// The sections of a file, in its order.
#[derive(Debug)]
pub(crate) struct Protections(Vec<Section>);

#[derive(Debug)]
struct Section {
    names: Regex,
    /// One for each of [`Operation::ALL`].
    permissions: [Permission; 4],
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    File(#[from] osloconf::Error),
    #[error("{path}: [{section}]: {reason}")]
    Section { path: PathBuf, section: String, reason: String },
    #[error("{path}: [{section}] {key}: {reason}")]
    Value { path: PathBuf, section: String, key: &'static str, reason: &'static str },
}

impl Protections {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read; a section is there twice, is no regular expression, or lacks a key; a value allows everybody and
    /// nobody, or names several rules.
    pub(crate) fn read(path: &Path, format: Format) -> Result<Self, Error> {
        // What the service itself keeps in properties is not for this file to say.
        let mut sections = vec![Section {
            names: pattern(path, "^os_glance.*")?,
            permissions: Operation::ALL.map(|_| Permission::Anyone),
        }];
        let mut seen: Vec<String> = Vec::new();
        for ini::Section { name, entries } in ini::read(path, Dialect::ConfigParser)? {
            let unusable = |reason: &str| Error::Section {
                path: path.to_owned(),
                section: name.clone(),
                reason: reason.to_owned(),
            };
            if seen.contains(&name) {
                return Err(unusable("the section is there twice"));
            }
            seen.push(name.clone());
            if name == "DEFAULT" {
                return Err(unusable("defaults are not supported: each section says all by itself"));
            }
            let mut permissions = Vec::new();
            for operation in Operation::ALL {
                let key = operation.key();
                let entry = entries.iter().rfind(|entry| entry.key.eq_ignore_ascii_case(key));
                let entry = entry.ok_or_else(|| unusable(&format!("there is no '{key}'")))?;
                let permission = permission(&entry.value, format).map_err(|reason| Error::Value {
                    path: path.to_owned(),
                    section: name.clone(),
                    key,
                    reason,
                })?;
                if entry.value.is_empty() {
                    tracing::warn!("{}: [{name}] {key} is empty, so nobody may", path.display());
                }
                permissions.push(permission);
            }
            let Ok(permissions) = <[Permission; 4]>::try_from(permissions) else { continue };
            if !name.starts_with("os_glance") {
                sections.push(Section { names: pattern(path, &name)?, permissions });
            }
        }
        Ok(Self(sections))
    }

    /// Who may do this with a property of this name.
    pub(super) fn permission(&self, operation: Operation, property: &str) -> &Permission {
        let section = self.0.iter().find(|section| section.names.is_match(property));
        section.map_or(&Permission::Nobody, |section| &section.permissions[operation as usize])
    }
}

fn pattern(path: &Path, section: &str) -> Result<Regex, Error> {
    Regex::new(section).map_err(|error| Error::Section {
        path: path.to_owned(),
        section: section.to_owned(),
        reason: format!("is no regular expression: {error}"),
    })
}

fn permission(value: &str, format: Format) -> Result<Permission, &'static str> {
    let items: Vec<&str> = value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    match (items.as_slice(), format) {
        ([], _) | (["!"], _) => Ok(Permission::Nobody),
        (["@"], _) => Ok(Permission::Anyone),
        (items, _) if items.contains(&"@") && items.contains(&"!") => Err("'@' and '!' together: anybody and nobody"),
        // Anybody is one of them; nobody is no one's role.
        (items, Format::Roles) if items.contains(&"@") => Ok(Permission::Anyone),
        (items, Format::Roles) => Ok(Permission::Roles(items.iter().map(|role| role.to_lowercase()).collect())),
        ([rule], Format::Policies) if !value.contains(',') => Ok(Permission::Rule((*rule).to_owned())),
        (_, Format::Policies) => Err("names more than one rule"),
    }
}

/// Whether the caller, or the service that asks for him, has one of the roles.
pub(super) fn has_role(ctx: &Context, wanted: &[String]) -> bool {
    ctx.roles.iter().chain(&ctx.service_roles).any(|role| wanted.contains(&role.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{Error, Format, Operation, Permission, Protections};

    fn read(text: &str, format: Format) -> Result<Protections, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Protections::read(file.path(), format)
    }

    fn all(section: &str, value: &str) -> String {
        format!("[{section}]\ncreate = {value}\nread = {value}\nupdate = {value}\ndelete = {value}\n")
    }

    #[test]
    fn the_first_section_that_is_found_in_the_name_decides() {
        let text = all("^secret_", "Admin") + &all("_x$", "@") + &all("y", "!");
        let protections = read(&text, Format::Roles).unwrap();
        let read = |name| protections.permission(Operation::Read, name).clone();
        assert_eq!(read("secret_x"), Permission::Roles(vec!["admin".to_owned()]));
        assert_eq!(read("a_secret_x"), Permission::Anyone);
        assert_eq!(read("a_y_b"), Permission::Nobody);
        assert_eq!(read("other"), Permission::Nobody);
    }

    #[test]
    fn each_operation_has_its_own_key() {
        let text = "[.*]\nCreate = a\nread = b, C\nupdate = @\ndelete =\n";
        let protections = read(text, Format::Roles).unwrap();
        let of = |operation| protections.permission(operation, "p").clone();
        assert_eq!(of(Operation::Create), Permission::Roles(vec!["a".to_owned()]));
        assert_eq!(of(Operation::Read), Permission::Roles(vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!(of(Operation::Update), Permission::Anyone);
        assert_eq!(of(Operation::Delete), Permission::Nobody);
    }

    #[test]
    fn the_services_own_properties_are_not_the_files_to_protect() {
        for text in [all("os_glance_x", "!"), all(".*", "!")] {
            let protections = read(&text, Format::Roles).unwrap();
            assert_eq!(protections.permission(Operation::Read, "os_glance_x"), &Permission::Anyone);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_named() {
        for (text, format, named) in [
            (all("a", "@, !"), Format::Roles, "[a] create"),
            (all("a", "one, two"), Format::Policies, "[a] create"),
            (all("a", "@") + &all("a", "@"), Format::Roles, "[a]"),
            (all("(", "@"), Format::Roles, "[(]"),
            ("[a]\ncreate = @\nread = @\nupdate = @\n".to_owned(), Format::Roles, "'delete'"),
        ] {
            let text = read(&text, format).unwrap_err().to_string();
            assert!(text.contains(named), "{text}");
        }
        assert!(Protections::read(std::path::Path::new("/nonexistent"), Format::Roles).is_err());
    }

    #[test]
    fn policies_are_rules() {
        let protections = read(&all("a", "stewards"), Format::Policies).unwrap();
        assert_eq!(protections.permission(Operation::Update, "a"), &Permission::Rule("stewards".to_owned()));
    }
}

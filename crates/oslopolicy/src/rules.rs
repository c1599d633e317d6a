//! Named rules: the defaults of a service with a policy file on top.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_saphyr::Tagged;
use serde_saphyr::options::DuplicateKeyPolicy;

use crate::check::Check;
use crate::error::FormatError;
use crate::evaluate::Evaluation;
use crate::facts::{Attributes, Credentials};
use crate::lint::{self, Warning};
use crate::parse;

/// A set of rules and the name of the one that stands in for undefined ones.
#[derive(Debug, Clone)]
pub struct Rules {
    checks: BTreeMap<String, Check>,
    default_rule: String,
}

impl Rules {
    /// The defaults of a service, in text syntax. `default_rule` need not be
    /// among them; while it is defined nowhere, undefined rules deny.
    #[must_use]
    pub fn new(defaults: &[(&str, &str)], default_rule: &str) -> Self {
        let checks = defaults.iter().map(|(name, rule)| ((*name).to_owned(), parse::text(rule))).collect();
        Self { checks, default_rule: default_rule.to_owned() }
    }

    /// Defines rules from the text of a policy file, YAML or JSON, replacing
    /// those of the same name. Text with nothing but comments defines none.
    ///
    /// # Errors
    /// [`FormatError`]; the rules are then as they were. A rule that is a string
    /// but cannot be parsed is no error: it denies, and is a [`Warning`].
    pub fn overlay(&mut self, text: &str) -> Result<(), FormatError> {
        let options = serde_saphyr::options! {
            // Of two rules of one name oslo.policy takes the later.
            duplicate_keys: DuplicateKeyPolicy::LastWins,
            with_snippet: false,
        };
        let file: Option<BTreeMap<String, Tagged<Value>>> = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| FormatError::NotAMapping(error.to_string()))?;
        let mut parsed = BTreeMap::new();
        for (rule, Tagged(value, tag)) in file.unwrap_or_default() {
            // A bare `!`, meant to deny, is a tag to YAML: it would leave the
            // empty rule, which permits.
            if let Some(tag) = tag {
                return Err(FormatError::Tagged { rule, tag });
            }
            match parse::value(&value) {
                Some(check) => parsed.insert(rule, check),
                None => return Err(FormatError::Value { rule }),
            };
        }
        self.checks.extend(parsed);
        Ok(())
    }

    /// Whether the rule permits the holder of the credentials to act on the
    /// target.
    #[must_use]
    pub fn allows(&self, rule: &str, target: &dyn Attributes, creds: &dyn Credentials) -> bool {
        Evaluation::new(self, target, creds).rule(rule) == Some(true)
    }

    /// Faults that make rules deny, for the operator's log.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        lint::warnings(self)
    }

    /// The check that counts for a name, and the name it is defined under.
    pub(crate) fn resolve(&self, name: &str) -> Option<(&str, &Check)> {
        self.checks
            .get_key_value(name)
            .or_else(|| self.checks.get_key_value(&self.default_rule))
            .map(|(name, check)| (name.as_str(), check))
    }

    pub(crate) fn is_defined(&self, name: &str) -> bool {
        self.checks.contains_key(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Check)> {
        self.checks.iter().map(|(name, check)| (name.as_str(), check))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Creds, Target};

    fn overlaid(text: &str) -> Result<Rules, FormatError> {
        let mut rules = Rules::new(&[("default", "!"), ("get_image", "role:reader")], "default");
        rules.overlay(text).map(|()| rules)
    }

    /// Rules that let an admin through after the text is laid over the defaults.
    #[test]
    fn files() {
        for (text, rule, expected) in [
            ("", "get_image", false),
            ("# \"get_image\": \"role:admin\"\n", "get_image", false),
            ("---\n", "get_image", false),
            ("{}", "get_image", false),
            ("get_image: role:admin\n", "get_image", true),
            ("\"get_image\": \"role:admin\"\n", "get_image", true),
            ("get_image: 'role:admin or role:x'\n", "get_image", true),
            ("get_image: >-\n  role:x\n  or role:admin\n", "get_image", true),
            ("get_image: []\n", "get_image", true),
            ("get_image: ''\n", "get_image", true),
            ("get_image:\n- - role:admin\n- - role:x\n", "get_image", true),
            ("get_image: role:admin\nget_image: '!'\n", "get_image", false),
            ("{\"default\": []}", "get_image", false),
            ("{\"default\": []}", "add_image", true),
            ("{\"default\": [[\"role:admin\"]]}", "add_image", true),
            ("{\"default\": [\"role:x\", \"role:admin\"]}", "add_image", true),
            ("{\n\t\"default\":\n\t[\n\t\t[\"role:admin\"]\n\t]\n}\n", "add_image", true),
            ("{\n    \"a\": \"!\",\n    \"get_image\": \"role:\\u0061dmin\"\n}\n", "get_image", true),
        ] {
            let rules = overlaid(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let creds = Creds::default().with("roles", vec!["admin"]);
            let allowed = rules.allows(rule, &Target::default(), &creds);
            assert_eq!(allowed, expected, "{text}");
        }
    }

    #[test]
    fn files_that_hold_no_mapping() {
        for text in [
            "{",
            "{\"a\": \"b\"",
            "a: [",
            "\"a\": \"b\" c",
            "a: b\n c: d: e",
            "a: @",
            "a: b\n---\na: c\n",
            "[]",
            "role:admin",
            "7",
            "true",
            "- a: b",
        ] {
            let error = overlaid(text).unwrap_err();
            assert!(matches!(error, FormatError::NotAMapping(_)), "{text}: {error}");
        }
    }

    #[test]
    fn values_that_are_no_rules() {
        for value in ["", "~", "true", "7", "{\"b\": \"c\"}", "[1]", "[[[\"role:x\"]]]"] {
            assert_eq!(
                overlaid(&format!("ok: '@'\nbad: {value}\n")).unwrap_err(),
                FormatError::Value { rule: "bad".to_owned() },
                "{value}"
            );
        }
        for value in ["!", "! role:x", "!x", "!!str", "! []"] {
            let error = overlaid(&format!("ok: '@'\nbad: {value}\n")).unwrap_err();
            assert!(matches!(&error, FormatError::Tagged { rule, .. } if rule == "bad"), "{value}: {error}");
        }
    }

    #[test]
    fn a_bad_file_changes_nothing() {
        let mut rules = Rules::new(&[("a", "!")], "default");
        rules.overlay("a: '@'\nb: 7\n").unwrap_err();
        assert!(!rules.allows("a", &Target::default(), &Creds::default()));
    }
}

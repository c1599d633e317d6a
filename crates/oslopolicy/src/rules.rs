//! Named rules: the defaults of a service with a policy file on top.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use serde_saphyr::Tagged;
use serde_saphyr::options::DuplicateKeyPolicy;

use crate::check::Check;
use crate::error::FormatError;
use crate::evaluate::Evaluation;
use crate::explain::{self, Explanation};
use crate::facts::{Attributes, Credentials};
use crate::lint::{self, Warning};
use crate::parse;
use crate::remote::{Answers, Verdict};

/// A set of rules and the name of the one that stands in for undefined ones.
#[derive(Debug, Clone)]
pub struct Rules {
    rules: BTreeMap<String, Rule>,
    default_rule: String,
}

#[derive(Debug, Clone)]
struct Rule {
    check: Check,
    /// The text that it was read from.
    source: String,
    origin: Origin,
}

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The defaults of the service.
    BuiltIn,
    /// This policy file.
    File(Arc<Path>),
}

/// A rule as it was written.
#[derive(Debug, Clone, Copy)]
pub struct Definition<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text; of one in list syntax, that list as JSON.
    pub source: &'a str,
    /// Who says so.
    pub origin: &'a Origin,
}

impl Rules {
    /// The defaults of a service, in text syntax. `default_rule` need not be
    /// among them; while it is defined nowhere, undefined rules deny.
    #[must_use]
    pub fn new(defaults: &[(&str, &str)], default_rule: &str) -> Self {
        let built_in = |rule: &str| Rule { check: parse::text(rule), source: rule.to_owned(), origin: Origin::BuiltIn };
        let rules = defaults.iter().map(|(name, rule)| ((*name).to_owned(), built_in(rule))).collect();
        Self { rules, default_rule: default_rule.to_owned() }
    }

    /// Defines rules from the text of a policy file, YAML or JSON, replacing
    /// those of the same name. Text with nothing but comments defines none. What
    /// the file is called is told by [`Rules::definitions`].
    ///
    /// # Errors
    /// [`FormatError`]; the rules are then as they were. A rule that is a string
    /// but cannot be parsed is no error: it denies, and is a [`Warning`].
    pub fn overlay(&mut self, text: &str, file: &Path) -> Result<(), FormatError> {
        let options = serde_saphyr::options! {
            // Of two rules of one name oslo.policy takes the later.
            duplicate_keys: DuplicateKeyPolicy::LastWins,
            with_snippet: false,
        };
        let found: Option<BTreeMap<String, Tagged<Value>>> = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| FormatError::NotAMapping(error.to_string()))?;
        let origin = Origin::File(file.into());
        let mut parsed = BTreeMap::new();
        for (rule, Tagged(value, tag)) in found.unwrap_or_default() {
            // A bare `!`, meant to deny, is a tag to YAML: it would leave the
            // empty rule, which permits.
            if let Some(tag) = tag {
                return Err(FormatError::Tagged { rule, tag });
            }
            let Some(check) = parse::value(&value) else { return Err(FormatError::Value { rule }) };
            let source = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            parsed.insert(rule, Rule { check, source, origin: origin.clone() });
        }
        self.rules.extend(parsed);
        Ok(())
    }

    /// Whether the rule permits the holder of the credentials to act on the
    /// target, as far as that can be told from what other servers have answered.
    #[must_use]
    pub fn judge(&self, rule: &str, target: &dyn Attributes, creds: &dyn Credentials, answers: &Answers) -> Verdict {
        Evaluation::new(self, target, creds, answers).judge(rule)
    }

    /// Which parts of the rule, and of those it leans on, pass and which do not.
    #[must_use]
    pub fn explain(
        &self,
        rule: &str,
        target: &dyn Attributes,
        creds: &dyn Credentials,
        answers: &Answers,
    ) -> Explanation {
        explain::explain(self, rule, target, creds, answers)
    }

    /// Every rule, in the order of their names.
    pub fn definitions(&self) -> impl Iterator<Item = Definition<'_>> {
        self.rules.iter().map(|(name, rule)| Definition { name, source: &rule.source, origin: &rule.origin })
    }

    /// Faults that make rules deny, for the operator's log.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        lint::warnings(self)
    }

    /// The check that counts for a name, and the name it is defined under.
    pub(crate) fn resolve(&self, name: &str) -> Option<(&str, &Check)> {
        self.rules
            .get_key_value(name)
            .or_else(|| self.rules.get_key_value(&self.default_rule))
            .map(|(name, rule)| (name.as_str(), &rule.check))
    }

    pub(crate) fn is_defined(&self, name: &str) -> bool {
        self.rules.contains_key(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Check)> {
        self.rules.iter().map(|(name, rule)| (name.as_str(), &rule.check))
    }
}

#[cfg(test)]
impl Rules {
    /// What is permitted without asking other servers.
    pub(crate) fn allows(&self, rule: &str, target: &dyn Attributes, creds: &dyn Credentials) -> bool {
        self.judge(rule, target, creds, &Answers::default()) == Verdict::Permitted
    }

    pub(crate) fn overlay_text(&mut self, text: &str) -> Result<(), FormatError> {
        self.overlay(text, Path::new("policy.yaml"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Creds, Target};

    fn overlaid(text: &str) -> Result<Rules, FormatError> {
        let mut rules = Rules::new(&[("default", "!"), ("get_image", "role:reader")], "default");
        rules.overlay_text(text).map(|()| rules)
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
    fn rules_keep_their_text_and_their_file() {
        let mut rules = Rules::new(&[("a", "role:x or !"), ("b", "")], "default");
        rules.overlay("b: 'role:y'\nc: [[\"role:z\"], \"@\"]\n", Path::new("one.yaml")).unwrap();
        rules.overlay("c: '!'\nd: []\n", Path::new("two.yaml")).unwrap();
        let file = |name: &str| Origin::File(Path::new(name).into());
        let found: Vec<_> = rules.definitions().map(|rule| (rule.name, rule.source, rule.origin.clone())).collect();
        let expected = [
            ("a", "role:x or !", Origin::BuiltIn),
            ("b", "role:y", file("one.yaml")),
            ("c", "!", file("two.yaml")),
            ("d", "[]", file("two.yaml")),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_bad_file_changes_nothing() {
        let mut rules = Rules::new(&[("a", "!")], "default");
        rules.overlay_text("a: '@'\nb: 7\n").unwrap_err();
        assert!(!rules.allows("a", &Target::default(), &Creds::default()));
    }
}

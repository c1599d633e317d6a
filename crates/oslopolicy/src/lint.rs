//! What an operator should hear about a policy that loads but denies more than
//! was meant.

use std::collections::BTreeSet;
use std::fmt;

use crate::check::Check;
use crate::rules::Rules;

/// One fault of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Name of the rule.
    pub rule: String,
    /// The fault, in words.
    pub reason: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy rule {:?}: {}", self.rule, self.reason)
    }
}

/// Every fault of every rule, in the order of the rules' names.
pub(crate) fn warnings(rules: &Rules) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (name, check) in rules.iter() {
        let mut warn = |reason| {
            warnings.push(Warning { rule: name.to_owned(), reason });
        };
        for leaf in leaves(check) {
            match leaf {
                Check::Unusable(reason) => warn(reason.clone()),
                Check::Rule(other) if !rules.is_defined(other) => {
                    warn(format!("it refers to the undefined rule {other:?}"));
                }
                _ => {}
            }
        }
        if reaches_itself(rules, name, check) {
            warn("it refers back to itself".to_owned());
        }
    }
    warnings
}

fn leaves(check: &Check) -> Vec<&Check> {
    match check {
        Check::Not(inner) => leaves(inner),
        Check::And(checks) | Check::Or(checks) => checks.iter().flat_map(leaves).collect(),
        leaf => vec![leaf],
    }
}

fn reaches_itself(rules: &Rules, name: &str, check: &Check) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = vec![check];
    while let Some(check) = pending.pop() {
        for leaf in leaves(check) {
            let Check::Rule(other) = leaf else { continue };
            let Some((other, check)) = rules.resolve(other) else {
                continue;
            };
            if other == name {
                return true;
            }
            if seen.insert(other) {
                pending.push(check);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named() {
        let rules = Rules::new(
            &[
                ("a_fine", "role:admin or (rule:b_fine and not x:%(y)s)"),
                ("b_fine", "@"),
                ("c_leaf", "not (foo or rule:b_fine)"),
                ("d_text", "role:a role:b"),
                ("e_remote", "http://host/%(x)s"),
                ("e_remote_too", "https://host/%x"),
                ("f_undefined", "rule:gone"),
                ("g_loop", "rule:h_loop"),
                ("h_loop", "not rule:g_loop"),
                ("i_leads_into_loop", "rule:g_loop"),
            ],
            "default",
        );
        let found: Vec<String> = rules.warnings().iter().map(Warning::to_string).collect();
        let expected = [
            "policy rule \"c_leaf\": \"foo\" is no check: it has no ':'",
            "policy rule \"d_text\": cannot parse \"role:a role:b\": \
             'and' or 'or' is missing between two checks",
            "policy rule \"e_remote_too\": a URL has a '%' that begins neither '%(name)s' nor '%%'",
            "policy rule \"f_undefined\": it refers to the undefined rule \"gone\"",
            "policy rule \"g_loop\": it refers back to itself",
            "policy rule \"h_loop\": it refers back to itself",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_default_rule_can_close_a_cycle() {
        let rules = Rules::new(&[("default", "rule:gone")], "default");
        let reasons: Vec<_> = rules.warnings().into_iter().map(|w| w.reason).collect();
        assert_eq!(reasons, ["it refers to the undefined rule \"gone\"", "it refers back to itself"]);
    }
}

use serde_json::json;

use super::*;
use crate::facts::{Creds, Target};
use crate::remote::Verdict;

/// The parts, outermost first, each as `outcome check (note)`, indented by depth.
fn lines(explanation: &Explanation, depth: usize, out: &mut Vec<String>) {
    let note = explanation.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    out.push(format!("{}{:?} {}{note}", "  ".repeat(depth), explanation.outcome, explanation.check));
    for part in &explanation.parts {
        lines(part, depth + 1, out);
    }
}

fn explained(rules: &[(&str, &str)], answers: &Answers) -> Vec<String> {
    let rules = Rules::new(rules, "default");
    let (target, creds) = facts();
    let mut out = Vec::new();
    lines(&rules.explain("asked", &target, &creds, answers), 0, &mut out);
    out
}

fn facts() -> (Target, Creds) {
    (
        Target::default().with("project_id", "p2").with("tags", json!(["a"])),
        Creds::default().with("project_id", "p1").with("roles", json!(["member"])),
    )
}

#[test]
fn every_part_is_told_with_what_it_was_compared_with() {
    let rule = "rule:admin or (ROLE:x or role:member and not project_id:%(project_id)s) or 'public':%(visibility)s";
    let expected = [
        "Passed rule:asked",
        "  Passed or",
        "    Failed rule:admin",
        "      Failed role:admin",
        "    Passed or",
        "      Failed ROLE:x",
        "      Passed and",
        "        Passed role:member",
        "        Passed not",
        "          Failed project_id:%(project_id)s (the target has \"p2\")",
        "    Failed 'public':%(visibility)s (the target has no such attribute)",
    ];
    assert_eq!(explained(&[("asked", rule), ("admin", "role:admin")], &Answers::default()), expected);
}

#[test]
fn faults_are_told() {
    let rules = [("asked", "rule:gone or a b or (role:%(tags)s or rule:asked)")];
    let told = explained(&rules, &Answers::default());
    assert!(told[1].contains("Fault") && told[1].contains("cannot parse"), "{told:?}");
    let rules = [("asked", "rule:gone or (role:%(tags)s or rule:asked)")];
    let expected = [
        "Fault rule:asked",
        "  Fault or",
        "    Fault rule:gone (there is no such rule)",
        "    Fault or",
        "      Fault role:%(tags)s (the attribute of the target is no plain value)",
        "      Fault rule:asked (it refers back to itself, or too far)",
    ];
    assert_eq!(explained(&rules, &Answers::default()), expected);
    let rules = [("asked", "rule:gone"), ("default", "@")];
    let expected =
        ["Passed rule:asked", "  Passed rule:gone (there is no such rule: the default rule counts)", "    Passed @"];
    assert_eq!(explained(&rules, &Answers::default()), expected);
}

#[test]
fn what_other_servers_said_is_told() {
    let rules = [("asked", "http://j/%(project_id)s or http://j/x or http://j/y")];
    let (target, creds) = facts();
    let mut answers = Answers::default();
    for answer in [None, Some(false)] {
        let verdict = Rules::new(&rules, "default").judge("asked", &target, &creds, &answers);
        let Verdict::Ask(question) = verdict else { panic!("{verdict:?}") };
        answers.note(*question, answer);
    }
    let expected = [
        "Fault rule:asked",
        "  Fault or",
        "    Fault http://j/%(project_id)s (no answer from http://j/p2)",
        "    Failed http://j/x",
        "    Fault http://j/y (not asked)",
    ];
    assert_eq!(explained(&rules, &answers), expected);
}

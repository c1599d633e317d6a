use serde_json::json;

use super::*;
use crate::facts::{Creds, Target};

fn target() -> Target {
    Target::default()
        .with("project_id", "p1")
        .with("owner", "p2")
        .with("member_id", None::<String>)
        .with("visibility", "public")
        .with("protected", false)
        .with("min_ram", 512)
        .with("needed_role", "Auditor")
        .with("tags", json!(["a"]))
}

fn creds() -> Creds {
    Creds::default()
        .with("user_id", "u1")
        .with("project_id", "p1")
        .with("domain_id", None::<String>)
        .with("roles", json!(["Member", "auditor"]))
        .with("is_admin_project", true)
        .with("token", json!({"user": {"id": "u1"}, "groups": [{"id": "g1"}, {"id": "g2"}]}))
}

/// The rules the tables below lean on; `default` is false there.
const RULES: &[(&str, &str)] = &[
    ("default", "!"),
    ("yes", "@"),
    ("no", "!"),
    ("broken", "role:member role:member"),
    ("owner", "project_id:%(project_id)s"),
    ("self", "rule:self"),
    ("ping", "not rule:pong"),
    ("pong", "not rule:ping"),
    ("escape", "rule:escape or @"),
];

fn judge(check: &str) -> bool {
    let mut rules = Rules::new(RULES, "default");
    rules.overlay_text(&json!({ "asked": check }).to_string()).unwrap();
    rules.allows("asked", &target(), &creds())
}

#[test]
fn verdicts() {
    for (check, expected) in [
        ("", true),
        ("@", true),
        ("!", false),
        ("not @", false),
        ("not !", true),
        // Roles.
        ("role:member", true),
        ("role:MEMBER", true),
        ("role:admin", false),
        ("role:mem", false),
        ("role:", false),
        ("role:%(needed_role)s", true),
        ("role:%(missing)s", false),
        ("roles:Member", true),
        ("roles:member", false),
        // Values of the credentials.
        ("user_id:u1", true),
        ("user_id:u2", false),
        ("project_id:%(project_id)s", true),
        ("project_id:%(owner)s", false),
        ("project_id:%(missing)s", false),
        ("not project_id:%(missing)s", true),
        ("project_id:x%(project_id)s", false),
        ("tenant:%(project_id)s", false),
        ("not tenant:p1", true),
        ("domain_id:None", true),
        ("domain_id:%(member_id)s", true),
        ("domain_id:null", false),
        ("is_admin_project:True", true),
        ("is_admin_project:true", false),
        ("token.user.id:u1", true),
        ("token.user.id:u2", false),
        ("token.user:u1", false),
        ("token.user.id.more:u1", false),
        ("token.groups.id:g2", true),
        ("token.groups.id:g3", false),
        ("user_id:a:b", false),
        // Literals.
        ("'public':%(visibility)s", true),
        ("\"public\":%(visibility)s", true),
        ("'private':%(visibility)s", false),
        ("False:%(protected)s", true),
        ("True:%(protected)s", false),
        ("None:%(member_id)s", true),
        ("None:%(missing)s", false),
        ("512:%(min_ram)s", true),
        ("513:%(min_ram)s", false),
        ("'a':%(tags)s", false),
        ("'a:b':a:b", false),
        // Other rules.
        ("rule:yes", true),
        ("rule:no", false),
        ("rule:owner", true),
        ("rule:undefined", false),
        // Words.
        ("role:member and rule:owner", true),
        ("role:admin and rule:owner", false),
        ("role:admin or rule:owner", true),
        ("@ or @ and !", true),
        ("(@ or @) and !", false),
        ("not ! and !", false),
        ("rule:no or (role:member and (project_id:%(owner)s or 'public':%(visibility)s))", true),
    ] {
        assert_eq!(judge(check), expected, "{check}");
    }
}

/// What is wrong with the policy never permits, with or without a `not`, but
/// leaves the verdict of sound neighbours alone.
#[test]
fn faults_have_no_verdict() {
    for fault in [
        "foo",
        "http://127.0.0.1:1/%(id)s",
        "https://127.0.0.1:1/",
        "user_id:%",
        "'a:x",
        "rule:broken",
        "rule:self",
        "rule:ping",
    ] {
        for (check, expected) in [
            (fault.to_owned(), false),
            (format!("not {fault}"), false),
            (format!("not ({fault} and @)"), false),
            (format!("{fault} or @"), true),
            (format!("@ or {fault}"), true),
            (format!("{fault} or !"), false),
            (format!("not ({fault} and !)"), true),
        ] {
            assert_eq!(judge(&check), expected, "{check}");
        }
    }
    // The way out of a cycle that does not lead through it still counts.
    assert!(judge("rule:escape"));
}

#[test]
fn undefined_rules() {
    let (target, creds) = (target(), creds());
    for (rules, default_rule, name, expected) in [
        (&[("default", "@")][..], "default", "undefined", true),
        (&[("default", "!")], "default", "undefined", false),
        (&[("fallback", "@")], "fallback", "undefined", true),
        (&[("default", "@")], "fallback", "undefined", false),
        (&[], "default", "undefined", false),
        (&[("default", "rule:undefined")], "default", "undefined", false),
        (&[("a", "not rule:undefined")], "default", "a", false),
        (&[("a", "rule:b"), ("default", "@")], "default", "a", true),
    ] {
        let allowed = Rules::new(rules, default_rule).allows(name, &target, &creds);
        assert_eq!(allowed, expected, "{rules:?} {default_rule} {name}");
    }
}

#[test]
fn without_roles_nobody_has_one() {
    let rules = Rules::new(&[("a", "role:admin")], "default");
    for roles in [json!(null), json!("admin"), json!([]), json!([["admin"], 1])] {
        let creds = Creds::default().with("roles", roles.clone());
        assert!(!rules.allows("a", &target(), &creds), "{roles}");
    }
    assert!(!rules.allows("a", &target(), &Creds::default()));
}

#[test]
fn chains_of_rules_are_bounded() {
    let file: serde_json::Map<_, _> = (0..10_000)
        .map(|n| (format!("r{n}"), json!(format!("rule:r{}", n + 1))))
        .chain([("r10000".to_owned(), json!("@"))])
        .collect();
    let mut rules = Rules::new(&[], "default");
    rules.overlay_text(&Value::Object(file).to_string()).unwrap();
    let allows = |rule| rules.allows(rule, &target(), &creds());
    assert!(allows("r9937"));
    assert!(!allows("r9936"));
    assert!(!allows("r0"));
}

/// What the check comes to, asked for by way of another rule.
fn asked(check: &str, answers: &Answers) -> Verdict {
    let mut rules = Rules::new(RULES, "default");
    rules.overlay_text(&json!({ "asked": check, "over": "rule:asked" }).to_string()).unwrap();
    rules.judge("over", &target(), &creds(), answers)
}

fn question(check: &str) -> Option<Box<Question>> {
    match asked(check, &Answers::default()) {
        Verdict::Ask(question) => Some(question),
        _ => None,
    }
}

#[test]
fn questions_tell_all_and_are_asked_where_the_verdict_hangs_on_them() {
    let question_of = question("https://judge/%(project_id)s/%(member_id)s").unwrap();
    assert_eq!(question_of.url, "https://judge/p1/None");
    assert_eq!(question_of.rule, "over");
    assert_eq!(question_of.target, target().all());
    assert_eq!(question_of.credentials, creds().all());
    for (check, asks) in [
        ("http://j or role:member", false),
        ("http://j or role:admin", true),
        ("http://j and role:admin", false),
        ("not (http://j and role:member)", true),
        ("http://j or rule:broken", true),
        ("http://j/%(missing)s", false),
        ("not http://j/%(missing)s", false),
        ("http://j/%(tags)s", false),
    ] {
        assert_eq!(question(check).is_some(), asks, "{check}");
    }
}

#[test]
fn answers_count_and_a_missing_one_never_permits() {
    for (check, yes, no, missing) in [
        ("http://j", true, false, false),
        ("not http://j", false, true, false),
        ("http://j and role:member", true, false, false),
        ("http://j or rule:broken", true, false, false),
    ] {
        for (answer, expected) in [(Some(true), yes), (Some(false), no), (None, missing)] {
            let mut answers = Answers::default();
            answers.note(*question(check).unwrap(), answer);
            let expected = if expected { Verdict::Permitted } else { Verdict::Denied };
            assert_eq!(asked(check, &answers), expected, "{check} {answer:?}");
        }
    }
}

#[test]
fn each_url_is_asked_once() {
    let check = "http://j/a and http://j/b and http://j/a";
    let mut answers = Answers::default();
    for url in ["http://j/a", "http://j/b"] {
        let Verdict::Ask(question) = asked(check, &answers) else { panic!("{url} is not asked") };
        assert_eq!(question.url, url);
        answers.note(*question, Some(true));
    }
    assert_eq!(asked(check, &answers), Verdict::Permitted);
}

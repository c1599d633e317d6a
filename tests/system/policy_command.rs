//! `gander policy`: what it tells is what the server does (policy-and-auth §3 to §5).

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Outcome, gander_command, run};

/// A directory with a configuration and the operator's policy.
struct Deployment(tempfile::TempDir);

impl Deployment {
    fn new(conf: &str, policy: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("glance-api.conf"), conf).unwrap();
        fs::write(dir.path().join("policy.yaml"), policy).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, command: &str, options: &[&str]) -> Outcome {
        let conf = self.path("glance-api.conf");
        let mut gander = gander_command();
        gander.args(["policy", command, "--config-file"]).arg(conf).args(options).current_dir(self.0.path());
        run(&mut gander)
    }

    /// What the list says of a rule.
    fn rule(&self, name: &str) -> Value {
        let outcome = self.run("list", &["--format", "json"]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
        let rules: Vec<Value> = serde_json::from_str(&outcome.stdout).unwrap();
        rules.into_iter().find(|rule| rule["name"] == name).unwrap_or_else(|| panic!("{name} is not listed"))
    }

    /// Exit code and lines of a check.
    fn check(&self, options: &[&str]) -> (Option<i32>, Vec<String>) {
        let outcome = self.run("check", options);
        assert_eq!(outcome.stderr, "", "{outcome:?}");
        (outcome.code, outcome.stdout.lines().map(str::to_owned).collect())
    }

    #[track_caller]
    fn passes(&self, rule: &str, options: &[&str], expected: bool) {
        let (code, lines) = self.check(&[&["--rule", rule], options].concat());
        let word = if expected { "passed" } else { "failed" };
        assert_eq!((code, lines), (Some(i32::from(!expected)), vec![format!("{word}: {rule}")]), "{options:?}");
    }
}

const MEMBER: [&str; 6] = ["--user-id", "u", "--project-id", "p", "--roles", "member,reader"];

fn member_and(more: &[&'static str]) -> Vec<&'static str> {
    [&MEMBER, more].concat()
}

#[test]
fn every_rule_is_listed_with_its_text_and_its_file() {
    let deployment = Deployment::new("", "get_images: 'role:a'\nstewards: [[\"role:b\", \"@\"]]\n");
    fs::create_dir(deployment.path("policy.d")).unwrap();
    fs::write(deployment.path("policy.d/10.yaml"), "get_image: ''\n").unwrap();
    let at = |name: &str| deployment.path(name).display().to_string();
    let expected = |name: &str, file: Value, check: &str, known: bool| {
        assert_eq!(
            deployment.rule(name),
            json!({"name": name, "file": file, "check": check, "known": known, "faults": []})
        );
    };
    expected("get_images", json!(at("policy.yaml")), "role:a", true);
    expected("get_image", json!(at("policy.d/10.yaml")), "", true);
    expected("copy_image", Value::Null, "rule:context_is_admin", true);
    expected("stewards", json!(at("policy.yaml")), "[[\"role:b\",\"@\"]]", false);
    let table = deployment.run("list", &[]).stdout;
    let line = |name: &str| table.lines().find(|line| line.split(' ').next() == Some(name)).unwrap().to_owned();
    assert!(line("get_images").contains("policy.yaml ") && line("get_images").ends_with("  role:a"), "{table}");
    assert!(line("copy_image").contains("built-in "), "{table}");
    assert!(line("get_image").ends_with("\"\""), "{table}");
}

#[test]
fn old_forms_are_part_of_the_text_where_they_count() {
    let deployment = Deployment::new("[oslo_policy]\nenforce_new_defaults = false\n", "get_images: 'role:a'\n");
    assert_eq!(deployment.rule("cache_list")["check"], "(rule:context_is_admin) or (rule:manage_image_cache)");
    assert_eq!(deployment.rule("get_images")["check"], "role:a");
    // What was open to all was always the owner's alone to change.
    deployment.passes("modify_image", &["--project-id", "p"], true);
    deployment.passes("modify_image", &["--project-id", "p", "--target", "owner=q"], false);
    deployment.passes("modify_image", &["--project-id", "p", "--roles", "admin", "--target", "owner=q"], true);
}

#[test]
fn faults_are_listed() {
    let policy = "get_image: role:a role:b\nget_images: rule:gone\nloop: not rule:loop\n";
    let deployment = Deployment::new("", policy);
    let mut table = deployment.run("list", &[]).stdout;
    for (rule, fault) in [
        ("get_image", "'and' or 'or' is missing between two checks"),
        ("get_images", "it refers to the undefined rule \"gone\""),
        ("loop", "it refers back to itself"),
    ] {
        let faults = deployment.rule(rule)["faults"].clone();
        assert!(faults[0].as_str().unwrap().contains(fault), "{faults}");
        let at = table.find(fault).unwrap_or_else(|| panic!("{fault} is not below its rule: {table}"));
        table = table.split_off(at);
    }
    fs::write(deployment.path("policy.yaml"), "[]").unwrap();
    let outcome = deployment.run("list", &[]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("policy.yaml"), "{outcome:?}");
}

#[test]
fn callers_and_images_are_judged_as_the_server_does() {
    let deployment = Deployment::new("", "");
    let passes = |rule: &str, more: &[&'static str], expected| deployment.passes(rule, &member_and(more), expected);
    passes("modify_image", &[], true);
    passes("modify_image", &["--target", "owner=q"], false);
    passes("modify_image", &["--target", "project_id=q"], false);
    passes("add_image", &["--target", "owner=q", "--target", "project_id=p"], false);
    passes("get_image", &["--target", "owner=q"], false);
    passes("get_image", &["--target", "owner=q", "--target", "visibility=public"], true);
    passes("get_image", &["--target", "owner=q", "--target", "member_id=p"], true);
    passes("copy_image", &[], false);
    passes("copy_image", &["--roles", "Admin"], true);
    passes("modify_member", &[], false);
    // Every rule of the API is for tokens of a project.
    passes("modify_image", &["--is-system"], false);
    passes("modify_image", &["--system-scope", "all"], false);
    passes("modify_image", &["--domain-id", "d"], false);
    passes("service_api", &["--roles", "service", "--is-system"], true);
}

#[test]
fn tokens_and_targets_come_from_files() {
    let deployment = Deployment::new("", "deep: 'u:%(image.meta.kind)s or user_id:%(image.owner)s'\n");
    let token = json!({"token": {"user": {"id": "u"}, "project": {"id": "p"}, "roles": [{"name": "member"}]}});
    fs::write(deployment.path("token.json"), token.to_string()).unwrap();
    fs::write(deployment.path("target.json"), r#"{"image": {"owner": "u", "meta": {"kind": 7}}}"#).unwrap();
    deployment.passes("modify_image", &["--access", "token.json"], true);
    deployment.passes("modify_image", &["--access", "token.json", "--project-id", "q", "--target", "owner=p"], false);
    deployment.passes("modify_image", &["--access", "token.json", "--target-file", "target.json"], false);
    deployment.passes("deep", &["--access", "token.json", "--target-file", "target.json"], true);
    deployment.passes("deep", &["--access", "token.json"], false);
    for (option, text) in [("--access", "{}"), ("--access", "[]"), ("--target-file", "7")] {
        fs::write(deployment.path("bad.json"), text).unwrap();
        let outcome = deployment.run("check", &[option, "bad.json"]);
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.contains("bad.json"), "{outcome:?}");
    }
}

#[test]
fn without_names_all_rules_are_told_and_nothing_fails() {
    let deployment = Deployment::new("", "mine: '!'\n");
    let (code, lines) = deployment.check(&MEMBER);
    assert_eq!(code, Some(0));
    for line in ["failed: mine", "passed: upload_image", "failed: publicize_image", "passed: default"] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:?}");
    }
    let (code, lines) = deployment.check(&member_and(&["--rule", "upload_image", "--rule", "mine"]));
    assert_eq!((code, lines.len()), (Some(1), 2));
}

#[test]
fn explanations_tell_the_parts() {
    let deployment = Deployment::new("", "");
    let options = member_and(&["--rule", "modify_image", "--explain", "--target", "owner=q"]);
    let (code, lines) = deployment.check(&options);
    assert_eq!(code, Some(1));
    let expected = [
        "failed: modify_image",
        "  check: rule:context_is_admin or (role:member and project_id:%(project_id)s)",
        "  from: built-in",
        "  failed: or",
        "    failed: rule:context_is_admin",
        "      failed: role:admin",
        "    failed: and",
        "      passed: role:member",
        "      failed: project_id:%(project_id)s (the target has \"q\")",
    ];
    assert_eq!(lines, expected);
    let (_, lines) = deployment.check(&member_and(&["--rule", "modify_image", "--explain", "--is-system"]));
    assert_eq!(lines.last().unwrap(), "  failed: the rule is for tokens of a project only");
}

#[test]
fn what_cannot_be_understood_is_told() {
    let deployment = Deployment::new("", "");
    for options in [
        ["check", "--rule=nope"],
        ["check", "--target=x"],
        ["check", "--system-scope=some"],
        ["list", "--format=xml"],
        ["frobnicate", "-v"],
    ] {
        let outcome = deployment.run(options[0], &options[1..]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
        assert!(outcome.stderr.starts_with("error: "), "{outcome:?}");
    }
    assert_eq!(run(gander_command().arg("policy")).code, Some(2));
    for words in [&["policy", "--help"][..], &["policy", "list", "--help"], &["policy", "check", "--help"]] {
        let help = run(gander_command().args(words));
        assert_eq!(help.code, Some(0), "{help:?}");
        assert!(help.stdout.contains("Usage: gander policy"), "{help:?}");
    }
}

//! The language against oslo.policy itself: rules, targets and credentials by chance, judged by both.
//!
//! `GANDER_POLICY_CASES` and `GANDER_POLICY_SEED` ask for more, or for others.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail loudly")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use fuzzing::Random;
use oslopolicy::{Answers, Creds, Rules, Target, Verdict};
use serde_json::{Map, Value, json};

/// With which the oracle ends when oslo.policy cannot be had.
const UNAVAILABLE: i32 = 77;

const NAMES: [&str; 5] = ["a", "b", "c", "default", "missing"];
const KEYS: [&str; 6] = ["project_id", "owner", "visibility", "protected", "size", "missing"];
const VALUES: [&str; 7] = ["p", "q", "public", "admin", "None", "True", "7"];

/// A question of both.
struct Question {
    rules: Map<String, Value>,
    rule: &'static str,
    target: Map<String, Value>,
    creds: Map<String, Value>,
}

impl Question {
    fn by_chance(random: &mut Random) -> Self {
        let mut rules = Map::new();
        for name in NAMES.iter().filter(|name| **name != "missing") {
            if random.below(5) > 0 {
                rules.insert((*name).to_owned(), rule(random));
            }
        }
        let mut target = Map::new();
        for key in KEYS.iter().filter(|key| **key != "missing") {
            if random.below(4) > 0 {
                target.insert((*key).to_owned(), value(random));
            }
        }
        let mut creds = Map::new();
        for key in ["user_id", "project_id", "is_admin_project"] {
            if random.below(4) > 0 {
                creds.insert(key.to_owned(), value(random));
            }
        }
        if random.below(8) > 0 {
            let roles = (0..random.below(4)).map(|_| json!(*random.of(&["admin", "Member", "reader", "p", "x"])));
            creds.insert("roles".to_owned(), roles.collect());
        }
        creds.insert("token".to_owned(), json!({"user": {"id": value(random)}, "names": ["p", "q"]}));
        Self { rules, rule: *random.of(&NAMES), target, creds }
    }

    /// Our verdict, and whether some rule has a fault.
    fn ours(&self) -> (bool, bool) {
        let mut rules = Rules::new(&[], "default");
        if rules.overlay(&Value::Object(self.rules.clone()).to_string(), Path::new("policy.json")).is_err() {
            return (false, true);
        }
        let with = |target: Target, (name, value): (&String, &Value)| target.with(name, value.clone());
        let target = self.target.iter().fold(Target::default(), with);
        let faulty = !rules.warnings().is_empty();
        let creds = Creds::from(self.creds.clone());
        let verdict = rules.judge(self.rule, &target, &creds, &Answers::default());
        (verdict == Verdict::Permitted, faulty)
    }

    fn line(&self) -> String {
        json!({"rules": self.rules, "rule": self.rule, "target": self.target, "creds": self.creds}).to_string()
    }
}

fn value(random: &mut Random) -> Value {
    match random.below(9) {
        0 => Value::Null,
        1 if random.below(3) == 0 => json!(["p", "q"]),
        1 => json!(true),
        2 => json!(7),
        _ => json!(*random.of(&VALUES)),
    }
}

fn rule(random: &mut Random) -> Value {
    match random.below(12) {
        0 => json!(""),
        1 => json!([]),
        2..=4 => {
            let mut alternatives = Vec::new();
            for _ in 0..random.below(4) {
                alternatives.push(match random.below(4) {
                    0 => json!(leaf(random)),
                    _ => (0..random.below(3)).map(|_| json!(leaf(random))).collect(),
                });
            }
            alternatives.into()
        }
        _ => json!(text(random, 0)),
    }
}

fn text(random: &mut Random, depth: usize) -> String {
    match random.below(if depth > 3 { 3 } else { 9 }) {
        0..=2 => leaf(random),
        3 => format!("not {}", text(random, depth + 1)),
        4 => format!("({})", text(random, depth + 1)),
        5 => format!("( {} )", text(random, depth + 1)),
        6 => format!("{} AND {}", text(random, depth + 1), text(random, depth + 1)),
        7 => format!("{} and {}", text(random, depth + 1), text(random, depth + 1)),
        _ => format!("{} or  {}", text(random, depth + 1), text(random, depth + 1)),
    }
}

fn leaf(random: &mut Random) -> String {
    let key = *random.of(&KEYS);
    let word = *random.of(&VALUES);
    match random.below(24) {
        0 => "@".to_owned(),
        1 => "!".to_owned(),
        2..=4 => format!("role:{}", random.of(&["admin", "MEMBER", "reader", "nobody"])),
        5 => format!("role:%({key})s"),
        6..=8 => format!("rule:{}", *random.of(&NAMES)),
        9..=11 => format!("project_id:%({key})s"),
        12 => format!("user_id:{word}"),
        13 => format!("'{word}':%({key})s"),
        14 => format!("\"{word}\":%({key})s"),
        15 => format!(
            "{}:%({key})s",
            random.of(&["True", "None", "7", "-1", "1.5", "False", "u'p'", "0x7", "b'p'", "[7]", "1_0"])
        ),
        16 => format!("token.user.id:{word}"),
        17 => format!("token.names:{word}"),
        18 => format!("roles:{}", random.of(&["admin", "Member", "p"])),
        19 => format!("project_id:x%({key})sy"),
        20 => format!("missing.deep:{word}"),
        21 => format!("is_admin_project:{word}"),
        22 => format!("user_id:%(owner)s%({key})s"),
        _ => (*random.of(&["odd", "a b:c", ":", "a:", ":b", "'quoted'", "and", "a:%(", "a:%%", "a:50%", "()"]))
            .to_owned(),
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect(name))
}

#[test]
fn oslo_policy_judges_as_we_do() {
    let mut random = Random::new(number("GANDER_POLICY_SEED", 1));
    let questions: Vec<_> =
        (0..number("GANDER_POLICY_CASES", 6000)).map(|_| Question::by_chance(&mut random)).collect();
    let input: String = questions.iter().map(|question| question.line() + "\n").collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/run");
    let mut oracle =
        Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut pipe = oracle.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let outcome = oracle.wait_with_output().unwrap();
    if outcome.status.code() == Some(UNAVAILABLE) {
        // Counted by tools/test, past the capture of the test runner.
        writeln!(std::io::stderr(), "SKIPPED: differential: no oslo.policy").unwrap();
        return;
    }
    feeding.join().unwrap().unwrap();
    let verdicts = String::from_utf8(outcome.stdout).unwrap();
    let verdicts: Vec<Option<bool>> = verdicts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), questions.len());
    let (mut same, mut allowed, mut crashed) = (0, 0, 0);
    let mut differing = Vec::new();
    for (question, theirs) in questions.iter().zip(verdicts) {
        let (ours, faulty) = question.ours();
        // It fails on a circle, or on a name that is no name; whoever asks it answers 500 then.
        let Some(theirs) = theirs else {
            crashed += 1;
            continue;
        };
        // On purpose: no fault of a rule ever permits anything, not even behind a `not`; nor does a comparison with a list.
        let lists = question.target.values().any(Value::is_array);
        let closed = (faulty || lists) && !ours && theirs;
        if ours != theirs && !closed {
            differing.push(format!("ours {ours}, theirs {theirs}: {}", question.line()));
        }
        same += usize::from(ours == theirs);
        allowed += usize::from(ours);
    }
    differing.sort_by_key(String::len);
    differing.truncate(10);
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    // Both ways often enough to mean something.
    let all = questions.len();
    let telling = same * 10 > all * 6 && allowed * 10 > all;
    assert!(telling, "of {all} {same} are the same, {allowed} allowed, {crashed} crashes of oslo.policy");
}

use serde_json::json;

use super::*;

fn leaf(source: &str) -> Check {
    Check::leaf(source)
}

fn not(check: Check) -> Check {
    Check::Not(Box::new(check))
}

#[test]
fn text_syntax() {
    use Check::{And, False, Or, True};
    let (a, b, c) = (|| leaf("role:a"), || leaf("x:b"), || leaf("rule:c"));
    for (rule, expected) in [
        ("", True),
        ("@", True),
        ("!", False),
        ("role:a", a()),
        ("role:a and x:b", And(vec![a(), b()])),
        ("role:a and x:b and rule:c", And(vec![a(), b(), c()])),
        ("role:a or x:b or rule:c", Or(vec![a(), b(), c()])),
        ("role:a or x:b and rule:c", Or(vec![a(), And(vec![b(), c()])])),
        ("role:a and x:b or rule:c", Or(vec![And(vec![a(), b()]), c()])),
        ("(role:a or x:b) and rule:c", And(vec![Or(vec![a(), b()]), c()])),
        ("not role:a and x:b", And(vec![not(a()), b()])),
        ("NOT (role:a OR x:b)", not(Or(vec![a(), b()]))),
        ("not not role:a", not(not(a()))),
        ("role:a and not x:b", And(vec![a(), not(b())])),
        ("((role:a))", a()),
        ("  role:a\n or\tx:b ", Or(vec![a(), b()])),
    ] {
        assert_eq!(text(rule), expected, "{rule}");
    }
}

#[test]
fn unparsable_text_is_unusable_and_says_why() {
    for (rule, reason) in [
        (" ", "a check is missing"),
        ("()", "a check is missing"),
        ("and", "a check is missing"),
        ("not", "a check is missing"),
        ("role:a or", "a check is missing"),
        ("or role:a", "a check is missing"),
        ("role:a and or role:b", "a check is missing"),
        ("role:a role:b", "'and' or 'or' is missing"),
        ("role:a not role:b", "'and' or 'or' is missing"),
        ("(role:a", "')' is missing"),
        ("role:a)", "')' too many"),
        ("'role:a'", "no check"),
        ("role:a or \"x\"", "no check"),
    ] {
        match text(rule) {
            Check::Unusable(why) => assert!(why.contains(reason), "{rule}: {why}"),
            other => panic!("{rule} parsed as {other:?}"),
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| format!("{}@{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(text(&nested(MAX_DEPTH - 1)), Check::True);
    for rule in [nested(MAX_DEPTH), nested(100_000), format!("{}@", "not ".repeat(100_000))] {
        assert!(matches!(text(&rule), Check::Unusable(_)));
    }
}

#[test]
fn bad_leaves_spoil_only_themselves() {
    for source in ["foo", ":x", "x:%", "role:%(a", "'a:x", "http://host/%x", "https:%("] {
        let Check::Or(alternatives) = text(&format!("{source} or role:a")) else {
            panic!("{source} spoils its neighbour");
        };
        assert!(matches!(alternatives[0], Check::Unusable(_)), "{source}");
        assert_eq!(alternatives[1], leaf("role:a"), "{source}");
    }
}

#[test]
fn list_syntax() {
    use Check::{And, Or, True};
    for (rule, expected) in [
        (json!([]), Some(True)),
        (json!([[]]), Some(Or(vec![]))),
        (json!([""]), Some(Or(vec![]))),
        (json!(["role:a"]), Some(Or(vec![leaf("role:a")]))),
        (json!([["role:a"]]), Some(Or(vec![And(vec![leaf("role:a")])]))),
        (
            json!([["role:a", "x:b"], [], "rule:c"]),
            Some(Or(vec![And(vec![leaf("role:a"), leaf("x:b")]), leaf("rule:c")])),
        ),
        // Words of the text syntax mean nothing inside a list.
        (json!(["role:a or role:b"]), Some(Or(vec![leaf("role:a or role:b")]))),
        (json!([1]), None),
        (json!([[1]]), None),
        (json!([[["role:a"]]]), None),
        (json!([null]), None),
        (json!(null), None),
        (json!(true), None),
        (json!(7), None),
        (json!({"a": "b"}), None),
    ] {
        assert_eq!(value(&rule), expected, "{rule}");
    }
}

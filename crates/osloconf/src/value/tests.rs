//! The conversion table (configuration §1.4), kind by kind.

use super::*;

const STR: Opt = Opt::str("DEFAULT", "s");
const INT: Opt = Opt::int("DEFAULT", "i");
const FLOAT: Opt = Opt::float("DEFAULT", "f");
const LIST: Opt = Opt::list("DEFAULT", "l");

fn wrong<T: std::fmt::Debug>(parsed: Parsed<T>) -> String {
    parsed.unwrap_err()
}

#[test]
fn strings_stand_as_they_are() {
    assert_eq!(string(&STR, "").unwrap(), "");
    assert_eq!(string(&STR, " a ").unwrap(), " a ");
}

#[test]
fn choices_match_exactly_unless_case_is_free() {
    let exact = STR.choices(&["sqlite", "xattr"]);
    assert_eq!(string(&exact, "xattr").unwrap(), "xattr");
    assert_eq!(wrong(string(&exact, "XATTR")), "is not one of sqlite, xattr");
    assert_eq!(string(&exact.any_case(), "XATTR").unwrap(), "xattr");
}

#[test]
fn booleans_have_four_words_each() {
    for text in ["true", "1", "on", "yes", "YES", "True"] {
        assert_eq!(boolean(text), Ok(true), "{text}");
    }
    for text in ["false", "0", "off", "no", "oFF"] {
        assert_eq!(boolean(text), Ok(false), "{text}");
    }
    for text in ["", "2", "y", "enabled"] {
        assert_eq!(wrong(boolean(text)), "is not a boolean", "{text}");
    }
}

#[test]
fn integers_are_trimmed_bounded_and_may_be_null() {
    assert_eq!(integer(&INT, " -7 "), Ok(Some(-7)));
    assert_eq!(integer(&INT, "  "), Ok(None));
    assert_eq!(integer(&INT, "9223372036854775807"), Ok(Some(i64::MAX)));
    assert_eq!(wrong(integer(&INT, "9223372036854775808")), "does not fit a 64-bit integer");
    assert_eq!(wrong(integer(&INT, "1.5")), "is not an integer");
    let bounded = INT.range(1, 3);
    assert_eq!(wrong(integer(&bounded, "0")), "is less than the minimum 1");
    assert_eq!(integer(&bounded, "1"), Ok(Some(1)));
    assert_eq!(integer(&bounded, "3"), Ok(Some(3)));
    assert_eq!(wrong(integer(&bounded, "4")), "is greater than the maximum 3");
    assert_eq!(wrong(integer(&Opt::port("DEFAULT", "p"), "65536")), "is greater than the maximum 65535");
}

#[test]
fn floats_are_finite_bounded_and_may_be_null() {
    assert_eq!(float(&FLOAT, " 1.5 "), Ok(Some(1.5)));
    assert_eq!(float(&FLOAT, ""), Ok(None));
    for text in ["abc", "nan", "inf"] {
        assert_eq!(wrong(float(&FLOAT, text)), "is not a finite number", "{text}");
    }
    assert_eq!(wrong(float(&FLOAT.min(0), "-0.1")), "is less than the minimum 0");
    assert_eq!(wrong(float(&FLOAT.range(0, 1), "1.1")), "is greater than the maximum 1");
}

#[test]
fn lists_split_at_commas() {
    for (text, items) in [
        ("", vec![]),
        (" , ", vec![]),
        ("a", vec!["a"]),
        (" a , b ,", vec!["a", "b"]),
        ("a,,b", vec!["a", "", "b"]),
        ("a,\nb\nc", vec!["a", "b\nc"]),
        ("[a,b]", vec!["[a", "b]"]),
    ] {
        assert_eq!(list(&LIST, text).unwrap(), items, "{text:?}");
    }
}

#[test]
fn bracketed_lists_need_their_brackets_and_take_quotes() {
    let opt = LIST.bracketed();
    for (text, items) in [
        ("[]", vec![]),
        ("[ ]", vec![]),
        ("[a, b]", vec!["a", "b"]),
        ("['a,b', \"c\" ,d]", vec!["a,b", "c", "d"]),
        ("[a,\nb],", vec!["a", "b"]),
    ] {
        assert_eq!(list(&opt, text).unwrap(), items, "{text:?}");
    }
    for text in ["", "a,b", "[a", "a]"] {
        assert_eq!(wrong(list(&opt, text)), "is not a list in square brackets", "{text:?}");
    }
    assert_eq!(wrong(list(&opt, "['a,b]")), "has an item with an unclosed quote");
}

#[test]
fn dicts_split_at_the_first_colon_and_glue_loose_commas() {
    let pairs = |text| dict(text).unwrap();
    assert_eq!(pairs(" "), []);
    let expected = [("b".to_owned(), "file:x, y".to_owned()), ("a".to_owned(), String::new())];
    assert_eq!(pairs("b : file:x, y , a:,"), expected);
    assert_eq!(wrong(dict("a")), "is not a list of key:value pairs separated by commas");
    assert_eq!(wrong(dict(":v")), "has an empty key");
    assert_eq!(wrong(dict("a:1,b:2,a:3")), "has the same key twice");
}

#[test]
fn check_follows_the_kind() {
    assert!(check(&STR, "x").is_ok());
    assert!(check(&Opt::multi("DEFAULT", "m"), "a,b").is_ok());
    assert!(check(&Opt::bool("DEFAULT", "b"), "x").is_err());
    assert!(check(&INT, "x").is_err());
    assert!(check(&FLOAT, "x").is_err());
    assert!(check(&LIST.bracketed(), "x").is_err());
    assert!(check(&Opt::dict("DEFAULT", "d"), "x").is_err());
}

/// Joining any items with commas and reading them back gives the items.
#[test]
fn lists_survive_a_round_trip() {
    let words = ["a", "b c", "'q'", "x:y", "[z]"];
    for first in words {
        for second in words {
            assert_eq!(list(&LIST, &format!("{first} ,\n {second}")).unwrap(), [first, second]);
        }
    }
}

//! Every rule of the syntax table (configuration §1.2), and each way to break it.

use super::*;

fn oslo(text: &str) -> Vec<Section> {
    parse(text, Path::new("x.conf"), Dialect::Oslo).unwrap()
}

fn python(text: &str) -> Vec<Section> {
    parse(text, Path::new("x.ini"), Dialect::ConfigParser).unwrap()
}

fn pairs(section: &Section) -> Vec<(&str, &str)> {
    section.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str())).collect()
}

fn refusal(text: &str, dialect: Dialect) -> String {
    parse(text, Path::new("x.conf"), dialect).unwrap_err().to_string()
}

#[test]
fn splits_at_the_first_separator_and_trims() {
    let sections = oslo("[DEFAULT]\na=1\n b\n[g]\nurl = http://h:1/?x=y\nmap : a=b\n  more  \n");
    assert_eq!(sections[0].name, "DEFAULT");
    assert_eq!(pairs(&sections[0]), [("a", "1\nb")]);
    assert_eq!(pairs(&sections[1]), [("url", "http://h:1/?x=y"), ("map", "a=b\nmore")]);
    assert_eq!(sections[1].entries[1].line, 6);
}

#[test]
fn comments_stand_in_the_first_column_only() {
    let sections = oslo("# one\n[g]\n;two\na = b # c\nd = e ; f\n");
    assert_eq!(pairs(&sections[0]), [("a", "b # c"), ("d", "e ; f")]);
}

#[test]
fn repeated_keys_and_headers_keep_every_occurrence_in_order() {
    let sections = oslo("[g]\na = 1\na = 2\n[h]\n[g]\na = 3\n");
    assert_eq!(pairs(&sections[0]), [("a", "1"), ("a", "2")]);
    assert_eq!(pairs(&sections[2]), [("a", "3")]);
}

#[test]
fn one_outer_pair_of_quotes_is_dropped() {
    for (written, read) in [
        ("'a b'", "a b"),
        ("\" a \"", " a "),
        ("'a' and 'b'", "a' and 'b"),
        ("'a\"", "'a\""),
        ("'", ""),
        ("''", ""),
        ("a'b'", "a'b'"),
    ] {
        assert_eq!(pairs(&oslo(&format!("[g]\nk = {written}\n"))[0]), [("k", read)], "{written}");
        assert_eq!(pairs(&python(&format!("[g]\nk = {written}\n"))[0]), [("k", written)], "{written}");
    }
}

#[test]
fn a_value_may_start_on_a_continuation_line() {
    for sections in [oslo("[g]\nk =\n   v \nl =\n"), python("[g]\nk =\n   v \nl =\n")] {
        assert_eq!(pairs(&sections[0]), [("k", "v"), ("l", "")]);
    }
}

#[test]
fn carriage_returns_and_a_missing_last_newline_do_not_matter() {
    assert_eq!(pairs(&oslo("[g]\r\na = b\r\n\tc\r\n\r\nd = e")[0]), [("a", "b\nc"), ("d", "e")]);
}

#[test]
fn every_broken_rule_names_file_line_and_rule() {
    for (text, message) in [
        ("a = b\n", "x.conf:1: section must be started before assignment"),
        ("[g]\n\nnonsense\n", "x.conf:3: no ':' or '=' found in assignment"),
        ("[g]\n = b\n", "x.conf:2: unexpected continuation line: no value before it"),
        ("[g]\n= b\n", "x.conf:2: key cannot be empty"),
        ("[]\n", "x.conf:1: empty section name"),
        ("[g] x\n", "x.conf:1: invalid section: must end with ]"),
        ("[g] # x\n", "x.conf:1: invalid section: must end with ]"),
        ("[g\n", "x.conf:1: invalid section: must end with ]"),
        ("[g]\na = b\n\n c\n", "x.conf:4: unexpected continuation line: no value before it"),
        ("[g]\na = b\n# c\n d\n", "x.conf:4: unexpected continuation line: no value before it"),
        ("[g]\na = b\n[h]\n d\n", "x.conf:4: unexpected continuation line: no value before it"),
        ("\u{feff}[g]\n", "x.conf:1: byte order mark not allowed"),
    ] {
        assert_eq!(refusal(text, Dialect::Oslo), message, "{text:?}");
    }
    assert_eq!(refusal("[g] x\n", Dialect::ConfigParser), "x.conf:1: invalid section: must end with ]");
}

#[test]
fn config_parser_skips_blanks_and_comments_inside_a_value() {
    let sections = python("[g] ; head\n  # deep\n  k = a\n\n  b\n# c\n  ; d\n  e\n");
    assert_eq!(sections[0].name, "g");
    assert_eq!(pairs(&sections[0]), [("k", "a\nb\ne")]);
}

#[test]
fn reading_tells_a_missing_file_from_bad_text() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.conf");
    assert!(matches!(read(&path, Dialect::Oslo), Err(Error::ReadFile { .. })));
    fs::write(&path, b"[g]\na = b\nc = \xff\n").unwrap();
    let message = read(&path, Dialect::Oslo).unwrap_err().to_string();
    assert!(message.ends_with("x.conf:3: not valid UTF-8"), "{message}");
}

/// Whatever the text, the parser answers: every prefix of a tangled file parses or is refused, never panics.
#[test]
fn any_cut_of_a_file_is_answered() {
    let text = "# é\n[g]\nk = 'ä'\n\t\u{2003}ö\n[h:ü]\n: = :\n[]\n[x] ]\n";
    for (cut, _) in text.char_indices() {
        for dialect in [Dialect::Oslo, Dialect::ConfigParser] {
            let _ = parse(&text[..cut], Path::new("x"), dialect);
            let _ = parse(&text[cut..], Path::new("x"), dialect);
        }
    }
}

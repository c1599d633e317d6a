//! Telling what is different in two answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One line per difference. `complete`: a member of an object that is not expected must not be there.
pub(super) fn differences(expected: &Value, found: &Value, complete: bool) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", expected, found, complete, &mut lines);
    lines
}

fn compare(place: &str, expected: &Value, found: &Value, complete: bool, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for key in keys(expected, found) {
                let place = format!("{place}/{key}");
                match (expected.get(key), found.get(key)) {
                    (None, Some(_)) if !complete => {}
                    (Some(expected), Some(found)) => compare(&place, expected, found, complete, lines),
                    (expected, found) => lines.push(line(&place, expected, found)),
                }
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            for at in 0..expected.len().max(found.len()) {
                let place = format!("{place}/{at}");
                match (expected.get(at), found.get(at)) {
                    (Some(expected), Some(found)) => compare(&place, expected, found, complete, lines),
                    (expected, found) => lines.push(line(&place, expected, found)),
                }
            }
        }
        _ if same(place, expected, found) => {}
        _ => lines.push(line(place, Some(expected), Some(found))),
    }
}

/// White space in the bodies of errors is no matter, nor are capitals in a type.
fn same(place: &str, expected: &Value, found: &Value) -> bool {
    match (place, expected.as_str(), found.as_str()) {
        ("/text" | "/json/message", Some(expected), Some(found)) => {
            expected.split_whitespace().eq(found.split_whitespace())
        }
        ("/headers/Content-Type", Some(expected), Some(found)) => expected.eq_ignore_ascii_case(found),
        _ => expected == found,
    }
}

fn keys<'a>(expected: &'a Map<String, Value>, found: &'a Map<String, Value>) -> BTreeSet<&'a String> {
    expected.keys().chain(found.keys()).collect()
}

fn line(place: &str, expected: Option<&Value>, found: Option<&Value>) -> String {
    let show = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    format!("{place}: expected {}, found {}", show(expected), show(found))
}

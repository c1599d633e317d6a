//! JSON patches of images, in the two spellings of Glance (v2-images §6.4). Neither is RFC 6902, so no library reads them.

use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::body::explained;
use crate::api::error::ApiError;

const V2_0: &str = "application/openstack-images-v2.0-json-patch";
const V2_1: &str = "application/openstack-images-v2.1-json-patch";
/// Names the media types that PATCH takes (RFC 5789 §3.1).
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// Both of them.
const BOTH: &str = "application/openstack-images-v2.0-json-patch, application/openstack-images-v2.1-json-patch";

/// The spelling of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `{"add": "/path", "value": …}`; what is there cannot be added.
    V2_0,
    /// `{"op": "add", "path": "/path", "value": …}`; what is there is replaced.
    V2_1,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Remove,
    Replace,
}

impl Op {
    const ALL: [(&str, Self); 3] = [("add", Self::Add), ("remove", Self::Remove), ("replace", Self::Replace)];

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(name, op)| (name == word).then_some(op))
    }
}

/// One operation of a patch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) op: Op,
    /// The parts of the pointer, at least one.
    pub(super) path: Vec<String>,
    /// Null for [`Op::Remove`].
    pub(super) value: Value,
}

/// How the patch of a request with these headers is spelt.
pub(super) fn spelling(headers: &HeaderMap) -> Result<Spelling, ApiError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    match content_type.split(';').next().unwrap_or("").trim() {
        V2_0 => Ok(Spelling::V2_0),
        V2_1 => Ok(Spelling::V2_1),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("Image PATCH expects Content-Type one of: {BOTH}"),
        )
        .explained(super::failure::unsupported(content_type))
        .with_header(ACCEPT_PATCH, HeaderValue::from_static(BOTH))),
    }
}

/// The operations of a patch.
pub(super) fn parse(document: &Value, spelling: Spelling) -> Result<Vec<Operation>, ApiError> {
    let Value::Array(list) = document else {
        return Err(explained("Request body must be a JSON array of operation objects."));
    };
    list.iter().map(|entry| operation(entry, spelling)).collect()
}

fn operation(entry: &Value, spelling: Spelling) -> Result<Operation, ApiError> {
    let Value::Object(entry) = entry else {
        return Err(explained("Operations must be JSON objects."));
    };
    let (op, pointer) = match spelling {
        Spelling::V2_0 => first_spelling(entry)?,
        Spelling::V2_1 => second_spelling(entry)?,
    };
    let path = parts(pointer)?;
    let value = match (op, entry.get("value")) {
        (Op::Remove, _) => Value::Null,
        (_, Some(value)) => value.clone(),
        (op, None) => {
            let word = Op::ALL.into_iter().find_map(|(name, known)| (known == op).then_some(name)).unwrap_or("");
            return Err(explained(format!("Operation \"{word}\" requires a member named \"value\".")));
        }
    };
    check_depth(op, &path, pointer)?;
    Ok(Operation { op, path, value })
}

/// `{"add": "/path"}`
fn first_spelling(entry: &Map<String, Value>) -> Result<(Op, &Value), ApiError> {
    let mut named = entry.iter().filter_map(|(word, pointer)| Some((Op::of(word)?, pointer)));
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(explained(
            "Operation objects must contain exactly one member named \"add\", \"remove\", or \"replace\".",
        )),
        (Some(_), Some(_)) => {
            Err(explained("Operation objects must contain only one member named \"add\", \"remove\", or \"replace\"."))
        }
    }
}

/// `{"op": "add", "path": "/path"}`
fn second_spelling(entry: &Map<String, Value>) -> Result<(Op, &Value), ApiError> {
    const KNOWN: &str = "add, remove, replace";
    let Some(word) = entry.get("op").filter(|word| !word.is_null()) else {
        let text = format!("Unable to find `op` in JSON Schema change. It must be one of the following: {KNOWN}.");
        return Err(explained(text));
    };
    let op = word.as_str().and_then(Op::of).ok_or_else(|| {
        let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
        explained(format!("Invalid operation: `{word}`. It must be one of the following: {KNOWN}."))
    })?;
    let pointer = entry.get("path").ok_or_else(|| explained("Unable to find 'path' in JSON Schema change"))?;
    Ok((op, pointer))
}

/// The unescaped parts of a JSON pointer (RFC 6901, but parts are trimmed and only `/` itself has an empty one).
fn parts(pointer: &Value) -> Result<Vec<String>, ApiError> {
    let Value::String(pointer) = pointer else {
        return Err(explained(format!("Pointer `{pointer}` is not a string.")));
    };
    let refused = |why: &str| explained(format!("Pointer `{pointer}` {why}"));
    let Some(rest) = pointer.strip_prefix('/') else {
        return Err(refused("does not start with \"/\"."));
    };
    let mut between = rest.split('/').skip(1).peekable();
    while let Some(part) = between.next() {
        if part.trim().is_empty() && between.peek().is_some() {
            return Err(refused("contains adjacent \"/\"."));
        }
    }
    if pointer.len() > 1 && pointer.ends_with('/') {
        return Err(refused("end with \"/\"."));
    }
    if rest.replace("~0", "").replace("~1", "").contains('~') {
        return Err(refused("contains \"~\" not part of a recognized escape sequence."));
    }
    let rest = rest.trim_start_matches('/');
    Ok(rest.split('/').map(|part| part.trim().replace("~1", "/").replace("~0", "~")).collect())
}

/// Only locations are reached into.
fn check_depth(op: Op, path: &[String], pointer: &Value) -> Result<(), ApiError> {
    let depth = match (path.first().map(String::as_str), op) {
        (Some("locations"), Op::Add | Op::Remove) => 2,
        _ => 1,
    };
    if path.len() == depth {
        return Ok(());
    }
    let pointer = pointer.as_str().unwrap_or("");
    Err(explained(format!("Invalid JSON pointer for this resource: '{pointer}'")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Op, Operation, Spelling, parse};

    fn refusal(document: &Value, spelling: Spelling) -> String {
        parse(document, spelling).unwrap_err().explanation.unwrap()
    }

    #[test]
    fn both_spellings_say_the_same() {
        let expected = [
            Operation { op: Op::Add, path: vec!["a/b~".to_owned()], value: json!("v") },
            Operation { op: Op::Replace, path: vec!["tags".to_owned()], value: json!([]) },
            Operation { op: Op::Remove, path: vec![String::new()], value: Value::Null },
            Operation { op: Op::Add, path: vec!["locations".to_owned(), "-".to_owned()], value: json!({}) },
        ];
        let first = json!([
            {"add": "/ a~1b~0 ", "value": "v"}, {"replace": "/tags", "value": []}, {"remove": "/"},
            {"add": "/locations/-", "value": {}},
        ]);
        let second = json!([
            {"op": "add", "path": "/ a~1b~0 ", "value": "v"}, {"op": "replace", "path": "/tags", "value": []},
            {"op": "remove", "path": "/", "value": "ignored"}, {"op": "add", "path": "/locations/-", "value": {}},
        ]);
        assert_eq!(parse(&first, Spelling::V2_0).unwrap(), expected);
        assert_eq!(parse(&second, Spelling::V2_1).unwrap(), expected);
    }

    #[test]
    fn what_is_no_patch_is_refused() {
        for (document, text) in [
            (json!({}), "Request body must be a JSON array of operation objects."),
            (json!(["x"]), "Operations must be JSON objects."),
            (
                json!([{"path": "/a"}]),
                "Unable to find `op` in JSON Schema change. It must be one of the following: add, remove, replace.",
            ),
            (
                json!([{"op": "move", "path": "/a"}]),
                "Invalid operation: `move`. It must be one of the following: add, remove, replace.",
            ),
            (
                json!([{"op": 1, "path": "/a"}]),
                "Invalid operation: `1`. It must be one of the following: add, remove, replace.",
            ),
            (json!([{"op": "add"}]), "Unable to find 'path' in JSON Schema change"),
            (json!([{"op": "add", "path": "/a"}]), "Operation \"add\" requires a member named \"value\"."),
            (json!([{"op": "remove", "path": "a"}]), "Pointer `a` does not start with \"/\"."),
            (json!([{"op": "remove", "path": "/a//b"}]), "Pointer `/a//b` contains adjacent \"/\"."),
            (
                json!([{"op": "remove", "path": "/a~2"}]),
                "Pointer `/a~2` contains \"~\" not part of a recognized escape sequence.",
            ),
            (json!([{"op": "remove", "path": ["a"]}]), "Pointer `[\"a\"]` is not a string."),
            (json!([{"op": "remove", "path": "/a/b"}]), "Invalid JSON pointer for this resource: '/a/b'"),
            (
                json!([{"op": "replace", "path": "/locations/0", "value": {}}]),
                "Invalid JSON pointer for this resource: '/locations/0'",
            ),
        ] {
            assert_eq!(refusal(&document, Spelling::V2_1), text, "{document}");
        }
        let none = "Operation objects must contain exactly one member named \"add\", \"remove\", or \"replace\".";
        assert_eq!(refusal(&json!([{"op": "add"}]), Spelling::V2_0), none);
        let two = "Operation objects must contain only one member named \"add\", \"remove\", or \"replace\".";
        assert_eq!(refusal(&json!([{"add": "/a", "remove": "/b"}]), Spelling::V2_0), two);
    }
}

//! The corner of Python that leaks into the rule language: values compare by
//! their `str()`, and a Python literal may stand on the left of a check.

use serde_json::{Number, Value};

/// `str()` of a scalar. `None` for a list or mapping: its Python rendering
/// cannot be meant in a rule, so comparing with it fails.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("None".to_owned()),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(string) => Some(string.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// `str()` of a Python literal: a quoted string without escapes, a keyword
/// constant, or a number. `None` when the source is no such literal.
pub(crate) fn literal(source: &str) -> Option<String> {
    if matches!(source, "None" | "True" | "False") {
        return Some(source.to_owned());
    }
    if let Ok(number) = source.parse::<Number>() {
        return Some(number.to_string());
    }
    let quote = source.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = source.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains([quote, '\\'])).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_render_as_python_does() {
        for (value, expected) in [
            (json!(null), Some("None")),
            (json!(true), Some("True")),
            (json!(false), Some("False")),
            (json!(12), Some("12")),
            (json!(-3), Some("-3")),
            (json!(1.5), Some("1.5")),
            (json!("x y"), Some("x y")),
            (json!(["x"]), None),
            (json!({}), None),
        ] {
            assert_eq!(text(&value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn literals() {
        for (source, expected) in [
            ("'public'", Some("public")),
            ("\"public\"", Some("public")),
            ("''", Some("")),
            ("'it\"s'", Some("it\"s")),
            ("None", Some("None")),
            ("True", Some("True")),
            ("False", Some("False")),
            ("123", Some("123")),
            ("-5", Some("-5")),
            ("1.5", Some("1.5")),
            ("'", None),
            ("'a", None),
            ("'a\"", None),
            ("'a'b'", None),
            (r"'a\n'", None),
            ("true", None),
            ("none", None),
            ("user_id", None),
            ("", None),
        ] {
            assert_eq!(literal(source).as_deref(), expected, "{source}");
        }
    }
}

//! JSON text as Python's `json.dumps` writes it, which old clients compare byte by byte (v1-api §1).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Serializer, Value};

/// `value` with `", "` and `": "` between its parts, and `\u` with four digits for everything outside printable ASCII.
#[expect(clippy::expect_used, reason = "a JSON value has text keys and a vector takes every write")]
pub(crate) fn python_json(value: &Value) -> String {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, PythonStyle)).expect("a value is serializable");
    text.into_iter().map(char::from).collect() // ASCII by construction
}

struct PythonStyle;

impl Formatter for PythonStyle {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            if matches!(c, ' '..='~') {
                out.write_all(&[c as u8])?;
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::python_json;

    #[test]
    fn separators_are_followed_by_a_blank() {
        assert_eq!(python_json(&json!({"images": []})), r#"{"images": []}"#);
        let value = json!({"a": [1, 2, {}], "b": {"c": null, "d": true}});
        assert_eq!(python_json(&value), r#"{"a": [1, 2, {}], "b": {"c": null, "d": true}}"#);
    }

    #[test]
    fn only_printable_ascii_is_written_as_is() {
        let value = json!("q\" b\\ n\n t\t \u{1f} \u{7f} \u{e9} \u{20ac} \u{1f4be}");
        assert_eq!(python_json(&value), r#""q\" b\\ n\n t\t \u001f \u007f \u00e9 \u20ac \ud83d\udcbe""#);
    }
}

//! How clients write booleans.

/// `true`, `on`, `1`, and since April 2012 `yes`, `y`, `t`, in any case and with blanks around; all else is false.
pub(crate) fn truthy(text: &str) -> bool {
    ["true", "on", "1", "yes", "y", "t"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}

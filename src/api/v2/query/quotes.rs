//! The values of an `in:` filter: `plain, "quoted, with a comma"`.

use super::Refusal;

/// Takes the values apart. A quote stands at a comma or an end; one behind a backslash is an ordinary character, and the
/// backslash stays.
pub(super) fn values(list: &str) -> Result<Vec<String>, Refusal> {
    let refused = |what: &str| Err(format!("Invalid filter value {list}. {what}"));
    let mut values = Vec::new();
    let mut value = String::new();
    let mut quoted = false;
    let mut before = None;
    let mut rest = list.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if before != Some('\\') => {
                if !quoted && before.is_some_and(|before| before != ',') {
                    return refused("There is no comma before opening quotation mark.");
                }
                if quoted && rest.peek().is_some_and(|after| *after != ',') {
                    return refused("There is no comma after closing quotation mark.");
                }
                quoted = !quoted;
            }
            ',' if !quoted => values.push(std::mem::take(&mut value)),
            c => value.push(c),
        }
        before = Some(c);
    }
    if quoted {
        return refused("The quote is not closed.");
    }
    // What a last comma closes is not followed by another value.
    if before.is_some_and(|last| last != ',') {
        values.push(value);
    }
    Ok(values)
}

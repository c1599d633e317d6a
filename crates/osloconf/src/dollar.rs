//! The `$name` syntax: finding references in a value. What a name stands for is the caller's to say.

/// Replaces `$name` and `${name}` by what `resolve` answers; `$$` and `\$` give a dollar sign. A name it does not know
/// stays as written and is returned beside the text. An unbraced name runs as far as it can, but ends before a dot when
/// only the shorter name is known (`$dir.bak`).
///
/// # Errors
/// Those of `resolve`.
pub(crate) fn substitute<E>(
    text: &str,
    mut resolve: impl FnMut(&str) -> Result<Option<String>, E>,
) -> Result<(String, Vec<String>), E> {
    let mut out = String::new();
    let mut unknown = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        rest = after;
        if let Some(before) = before.strip_suffix('\\') {
            out.push_str(before);
            out.push('$');
            continue;
        }
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = braced(after) {
            match resolve(name)? {
                Some(value) => out.push_str(&value),
                None => {
                    out.push_str(&format!("${{{name}}}"));
                    unknown.push(name.to_owned());
                }
            }
            rest = tail;
        } else if let Some((value, tail)) = longest_known(after, &mut resolve)? {
            out.push_str(&value);
            rest = tail;
        } else {
            out.push('$');
            let name = &after[..identifier(after)];
            if !name.is_empty() {
                unknown.push(name.to_owned());
            }
        }
    }
    out.push_str(rest);
    Ok((out, unknown))
}

/// Length of the identifier at the head of the text, 0 if there is none.
fn identifier(text: &str) -> usize {
    if !text.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic()) {
        return 0;
    }
    text.find(|next: char| !matches!(next, '.' | '_') && !next.is_ascii_alphanumeric()).unwrap_or(text.len())
}

fn braced(after: &str) -> Option<(&str, &str)> {
    let (name, tail) = after.strip_prefix('{')?.split_once('}')?;
    (!name.is_empty() && identifier(name) == name.len()).then_some((name, tail))
}

fn longest_known<'a, E>(
    after: &'a str,
    resolve: &mut impl FnMut(&str) -> Result<Option<String>, E>,
) -> Result<Option<(String, &'a str)>, E> {
    let mut end = identifier(after);
    while end > 0 {
        if let Some(value) = resolve(&after[..end])? {
            return Ok(Some((value, &after[end..])));
        }
        end = after[..end].rfind('.').unwrap_or(0);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> (String, Vec<String>) {
        substitute(text, |name| {
            Ok::<_, std::convert::Infallible>(match name {
                "a" | "A_1" => Some("<a>".to_owned()),
                "g.b" => Some("<g.b>".to_owned()),
                "null" => Some(String::new()),
                _ => None,
            })
        })
        .unwrap()
    }

    #[test]
    fn names_are_replaced() {
        for (text, expected) in [
            ("$a", "<a>"),
            ("x${a}y$a/z", "x<a>y<a>/z"),
            ("$A_1-", "<a>-"),
            ("${g.b}$g.b", "<g.b><g.b>"),
            ("[$null]", "[]"),
            ("$a.log", "<a>.log"),
            ("$g.b.c.", "<g.b>.c."),
        ] {
            assert_eq!(run(text), (expected.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn dollars_can_be_meant_literally() {
        for (text, expected) in [
            ("$$a", "$a"),
            ("\\$a", "$a"),
            ("$$$a", "$<a>"),
            ("5$", "5$"),
            ("$1 $- ${", "$1 $- ${"),
            ("${a b} ${} ${1}", "${a b} ${} ${1}"),
        ] {
            assert_eq!(run(text), (expected.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn unknown_names_stay_and_are_told() {
        assert_eq!(
            run("p$word.x ${other}$a"),
            ("p$word.x ${other}<a>".to_owned(), vec!["word.x".into(), "other".into()])
        );
    }

    #[test]
    fn errors_pass_through() {
        assert_eq!(substitute("x $a", |_| Err::<Option<String>, _>("no")), Err("no"));
        assert_eq!(substitute("x ${a}", |_| Err::<Option<String>, _>("no")), Err("no"));
    }

    /// A text survives if every dollar in it is doubled, whatever it is.
    #[test]
    fn doubling_dollars_protects_any_text() {
        for text in ["$a", "${a}", "a$$b", "$", "$é", "p@$$w0rd{$}"] {
            assert_eq!(run(&text.replace('$', "$$")).0, text);
        }
    }
}

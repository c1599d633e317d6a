//! Passwords inside URLs, which must not be shown either.

/// The text with the password of each `scheme://user:password@host` replaced by stars.
pub fn mask_passwords(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        // A password may hold an '@' or a '/' that nobody encoded, but no blank.
        let word = after.find([' ', '\n', '\t', '"', '\'']).unwrap_or(after.len());
        let next = after[..word].find("://").unwrap_or(word);
        let userinfo = &after[..next];
        rest = match (userinfo.split_once(':'), userinfo.rfind('@')) {
            (Some((user, _)), Some(at)) if user.len() < at => {
                out.push_str(user);
                out.push_str(":****");
                &after[at..]
            }
            _ => after,
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::mask_passwords;

    #[test]
    fn only_the_password_is_hidden() {
        for (text, shown) in [
            (
                "mysql+pymysql://glance:geheim@db/glance?charset=utf8",
                "mysql+pymysql://glance:****@db/glance?charset=utf8",
            ),
            ("rabbit://:geheim@host:5672/", "rabbit://:****@host:5672/"),
            ("x://u:a@b/c:d@host/", "x://u:****@host/"),
            ("http://u:one@a, http://u:two@b", "http://u:****@a, http://u:****@b"),
            ("http://u:one@a,http://u:two@b", "http://u:****@a,http://u:****@b"),
        ] {
            assert_eq!(mask_passwords(text), shown, "{text}");
        }
    }

    #[test]
    fn what_has_no_password_stays() {
        for text in ["", "http://host:80/a", "http://user@host/", "file:///a:b", "a:b@c", "http://host:80/, b@c"] {
            assert_eq!(mask_passwords(text), text);
        }
    }
}

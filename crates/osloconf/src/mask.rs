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

/// What a URL may show that was declared to be one: all but its password, wherever that stands. What is no URL, or none
/// that can be told apart, is hidden.
pub(crate) fn mask_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return if text.is_empty() { String::new() } else { "****".to_owned() };
    };
    let shown = match (rest.rfind('@'), rest.split_once(':')) {
        // A password may hold anything that nobody encoded.
        (Some(at), Some((user, _))) if user.len() < at => format!("{user}:****{}", &rest[at..]),
        (None, Some((_, after))) if !is_port(after) && !rest.starts_with('/') => "****".to_owned(),
        _ => rest.to_owned(),
    };
    // An '@' in a parameter may have hidden where the parameters begin.
    let shown: String = shown.split_inclusive(['?', '&']).map(mask_parameter).collect();
    format!("{scheme}://{shown}")
}

/// What follows the colon of an address without user and password.
fn is_port(text: &str) -> bool {
    let port = text.split(['/', '?']).next().unwrap_or_default();
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// `name=value`, with what stands between this and the next.
fn mask_parameter(pair: &str) -> String {
    let end = pair.strip_suffix(['?', '&']).map_or("", |before| &pair[before.len()..]);
    let secret = |name: &str| ["pass", "pwd", "secret"].iter().any(|part| name.to_ascii_lowercase().contains(part));
    match pair.split_once('=') {
        Some((name, _)) if secret(name) => format!("{name}=****{end}"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{mask_passwords, mask_url};

    #[test]
    fn of_a_url_only_the_password_is_hidden() {
        for (text, shown) in [
            ("", ""),
            (
                "mysql+pymysql://glance:g@h/e?i m@db:3306/glance?charset=utf8",
                "mysql+pymysql://glance:****@db:3306/glance?charset=utf8",
            ),
            (
                "mysql://glance@db/glance?password=geheim&read_timeout=3",
                "mysql://glance@db/glance?password=****&read_timeout=3",
            ),
            ("postgresql://db:5432/glance?sslpassword=x&user=u", "postgresql://db:5432/glance?sslpassword=****&user=u"),
            ("sqlite:////var/lib/glance/a:b.sqlite", "sqlite:////var/lib/glance/a:b.sqlite"),
            ("rabbit://u:one@a:5672,v:two@b:5672//", "rabbit://u:****@b:5672//"),
            // An @ was forgotten, or all of it was.
            ("mysql://glance:geheim/glance", "mysql://****"),
            ("mysql://glance:9geheim/glance", "mysql://****"),
            ("postgresql://db:5432/g?user=g@srv&password=geheim", "postgresql://db:****@srv&password=****"),
            ("postgresql://db:5432/g?password=geheim&user=g@srv&x=y", "postgresql://db:****@srv&x=y"),
            ("geheim", "****"),
        ] {
            assert_eq!(mask_url(text), shown, "{text}");
        }
    }

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

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
        (None, Some((_, after)))
            if !after.starts_with(|first: char| first.is_ascii_digit()) && !rest.starts_with('/') =>
        {
            "****".to_owned()
        }
        _ => rest.to_owned(),
    };
    let (before, query) = shown.split_once('?').map_or((&*shown, None), |(before, query)| (before, Some(query)));
    let query = query.map(|query| query.split('&').map(mask_parameter).collect::<Vec<_>>().join("&"));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{before}{query}")
}

fn mask_parameter(pair: &str) -> String {
    let secret = |name: &str| ["pass", "pwd", "secret"].iter().any(|part| name.to_ascii_lowercase().contains(part));
    match pair.split_once('=') {
        Some((name, _)) if secret(name) => format!("{name}=****"),
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

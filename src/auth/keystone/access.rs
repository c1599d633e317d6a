//! What application credentials are restricted to (policy-and-auth §2).

use http::Method;
use keystone::AccessRule;

/// Whether the rule lets a request to a service of this type pass.
pub(super) fn allows(rule: &AccessRule, service_type: &str, method: &Method, path: &str) -> bool {
    rule.service == service_type && rule.method.eq_ignore_ascii_case(method.as_str()) && leads(&rule.path, path)
}

/// Whether a pattern is of this path: `*` and `{tag}` are one segment, `**` any number of them.
fn leads(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    matches(&pattern, &path)
}

fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..])),
        (Some((one, rest)), Some((segment, further))) => {
            let any = *one == "*" || (one.starts_with('{') && one.ends_with('}'));
            (one == segment || any && !segment.is_empty()) && matches(rest, further)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::leads;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/v2/images", "/v2/images", true),
            ("/v2/images", "/v2/images/", false),
            ("/v2/images/*", "/v2/images/7", true),
            ("/v2/images/{id}", "/v2/images/7", true),
            ("/v2/images/{id}", "/v2/images/", false),
            ("/v2/images/*", "/v2/images/7/file", false),
            ("/v2/**", "/v2/images/7/file", true),
            ("/v2/**/file", "/v2/images/7/file", true),
            ("/v2/**/file", "/v2/images/7", false),
            ("**", "/v1", true),
        ] {
            assert_eq!(leads(pattern, path), expected, "{pattern} {path}");
        }
    }
}

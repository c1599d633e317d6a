//! What somebody who misspelt a name may have meant.

/// How alike two names must be, from 0 to 1, for one to be taken for the other.
const ALIKE: f64 = 0.8;

/// The name that is most like `name`, if there is one that somebody could have meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Keys have underscores; who writes hyphens, or capitals, means the same.
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let name = plain(name);
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&name, &plain(known));
    let alike = known.into_iter().map(|known| (likeness(known), known)).filter(|(likeness, _)| *likeness >= ALIKE);
    alike.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_of_the_pen_are_understood() {
        let known = ["bind_host", "bind_port", "image_cache_dir", "workers"];
        for (name, meant) in [
            ("bind_prot", Some("bind_port")),
            ("bind-port", Some("bind_port")),
            ("Workers", Some("workers")),
            ("worker", Some("workers")),
            ("image_cachedir", Some("image_cache_dir")),
            ("colour", None),
            ("bind", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }
}

//! What a `$name` in a value stands for: another option's value, itself expanded.

use crate::conf::Conf;
use crate::dollar;
use crate::sources::Name;

#[cfg(test)]
mod tests;

/// One value being expanded.
pub(crate) struct Expansion<'a> {
    conf: &'a Conf,
    /// The options whose values are being expanded, outermost first: a name on the trail closes a circle.
    trail: Vec<(String, String)>,
    /// Names that stand for nothing.
    pub(crate) unknown: Vec<String>,
    /// Whether the value of a secret option went into the text.
    pub(crate) secret: bool,
}

impl<'a> Expansion<'a> {
    pub(crate) fn new(conf: &'a Conf) -> Self {
        Self { conf, trail: Vec::new(), unknown: Vec::new(), secret: false }
    }

    /// Expands the value of the option `name`.
    ///
    /// # Errors
    /// When it refers to itself, by however long a way; worded to follow the value.
    pub(crate) fn run(&mut self, name: Name<'_>, text: &str) -> Result<String, String> {
        self.trail.push((name.0.to_owned(), name.1.to_owned()));
        let (text, unknown) = dollar::substitute(text, |reference| self.reference(name.0, reference))?;
        self.trail.pop();
        self.unknown.extend(unknown);
        Ok(text)
    }

    /// A plain name means an option of the same group, else of `[DEFAULT]`. An option without a value is empty text.
    fn reference(&mut self, group: &str, reference: &str) -> Result<Option<String>, String> {
        let candidates = match reference.split_once('.') {
            Some(name) => vec![name],
            None => vec![(group, reference), ("DEFAULT", reference)],
        };
        for name in candidates {
            let (text, secret) = match self.conf.declared(name) {
                Some(opt) => (self.conf.effective(opt).map_or("", |hit| hit.value), opt.secret),
                None => match self.conf.sources.single(&[name]) {
                    Some(hit) => (hit.value, false),
                    None => continue,
                },
            };
            if self.trail.iter().any(|(group, key)| (group.as_str(), key.as_str()) == name) {
                return Err(format!("refers back to itself through ${reference}"));
            }
            self.secret |= secret;
            return self.run(name, text).map(Some);
        }
        Ok(None)
    }
}

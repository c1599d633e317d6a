//! The loaded configuration: typed values by declaration.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{BadValue, Error, Result};
use crate::expand::Expansion;
use crate::files::ConfigFiles;
use crate::option::{Kind, Opt};
use crate::sources::{Hit, Name, Origin, Overrides, Sources};
use crate::value;

mod report;
#[cfg(test)]
mod tests;

pub use report::{Deprecation, Dumped, Setting, Unresolved};

/// Everything the operator set, ready to be asked for values.
pub struct Conf {
    registry: Vec<Opt>,
    files: ConfigFiles,
    pub(crate) sources: Sources,
}

impl fmt::Debug for Conf {
    /// Names the files only: the values hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conf").field("files", &self.files()).finish_non_exhaustive()
    }
}

impl Conf {
    /// Reads the files and joins the other sources to them. `registry` is what `$name` may refer to and what
    /// the reports cover; `environment` is usually [`std::env::vars_os`].
    ///
    /// # Errors
    /// [`Error::ReadFile`] and [`Error::Syntax`] for the first file that cannot be used, [`Error::Environment`] for a
    /// variable that cannot be decoded. Values are not converted yet.
    pub fn load<K: Into<OsString>, V: Into<OsString>>(
        registry: &[&Opt],
        files: ConfigFiles,
        environment: impl IntoIterator<Item = (K, V)>,
        overrides: Overrides,
    ) -> Result<Self> {
        let (conf, faults) = Self::survey(registry, files, environment, overrides);
        faults.into_iter().next().map_or(Ok(conf), Err)
    }

    /// As [`Conf::load`], but goes on after what cannot be used: the configuration of all that can, and all that is
    /// wrong.
    pub fn survey<K: Into<OsString>, V: Into<OsString>>(
        registry: &[&Opt],
        files: ConfigFiles,
        environment: impl IntoIterator<Item = (K, V)>,
        overrides: Overrides,
    ) -> (Self, Vec<Error>) {
        let (sources, faults) = Sources::load(files.paths(), environment, overrides);
        (Self { registry: registry.iter().map(|opt| **opt).collect(), files, sources }, faults)
    }

    /// Adds declarations that the values themselves call for, such as those of a group that a value names.
    pub fn declare(&mut self, more: &[&Opt]) {
        self.registry.extend(more.iter().map(|opt| **opt));
    }

    /// Every declaration.
    pub fn options(&self) -> &[Opt] {
        &self.registry
    }

    /// The same configuration with further values, set in a place of this name, that win over all others.
    #[must_use]
    pub fn overridden(&self, more: Overrides, place: String) -> Self {
        let mut sources = self.sources.clone();
        sources.above = Some((more, Origin::Named(place)));
        Self { registry: self.registry.clone(), files: self.files.clone(), sources }
    }

    /// A string; `None` when it is not set and has no default.
    ///
    /// # Errors
    /// As all getters: [`Error::Value`] when the value does not fit the declaration.
    pub fn str(&self, opt: &Opt) -> Result<Option<String>> {
        self.single(opt, Kind::Str, value::string)
    }

    /// A boolean; `false` when it is not set and has no default.
    ///
    /// # Errors
    /// [`Error::Value`] when the value is no boolean.
    pub fn bool(&self, opt: &Opt) -> Result<bool> {
        Ok(self.single(opt, Kind::Bool, |_, text| value::boolean(text))?.unwrap_or(false))
    }

    /// An integer; `None` when it is set to nothing, or not set and without default.
    ///
    /// # Errors
    /// [`Error::Value`] when the value is no integer or out of range.
    pub fn int(&self, opt: &Opt) -> Result<Option<i64>> {
        Ok(self.single(opt, Kind::Int, value::integer)?.flatten())
    }

    /// A number; `None` as for [`Conf::int`].
    ///
    /// # Errors
    /// [`Error::Value`] when the value is no finite number or out of range.
    pub fn float(&self, opt: &Opt) -> Result<Option<f64>> {
        Ok(self.single(opt, Kind::Float, value::float)?.flatten())
    }

    /// A TCP port; `None` as for [`Conf::int`].
    ///
    /// # Errors
    /// [`Error::Value`] when the value is no port.
    pub fn port(&self, opt: &Opt) -> Result<Option<u16>> {
        self.single(opt, Kind::Port, value::port).map(Option::flatten)
    }

    /// The items of a list; none when it is not set and has no default.
    ///
    /// # Errors
    /// [`Error::Value`] when brackets or quotes are wrong.
    pub fn list(&self, opt: &Opt) -> Result<Vec<String>> {
        Ok(self.single(opt, Kind::List, value::list)?.unwrap_or_default())
    }

    /// The pairs of a dictionary as written; none when it is not set and has no default.
    ///
    /// # Errors
    /// [`Error::Value`] when a key is missing, empty or there twice.
    pub fn dict(&self, opt: &Opt) -> Result<Vec<(String, String)>> {
        Ok(self.single(opt, Kind::Dict, |_, text| value::dict(text))?.unwrap_or_default())
    }

    /// Every value of a multi-valued option: from all files in order, or from one better source alone.
    ///
    /// # Errors
    /// [`Error::Value`] when a value refers to itself.
    pub fn multi(&self, opt: &Opt) -> Result<Vec<String>> {
        debug_assert_eq!(opt.kind, Kind::Multi, "{} read as the wrong kind", opt.name);
        self.hits(opt).iter().map(|hit| self.convert(opt, hit, |_, text| Ok(text.to_owned()))).collect()
    }

    /// Where its value comes from; the last place of several. `None` if it has no value.
    pub fn origin(&self, opt: &Opt) -> Option<Origin> {
        self.hits(opt).pop().map(|hit| hit.origin)
    }

    /// Whether the operator set it, even if to its default.
    pub fn is_set(&self, opt: &Opt) -> bool {
        self.hits(opt).iter().any(|hit| hit.origin != Origin::Default)
    }

    /// Converts the values of all these options.
    ///
    /// # Errors
    /// Every value that does not fit, in the order of `options`.
    pub fn validate(&self, options: &[&Opt]) -> std::result::Result<(), Vec<Error>> {
        let hits = options.iter().flat_map(|opt| self.hits(opt).into_iter().map(move |hit| (opt, hit)));
        let errors: Vec<_> = hits.filter_map(|(opt, hit)| self.convert(opt, &hit, value::check).err()).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The files read; a later one overrides an earlier one.
    pub fn files(&self) -> &[PathBuf] {
        self.files.paths()
    }

    /// The last file that is not from a directory; see [`ConfigFiles::main_path`].
    pub fn main_file(&self) -> Option<&Path> {
        self.files.main_path()
    }

    /// Finds a companion file; see [`ConfigFiles::find`].
    pub fn find_file(&self, name: impl AsRef<Path>) -> Option<PathBuf> {
        self.files.find(name)
    }

    fn single<T>(
        &self,
        opt: &Opt,
        kind: Kind,
        convert: impl Fn(&Opt, &str) -> std::result::Result<T, String>,
    ) -> Result<Option<T>> {
        debug_assert_eq!(opt.kind, kind, "{} read as the wrong kind", opt.name);
        self.effective(opt).map(|hit| self.convert(opt, &hit, convert)).transpose()
    }

    fn convert<T>(
        &self,
        opt: &Opt,
        hit: &Hit<'_>,
        convert: impl Fn(&Opt, &str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        let mut expansion = Expansion::new(self);
        let expanded = expansion.run((opt.group, opt.name), hit.value);
        let shown = expanded.as_deref().unwrap_or(hit.value);
        let converted = expanded.as_deref().map_err(Clone::clone).and_then(|text| convert(opt, text));
        converted.map_err(|reason| {
            let value = if opt.secret || expansion.secret { "****" } else { shown }.to_owned();
            let origin = hit.origin.clone();
            Error::Value(Box::new(BadValue { option: opt.name, group: opt.group, origin, value, reason }))
        })
    }

    /// The declaration with this as its current name.
    pub(crate) fn declared(&self, name: Name<'_>) -> Option<&Opt> {
        self.registry.iter().find(|opt| opt.is_called(name))
    }

    /// The raw value that counts for a single-valued option.
    pub(crate) fn effective(&self, opt: &Opt) -> Option<Hit<'_>> {
        let found = self.sources.single(&opt.names());
        found.filter(|hit| !opt.ignores(hit.value)).or_else(|| default(opt))
    }

    /// All raw values that count for an option; at most one if it is single-valued.
    fn hits(&self, opt: &Opt) -> Vec<Hit<'_>> {
        if opt.kind != Kind::Multi {
            return self.effective(opt).into_iter().collect();
        }
        let mut hits = self.sources.all(&opt.names());
        hits.retain(|hit| !opt.ignores(hit.value));
        if hits.is_empty() {
            hits.extend(default(opt));
        }
        hits
    }
}

fn default(opt: &Opt) -> Option<Hit<'static>> {
    opt.default.map(|value| Hit { value, name: (opt.group, opt.name), origin: Origin::Default })
}

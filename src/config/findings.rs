//! What is odd about a configuration that can be used: options that nobody knows, and options without effect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use osloconf::{Dumped, Opt, Origin, Setting};

use super::Loaded;
use super::ignored::GROUPS;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The program would not start.
    Error,
    /// It starts, but somebody may have meant something else.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Something that an operator should know about the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// Where: a line of a file, if it is in a file.
    pub(crate) place: Option<String>,
    /// Group and name, if it is about an option.
    pub(crate) option: Option<(String, String)>,
    /// What it is, in one line.
    pub(crate) what: String,
}

impl Finding {
    /// All of it but the place.
    pub(crate) fn told(&self) -> String {
        match &self.option {
            Some((group, name)) => format!("[{group}] {name}: {}", self.what),
            None => self.what.clone(),
        }
    }

    fn warning(at: &Setting<'_>, name: &str, what: String) -> Self {
        let place = Some(format!("{}:{}", at.path.display(), at.line));
        Self { severity: Severity::Warning, place, option: Some((at.group.to_owned(), name.to_owned())), what }
    }
}

/// The place that an origin is, if it is one that an operator can go to.
pub(super) fn place(origin: &Origin) -> Option<String> {
    (*origin != Origin::Default).then(|| origin.to_string())
}

impl Loaded {
    /// Tells the log what is odd and, at debug level, every value in force.
    pub(crate) fn report(&self, logger: &str) {
        for finding in self.oddities() {
            let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            tracing::warn!(logger = logger, "{place}{}", finding.told());
        }
        for deprecation in self.conf.deprecations() {
            tracing::debug!(logger = logger, "{deprecation}");
        }
        let stars = "*".repeat(80);
        tracing::debug!(logger = logger, "{stars}");
        tracing::debug!(logger = logger, "Configuration options gathered from: {:?}", self.files());
        for option in self.effective().into_iter().filter(|option| option.ignored.is_none()) {
            let values: Vec<_> = option.values.into_iter().map(|(value, _)| value).collect();
            let value = if values.is_empty() { "None".to_owned() } else { values.join(", ") };
            tracing::debug!(logger = logger, "{}.{} = {value}", option.group, option.name);
        }
        tracing::debug!(logger = logger, "{stars}");
    }

    /// Every declared option with its values, secrets masked, and where they come from.
    pub(crate) fn effective(&self) -> Vec<Dumped> {
        let mut options = self.conf.dump();
        for option in &mut options {
            if self.embedded.iter().any(|opt| (opt.group, opt.name) == (option.group, option.name)) {
                option.values.iter_mut().for_each(|(_, origin)| *origin = Origin::Default);
            }
        }
        options
    }

    /// What is odd, each option once.
    pub(super) fn oddities(&self) -> Vec<Finding> {
        let unresolved = self.conf.unresolved().into_iter().map(|found| Finding {
            severity: Severity::Warning,
            place: place(&found.origin),
            option: Some((found.group.to_owned(), found.name.to_owned())),
            what: format!("${} names no option", found.reference),
        });
        let mut findings: Vec<Finding> = unresolved.collect();
        let mut idle_groups: BTreeMap<String, (usize, Vec<&str>)> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for at in self.conf.settings() {
            let group = at.group.to_ascii_lowercase();
            let what = self.idle_group(at.group).map(without_effect).or_else(|| self.oddity(&at));
            let Some(what) = what.filter(|_| told.insert((group.clone(), at.name))) else { continue };
            if self.idle_group(at.group).is_none() {
                findings.push(Finding::warning(&at, at.name, what));
                continue;
            }
            // A group without effect is worth one line.
            let (index, names) = idle_groups.entry(group).or_insert((findings.len(), Vec::new()));
            names.push(at.name);
            match findings.get_mut(*index) {
                Some(first) => first.option = Some((at.group.to_owned(), names.join(", "))),
                None => findings.push(Finding::warning(&at, at.name, what)),
            }
        }
        findings
    }

    /// Why no option of this group has an effect, if that is so.
    fn idle_group(&self, group: &str) -> Option<&'static str> {
        let known = GROUPS.iter().find(|(name, _)| name.eq_ignore_ascii_case(group)).map(|(_, why)| *why);
        known.or_else(|| self.idle_store_group(group))
    }

    /// What is odd about one line of a file.
    fn oddity(&self, at: &Setting<'_>) -> Option<String> {
        match self.conf.options().iter().find(|opt| opt.answers_to((at.group, at.name))) {
            None => Some(self.unknown(at)),
            Some(opt) => {
                let ignored = opt.ignored.filter(|_| !is_default(opt, at.value));
                ignored.or_else(|| self.idle_store_option((at.group, at.name))).map(without_effect)
            }
        }
    }

    /// Says that nobody knows an option, and which one may be meant.
    fn unknown(&self, at: &Setting<'_>) -> String {
        let names = || self.conf.options().iter().flat_map(Opt::names);
        let groups = || names().map(|(group, _)| group).chain(GROUPS.iter().map(|(group, _)| *group));
        let own = |group: &str| group == at.group || group != "DEFAULT" && group.eq_ignore_ascii_case(at.group);
        let meant = if !groups().any(own) {
            let group = osloconf::nearest(at.group, groups()).map(|group| format!("[{group}]"));
            return format!("there is no such group{}", did_you_mean(group));
        } else {
            let sibling = names().filter(|(group, _)| own(group)).map(|(_, name)| name);
            let elsewhere = names().find(|(_, name)| *name == at.name);
            osloconf::nearest(at.name, sibling)
                .map(str::to_owned)
                .or_else(|| elsewhere.map(|(group, name)| format!("[{group}] {name}")))
        };
        format!("there is no such option{}", did_you_mean(meant))
    }
}

fn without_effect(why: &str) -> String {
    format!("has no effect: {why}")
}

fn did_you_mean(name: Option<String>) -> String {
    name.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// Whether a value asks for nothing else than what an option without effect stands for.
fn is_default(opt: &Opt, value: &str) -> bool {
    let value = value.trim();
    value.eq_ignore_ascii_case(opt.default.unwrap_or("")) || value.is_empty() && opt.empty_is_unset
}

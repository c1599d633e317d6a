//! Rules that follow their files: an edited policy counts from the next request
//! on, without a restart.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::facts::{Attributes, Credentials};
use crate::lint::Warning;
use crate::remote::{Answers, Verdict};
use crate::rules::Rules;

/// Answers whether a rule permits a request. One per service, shared by all its
/// threads.
pub struct Enforcer {
    defaults: Rules,
    sources: Sources,
    loaded: Mutex<Loaded>,
    tell: Tell,
}

/// Hears of the faults of rules that have been loaded.
type Tell = Box<dyn Fn(&Warning) + Send + Sync>;

/// Where rules come from beside the defaults.
#[derive(Debug)]
struct Sources {
    file: Option<PathBuf>,
    directories: Vec<PathBuf>,
}

/// The rules of one version of the sources.
#[derive(Debug)]
struct Loaded {
    /// Every file and directory that was looked into, as it was then; `None`: it was not there.
    versions: Vec<(PathBuf, Option<Version>)>,
    rules: Arc<Rules>,
}

impl fmt::Debug for Enforcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enforcer").field("sources", &self.sources).finish_non_exhaustive()
    }
}

impl Enforcer {
    /// Loads the policy: the built-in defaults, the file, where given, on top,
    /// and on top of that the files of the directories, one directory after the
    /// other and by their names; hidden files and further directories are left
    /// out. A directory that is missing may come later. `tell` hears of every
    /// fault that makes a rule deny, now and whenever rules are loaded again.
    ///
    /// # Errors
    /// A file cannot be read, or is no policy.
    pub fn new(
        defaults: Rules,
        file: Option<PathBuf>,
        directories: Vec<PathBuf>,
        tell: impl Fn(&Warning) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let sources = Sources { file, directories };
        let loaded = sources.load(&defaults)?;
        loaded.rules.warnings().iter().for_each(&tell);
        Ok(Self { defaults, sources, loaded: Mutex::new(loaded), tell: Box::new(tell) })
    }

    /// As [`Rules::judge`], by the rules of now. Costs one `stat` for each file and directory while they stay as
    /// they are.
    ///
    /// # Errors
    /// A file has changed and can no longer be used. The earlier rules are not
    /// applied in its stead, for they may permit what the operator just forbade;
    /// the next call tries again.
    pub fn judge(
        &self,
        rule: &str,
        target: &dyn Attributes,
        creds: &dyn Credentials,
        answers: &Answers,
    ) -> Result<Verdict, Error> {
        Ok(self.rules()?.judge(rule, target, creds, answers))
    }

    /// The rules of now.
    ///
    /// # Errors
    /// As for [`Enforcer::judge`].
    pub fn rules(&self) -> Result<Arc<Rules>, Error> {
        // Rules are replaced whole, so a panic elsewhere cannot leave them torn.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, version) in &loaded.versions {
            // A file of a directory that is gone is no longer one of its rules.
            let unchanged = match fs::metadata(path) {
                Ok(metadata) => *version == Some(Version::of(&metadata)),
                Err(source) if Some(path) == self.sources.file.as_ref() => return Err(unreadable(path, source)),
                Err(source) => version.is_none() && source.kind() == io::ErrorKind::NotFound,
            };
            if !unchanged {
                *loaded = self.sources.load(&self.defaults)?;
                loaded.rules.warnings().iter().for_each(&self.tell);
                break;
            }
        }
        Ok(Arc::clone(&loaded.rules))
    }
}

impl Sources {
    fn load(&self, defaults: &Rules) -> Result<Loaded, Error> {
        let mut versions = Vec::new();
        let mut rules = defaults.clone();
        if let Some(file) = &self.file {
            versions.push(overlay(&mut rules, file)?);
        }
        for directory in &self.directories {
            let looked = |source| unreadable(directory, source);
            // Taken before the list, so that a file that comes in between is seen the next time.
            let version = match fs::metadata(directory) {
                Ok(metadata) => Some(Version::of(&metadata)),
                Err(source) if source.kind() == io::ErrorKind::NotFound => None,
                Err(source) => return Err(looked(source)),
            };
            let is_there = version.is_some();
            versions.push((directory.clone(), version));
            if !is_there {
                continue;
            }
            for file in files(directory).map_err(looked)? {
                versions.push(overlay(&mut rules, &file)?);
            }
        }
        Ok(Loaded { versions, rules: Arc::new(rules) })
    }
}

/// The files of a directory that are not hidden, by their names.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // A link that leads nowhere is no file, and neither is what an editor has just removed.
        if !hidden && fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn overlay(rules: &mut Rules, path: &Path) -> Result<(PathBuf, Option<Version>), Error> {
    let (version, text) = read(path).map_err(|source| unreadable(path, source))?;
    rules.overlay(&text, path).map_err(|source| Error::Format { path: path.to_owned(), source })?;
    Ok((path.to_owned(), Some(version)))
}

fn read(path: &Path) -> io::Result<(Version, String)> {
    let mut file = File::open(path)?;
    // Taken before the text, so that an edit in between is read again.
    let version = Version::of(&file.metadata()?);
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok((version, text))
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}

/// What tells two states of a file apart. The time of modification alone misses
/// a file that is moved into place or whose times were preserved.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests;

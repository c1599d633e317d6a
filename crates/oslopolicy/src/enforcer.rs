//! Rules that follow their file: an edited policy counts from the next request
//! on, without a restart.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::facts::{Attributes, Creds};
use crate::lint::Warning;
use crate::rules::Rules;

/// Answers whether a rule permits a request. One per service, shared by all its
/// threads.
#[derive(Debug)]
pub struct Enforcer {
    defaults: Arc<Rules>,
    file: Option<PolicyFile>,
}

#[derive(Debug)]
struct PolicyFile {
    path: PathBuf,
    loaded: Mutex<Loaded>,
}

/// The rules of one version of the file.
#[derive(Debug)]
struct Loaded {
    version: Version,
    rules: Arc<Rules>,
}

impl Enforcer {
    /// Loads the policy: the built-in defaults and, where given, the file on
    /// top. A file that may be missing is the caller's to look for.
    ///
    /// # Errors
    /// The file cannot be read, or is no policy.
    pub fn new(defaults: Rules, file: Option<PathBuf>) -> Result<Self, Error> {
        let file = match file {
            Some(path) => Some(PolicyFile { loaded: Mutex::new(Loaded::read(&path, &defaults)?), path }),
            None => None,
        };
        Ok(Self { defaults: Arc::new(defaults), file })
    }

    /// Whether the rule permits the holder of the credentials to act on the
    /// target. Costs one `stat` while the file stays as it is.
    ///
    /// # Errors
    /// The file has changed and can no longer be used. The earlier rules are not
    /// applied in its stead, for they may permit what the operator just forbade;
    /// the next call tries again.
    pub fn enforce(&self, rule: &str, target: &dyn Attributes, creds: &Creds) -> Result<bool, Error> {
        Ok(self.rules()?.allows(rule, target, creds))
    }

    /// Faults that make rules of the current policy deny.
    ///
    /// # Errors
    /// As for [`Enforcer::enforce`].
    pub fn warnings(&self) -> Result<Vec<Warning>, Error> {
        Ok(self.rules()?.warnings())
    }

    fn rules(&self) -> Result<Arc<Rules>, Error> {
        match &self.file {
            Some(file) => file.rules(&self.defaults),
            None => Ok(Arc::clone(&self.defaults)),
        }
    }
}

impl PolicyFile {
    fn rules(&self, defaults: &Rules) -> Result<Arc<Rules>, Error> {
        // Rules are replaced whole, so a panic elsewhere cannot leave them torn.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = fs::metadata(&self.path).map_err(|source| unreadable(&self.path, source))?;
        if loaded.version != Version::of(&metadata) {
            *loaded = Loaded::read(&self.path, defaults)?;
        }
        Ok(Arc::clone(&loaded.rules))
    }
}

impl Loaded {
    fn read(path: &Path, defaults: &Rules) -> Result<Self, Error> {
        let (version, text) = read(path).map_err(|source| unreadable(path, source))?;
        let mut rules = defaults.clone();
        rules.overlay(&text).map_err(|source| Error::Format { path: path.to_owned(), source })?;
        Ok(Self { version, rules: Arc::new(rules) })
    }
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

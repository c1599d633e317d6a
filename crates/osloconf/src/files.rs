//! Which files to read: the ones named on the command line, or those found under a program's default names.
//!
//! Nothing is parsed here; a list of paths comes out.

use std::fs;
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf, absolute};

use crate::error::{Error, Result};

#[cfg(test)]
mod tests;

/// A `--config-file` or `--config-dir`, in the order given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Given {
    /// `--config-file`: must exist.
    File(PathBuf),
    /// `--config-dir`: must exist; contributes its `*.conf`, byte-sorted, without sub-directories.
    Dir(PathBuf),
}

/// Where unnamed files are looked for; the first directory that has one wins.
#[derive(Clone, Debug, Default)]
pub struct Search {
    dirs: Vec<PathBuf>,
    home: Option<PathBuf>,
}

impl Search {
    /// The customary places of an OpenStack project: `~/.<project>`, `~`, `/etc/<project>`, `/etc`, and last `./etc`,
    /// for running from a source tree.
    pub fn standard(project: &str, home: Option<PathBuf>) -> Self {
        let mut dirs: Vec<PathBuf> =
            home.iter().flat_map(|home| [home.join(format!(".{project}")), home.clone()]).collect();
        dirs.extend([Path::new("/etc").join(project), "/etc".into(), "./etc".into()]);
        Self { dirs, home }
    }

    /// These places only.
    pub fn in_dirs(dirs: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { dirs: dirs.into_iter().collect(), home: None }
    }

    /// The first of the places that has `name`, with the name joined.
    pub fn find(&self, name: impl AsRef<Path>) -> Option<PathBuf> {
        self.dirs.iter().map(|dir| dir.join(&name)).find(|path| path.exists())
    }

    /// The path from the root, with `~/` understood: a shell leaves it alone in `--config-file=~/x`.
    fn absolute(&self, path: &Path) -> Result<PathBuf> {
        let path = match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_owned(),
        };
        absolute(&path).map_err(|source| Error::ReadFile { path, source })
    }
}

/// The files to read, earliest first, and where their companions may lie.
#[derive(Clone, Debug, Default)]
pub struct ConfigFiles {
    paths: Vec<PathBuf>,
    /// The last of them that is not from a directory.
    main: Option<PathBuf>,
    /// Where companion files are looked for.
    companions: Search,
}

impl ConfigFiles {
    /// Decides what to read. Any [`Given::File`] replaces the default `<name>.conf` files, any [`Given::Dir`] the
    /// default `<name>.conf.d` directories; `names` come in rising precedence, and defaults come before what is given.
    ///
    /// # Errors
    /// [`Error::MissingFiles`] with all given files that do not exist, [`Error::ReadFile`] for one that is a directory
    /// or out of reach, [`Error::ReadDir`] for a directory that cannot be listed.
    pub fn resolve(search: Search, given: &[Given], names: &[&str]) -> Result<Self> {
        let mut paths = Vec::new();
        let mut dirs = Vec::new();
        if !given.iter().any(|given| matches!(given, Given::File(_))) {
            paths = defaults(&search, names, ".conf", Path::is_file)?;
        }
        let mut main = paths.last().cloned();
        if !given.iter().any(|given| matches!(given, Given::Dir(_))) {
            dirs = defaults(&search, names, ".conf.d", Path::is_dir)?;
            for dir in &dirs {
                paths.extend(conf_files(dir)?);
            }
        }
        let mut missing = Vec::new();
        for given in given {
            match given {
                Given::File(file) => {
                    let file = search.absolute(file)?;
                    if is_present(&file)? {
                        paths.push(file.clone())
                    } else {
                        missing.push(file.clone())
                    }
                    main = Some(file);
                }
                Given::Dir(dir) => {
                    let dir = search.absolute(dir)?;
                    paths.extend(conf_files(&dir)?);
                    dirs.push(dir);
                }
            }
        }
        if !missing.is_empty() {
            return Err(Error::MissingFiles(missing));
        }
        dirs.extend(paths.iter().rev().filter_map(|path| path.parent()).map(Path::to_owned));
        dirs.extend(search.dirs);
        Ok(Self { paths, main, companions: Search { dirs, home: search.home } })
    }

    /// The files to read; a later one overrides an earlier one.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The last of them that is not from a directory: companions are called after it.
    pub fn main_path(&self) -> Option<&Path> {
        self.main.as_deref()
    }

    /// Finds a companion file (policy, paste, schema): in the config directories, beside the config files from the last
    /// to the first, then in the search places. An absolute name is found where it says.
    pub fn find(&self, name: impl AsRef<Path>) -> Option<PathBuf> {
        self.companions.find(name)
    }
}

/// The first hit of every name among the search places.
fn defaults(search: &Search, names: &[&str], suffix: &str, fits: fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let first = |name: &&str| search.dirs.iter().map(|dir| dir.join(format!("{name}{suffix}"))).find(|path| fits(path));
    names.iter().filter_map(first).map(|path| search.absolute(&path)).collect()
}

/// Whether a given file exists. Other doubts than absence are errors of their own, so that a permission problem is not
/// reported as a missing file.
fn is_present(path: &Path) -> Result<bool> {
    let refused = |source| Error::ReadFile { path: path.to_owned(), source };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(refused(IoError::from(ErrorKind::IsADirectory))),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(refused(error)),
    }
}

fn conf_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let refused = |source| Error::ReadDir { path: dir.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name();
        let (name, path) = (name.as_encoded_bytes(), entry.path());
        if name.ends_with(b".conf") && !name.starts_with(b".") && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

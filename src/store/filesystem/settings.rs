//! The operator's choices, and which directories they come to.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The operator's choices.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Where images are stored, if that is one directory. Without a directory adding is disabled, reading goes on.
    pub(crate) datadir: Option<PathBuf>,
    /// Where images are stored, if it is several: each `path` or `path:priority`, as written.
    pub(crate) datadirs: Vec<String>,
    /// What is noted of locations, by the directories that they are below.
    pub(crate) metadata_file: Option<PathBuf>,
    /// `filesystem_store_file_perm` as written: its decimal digits are the octal mode; 0 leaves it to the umask.
    pub(crate) file_perm: u32,
    /// Bytes per read; fewer than the store's own minimum are not obeyed.
    pub(crate) chunk_size: usize,
    /// Longest wait for the disk where a file is opened, measured or removed; `None`: for ever.
    pub(crate) timeout: Option<Duration>,
    /// Whether stretches of zeros take no room on disk.
    pub(crate) thin_provisioning: bool,
}

/// A directory that images may be put into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Absolute.
    pub(crate) path: PathBuf,
    /// Those of a lower one are taken when those of a higher one are full.
    pub(crate) priority: i64,
}

impl Settings {
    /// The directories, those that are taken first at the front. The error is for the log (stores §6.1).
    pub(crate) fn directories(&self) -> Result<Vec<Choice>, String> {
        match (&self.datadir, self.datadirs.is_empty()) {
            (None, true) => Err("neither filesystem_store_datadir nor filesystem_store_datadirs is set".to_owned()),
            (Some(_), false) => Err("filesystem_store_datadir and filesystem_store_datadirs are both set".to_owned()),
            (Some(path), true) => Ok(vec![Choice { path: absolute(path)?, priority: 0 }]),
            (None, false) => several(&self.datadirs),
        }
    }
}

fn several(datadirs: &[String]) -> Result<Vec<Choice>, String> {
    let mut choices: Vec<Choice> = Vec::new();
    for entry in datadirs {
        let choice = parse(entry)?;
        match choices.iter().find(|known| known.path == choice.path) {
            None => choices.push(choice),
            Some(known) if *known == choice => {
                tracing::warn!(path = %choice.path.display(), "filesystem_store_datadirs names a directory twice");
            }
            Some(known) => {
                let path = known.path.display();
                return Err(format!("filesystem_store_datadirs names {path} twice, with different priorities"));
            }
        }
    }
    choices.sort_by_key(|choice| std::cmp::Reverse(choice.priority));
    Ok(choices)
}

/// `path` or `path:priority`. What follows the last colon is no part of the path.
fn parse(entry: &str) -> Result<Choice, String> {
    let (path, priority) = entry.rsplit_once(':').unwrap_or((entry, ""));
    let (path, priority) = (path.trim(), priority.trim());
    if path.is_empty() {
        return Err(format!("filesystem_store_datadirs: \"{entry}\" names no directory"));
    }
    let priority = if priority.is_empty() { Ok(0) } else { priority.parse() };
    let priority =
        priority.map_err(|_| format!("filesystem_store_datadirs: the priority of \"{entry}\" is no number"))?;
    Ok(Choice { path: absolute(Path::new(path))?, priority })
}

/// Locations are absolute, and text.
fn absolute(path: &Path) -> Result<PathBuf, String> {
    let absolute = std::path::absolute(path).map_err(|error| format!("directory {}: {error}", path.display()))?;
    if absolute.to_str().is_none() {
        return Err(format!("directory {} of the file store is not valid UTF-8", path.display()));
    }
    Ok(absolute)
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn directories(datadirs: &[&str]) -> Result<Vec<(String, i64)>, String> {
        let datadirs = datadirs.iter().map(|&entry| entry.to_owned()).collect();
        let choices = Settings { datadirs, ..Settings::default() }.directories()?;
        Ok(choices.into_iter().map(|choice| (choice.path.display().to_string(), choice.priority)).collect())
    }

    #[test]
    fn the_last_colon_separates_the_priority() {
        for (entry, path, priority) in [
            ("/a", "/a", 0),
            ("/a:", "/a", 0),
            (" /a : 7 ", "/a", 7),
            ("/a:-3", "/a", -3),
            ("/a:b:5", "/a:b", 5),
            ("/a:b:", "/a:b", 0),
        ] {
            assert_eq!(directories(&[entry]).unwrap(), [(path.to_owned(), priority)], "{entry}");
        }
        for wrong in ["/a:b", "/a:1.5", "/a:99999999999999999999", ":5", ":", " "] {
            assert!(directories(&[wrong]).unwrap_err().contains("filesystem_store_datadirs"), "{wrong}");
        }
    }

    #[test]
    fn those_of_high_priority_come_first_then_as_written() {
        let sorted = directories(&["/a:1", "/b", "/c:20", "/d:1", "/e:-1"]).unwrap();
        let paths: Vec<_> = sorted.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["/c", "/a", "/d", "/b", "/e"]);
    }

    #[test]
    fn a_directory_has_one_priority() {
        assert_eq!(directories(&["/a:1", "/b:1", "/a:1"]).unwrap().len(), 2);
        let error = directories(&["/a:1", "/b:1", "/a:2"]).unwrap_err();
        assert!(error.contains("/a twice"), "{error}");
    }

    #[test]
    fn one_directory_or_several() {
        let both = Settings { datadir: Some("/a".into()), datadirs: vec!["/b".to_owned()], ..Settings::default() };
        assert!(both.directories().unwrap_err().contains("both"));
        assert!(Settings::default().directories().unwrap_err().contains("neither"));
    }
}

//! The entries that nobody works on any more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use fastio::shared::{self, claim, leads_to};
use serde_json::Value;

use super::directory::blocking;
use super::{Entry, Note};
use crate::model::ImageId;

/// What an abandoned entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::images) enum Said {
    /// Whose work its data may be left of.
    Work(Note),
    /// It was not written to its end, so its work never began.
    Nothing,
    /// Something that newer releases understand.
    Unknown,
}

/// An entry that nobody works on, claimed by this process.
#[derive(Debug)]
pub(in crate::images) struct Abandoned {
    pub(in crate::images) said: Said,
    /// Holds the lock.
    entry: Entry,
}

impl Abandoned {
    /// Claims the entry at `path`; `None` if somebody works on it, or it is gone.
    pub(in crate::images) async fn claim(path: PathBuf) -> io::Result<Option<Self>> {
        blocking(move || {
            let Some(mut file) = open(&path)? else { return Ok(None) };
            if !claim(&file)? || !leads_to(&path, &file)? {
                return Ok(None);
            }
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            Ok(Some(Self { said: said(&text), entry: Entry::taken_over(path, file) }))
        })
        .await
    }

    /// Its work is settled.
    pub(in crate::images) async fn settle(self) {
        self.entry.settle().await;
    }
}

/// All entries, worked on or not, with their images. Files of other names are not entries.
pub(in crate::images) async fn entries(dir: &Path) -> io::Result<Vec<(ImageId, PathBuf)>> {
    let dir = dir.to_owned();
    blocking(move || {
        let mut found = Vec::new();
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if let Some(id) = entry.file_name().to_str().and_then(image_of) {
                found.push((id, entry.path()));
            }
        }
        found.sort();
        Ok(found)
    })
    .await
}

/// Whether somebody else works on the image of `claimed`.
pub(in crate::images) async fn others_at_work(dir: &Path, id: &ImageId, claimed: &Abandoned) -> io::Result<bool> {
    let mut paths = entries(dir).await?;
    paths.retain(|(of, path)| of == id && *path != claimed.entry.path);
    blocking(move || {
        for (_, path) in paths {
            if let Some(file) = open(&path)?
                && !claim(&file)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    })
    .await
}

/// The image that an entry of this name is about.
pub(super) fn image_of(name: &str) -> Option<ImageId> {
    let (id, unique) = name.split_once('.')?;
    let hex = unique.len() == 16 && unique.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| ImageId::parse(id)).flatten()
}

/// What the text of an entry says.
pub(super) fn said(text: &[u8]) -> Said {
    match (serde_json::from_slice(text), serde_json::from_slice::<Value>(text)) {
        (Ok(note), _) => Said::Work(note),
        (Err(_), Ok(_)) => Said::Unknown,
        (Err(_), Err(_)) => Said::Nothing,
    }
}

/// Locks of network file systems need the right to write.
fn open(path: &Path) -> io::Result<Option<File>> {
    let opened = shared::open_regular(path, OpenOptions::new().read(true).write(true))?;
    Ok(opened.map(|(file, _)| file))
}

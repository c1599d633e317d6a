//! The filesystem store: `<datadir>/<image id>`, in one or several directories, located by `file://<absolute path>` (v1-system §9.1, stores §6.1).
//!
//! A file appears under its name only when it is complete and on disk, so neither a crash nor a broken upload leaves
//! anything behind. Locations come from our own records only: a path is taken as it stands.

mod datadir;
mod datadirs;
mod incoming;
mod mountpoints;
mod read;
mod settings;
mod sparse;
#[cfg(test)]
mod tests;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;

use self::datadirs::Datadirs;
pub(crate) use self::settings::Settings;
use super::{Added, ByteRange, Error, LocalFile, Opened, Result, Store};
use crate::model::{ByteStream, ImageId};

/// The driver.
#[derive(Debug)]
pub(crate) struct Filesystem {
    /// `None`: adding is disabled.
    datadirs: Option<Arc<Datadirs>>,
    block: usize,
    /// Longest wait for a disk that may be gone; `None`: for ever.
    timeout: Option<Duration>,
    /// What lies below these is this store's, also if adding is disabled.
    directories: Vec<PathBuf>,
    properties: Map<String, Value>,
}

impl Filesystem {
    /// Makes the directories ready and removes what crashed writers left there. One that cannot be used disables
    /// adding, as does a useless metadata file, which is logged; it never fails (v1-system §9).
    pub(crate) fn open(settings: &Settings) -> Self {
        let directories = settings.directories();
        let opened = directories.clone().and_then(|choices| Datadirs::open(choices, settings));
        let datadirs = match opened {
            Ok(datadirs) => Some(Arc::new(datadirs)),
            Err(reason) => {
                tracing::warn!(%reason, "filesystem store: disabling add method");
                None
            }
        };
        Self {
            datadirs,
            block: read::block_size(settings.chunk_size),
            timeout: settings.timeout,
            directories: directories.unwrap_or_default().into_iter().map(|choice| choice.path).collect(),
            properties: properties(settings),
        }
    }
}

#[async_trait]
impl Store for Filesystem {
    fn schemes(&self) -> &'static [&'static str] {
        &["file", "filesystem"]
    }

    fn claims(&self, uri: &str) -> Option<usize> {
        let path = path_of(uri).ok()?;
        self.directories.iter().filter(|dir| path.starts_with(dir)).map(|dir| dir.as_os_str().len()).max()
    }

    fn properties(&self) -> Map<String, Value> {
        self.properties.clone()
    }

    fn locations(&self, id: &ImageId) -> Vec<String> {
        self.datadirs.iter().flat_map(|datadirs| datadirs.targets(id)).map(|path| uri_of(&path)).collect()
    }

    async fn add(&self, id: &ImageId, data: ByteStream, size: Option<u64>) -> Result<Added> {
        let datadirs = self.datadirs.clone().ok_or(Error::AddDisabled)?;
        let (path, size) = write::receive(Arc::clone(&datadirs), id.clone(), data, size).await?;
        Ok(Added { uri: uri_of(&path), size, metadata: datadirs.mountpoints.noted(&path) })
    }

    async fn get(&self, uri: &str, range: ByteRange) -> Result<Opened> {
        let path = path_of(uri)?;
        let (file, size) = self.in_time(on_disk(move || read::open(&path))).await?;
        let file = LocalFile::new(file, size, range);
        Ok(Opened { data: file.clone().read(self.block), file: Some(file), size: Some(size), version: None })
    }

    async fn size(&self, uri: &str) -> Result<Option<u64>> {
        let path = path_of(uri)?;
        let (_, size) = self.in_time(on_disk(move || read::open(&path))).await?;
        Ok(Some(size))
    }

    async fn delete(&self, uri: &str) -> Result<()> {
        let path = path_of(uri)?;
        // Waited for as long as it takes: what is given up may remove later what was put there since.
        finished(on_disk(move || remove(&path))).await
    }
}

impl Filesystem {
    /// What work on the disk came to, if it does in time. Its thread waits on.
    async fn in_time<T>(&self, work: JoinHandle<Result<T>>) -> Result<T> {
        let Some(timeout) = self.timeout else { return finished(work).await };
        tokio::time::timeout(timeout, finished(work)).await.unwrap_or_else(|_| {
            tracing::error!("the file store does not answer within filesystem_store_timeout");
            Err(Error::Unavailable("The file store does not answer in time".to_owned()))
        })
    }
}

/// What an operator is told (v2-images §10).
fn properties(settings: &Settings) -> Map<String, Value> {
    let data_dir = match &settings.datadir {
        Some(path) => json!(path.display().to_string()),
        None => json!(settings.datadirs),
    };
    let all = [
        ("data_dir", data_dir),
        ("chunk_size", json!(settings.chunk_size)),
        ("thin_provisioning", json!(settings.thin_provisioning)),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The location of the file at `path`.
fn uri_of(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// The path in a location: all that follows `file://`, as it stands (v1 never encoded it).
fn path_of(uri: &str) -> Result<PathBuf> {
    let path = uri.split_once("://").map(|(_, path)| path.trim());
    path.filter(|path| path.starts_with('/') && !path.contains('\0'))
        .map(PathBuf::from)
        .ok_or_else(|| Error::BadLocation("A file location must name an absolute path".to_owned()))
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => not_found(path),
        _ => Error::DeleteDenied(format!("You cannot delete file {}", path.display())),
    })
}

fn not_found(path: &Path) -> Error {
    Error::NotFound(format!("Image file {} not found", path.display()))
}

/// Starts `work` where it may block. Its result is dropped there if nobody waits for it any more.
fn on_disk<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> JoinHandle<Result<T>> {
    tokio::task::spawn_blocking(work)
}

/// What [`on_disk`] work came to.
async fn finished<T>(work: JoinHandle<Result<T>>) -> Result<T> {
    work.await.unwrap_or_else(|lost| Err(Error::Io(io::Error::other(lost))))
}

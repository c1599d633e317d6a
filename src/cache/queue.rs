//! The queue of images that wait to be prefetched: empty marker files, oldest first (v1-cache §5).

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use fastio::shared::remove_if_there;

use super::layout::{FILE_MODE, images_in, sweep};
use super::{Cache, Result};
use crate::model::ImageId;

/// What became of the wish to have an image prefetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "that an image is already queued is what Glance's log says, too")]
pub(crate) enum Queued {
    /// It is in the queue now.
    Yes,
    /// Refused: it is cached.
    AlreadyCached,
    /// Refused: it is being written.
    BeingCached,
    /// Refused: it was in the queue before.
    AlreadyQueued,
}

impl Cache {
    /// Queues `id` unless that is pointless, which is logged.
    ///
    /// # Errors
    /// The marker cannot be made.
    pub(crate) async fn queue(&self, id: &ImageId) -> Result<Queued> {
        let wanted = id.clone();
        let queued = self
            .files(move |layout| {
                if layout.open_entry(&wanted)?.is_some() {
                    return Ok(Queued::AlreadyCached);
                }
                if layout.incomplete(&wanted).symlink_metadata().is_ok() {
                    return Ok(Queued::BeingCached);
                }
                match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(layout.marker(&wanted)) {
                    Ok(_) => Ok(Queued::Yes),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Queued::AlreadyQueued),
                    Err(error) => Err(error),
                }
            })
            .await?;
        match queued {
            Queued::Yes => {}
            Queued::AlreadyCached => tracing::warn!("Not queueing image '{id}'. Already cached."),
            Queued::BeingCached => tracing::warn!("Not queueing image '{id}'. Already being written to cache"),
            Queued::AlreadyQueued => tracing::warn!("Not queueing image '{id}'. Already queued."),
        }
        Ok(queued)
    }

    /// The queued images, by the time they were queued, then by id.
    ///
    /// # Errors
    /// The queue cannot be listed.
    pub(crate) async fn queued(&self) -> Result<Vec<ImageId>> {
        self.files(|layout| {
            let mut markers = Vec::new();
            for entry in images_in(&layout.queue_dir())? {
                markers.push((entry.metadata.modified()?, entry.id));
            }
            markers.sort();
            Ok(markers.into_iter().map(|(_, id)| id).collect())
        })
        .await
    }

    /// Whether `id` is in the queue.
    pub(crate) async fn is_queued(&self, id: &ImageId) -> bool {
        let id = id.clone();
        self.files(move |layout| Ok(layout.marker(&id).symlink_metadata().is_ok())).await.unwrap_or(false)
    }

    /// Takes `id` out of the queue; false if it was not in it.
    ///
    /// # Errors
    /// The marker cannot be removed.
    pub(crate) async fn unqueue(&self, id: &ImageId) -> Result<bool> {
        let id = id.clone();
        self.files(move |layout| remove_if_there(&layout.marker(&id))).await
    }

    /// Empties the queue; yields the number of images that were in it. What cannot be removed stays, logged.
    ///
    /// # Errors
    /// The queue cannot be listed.
    pub(crate) async fn unqueue_all(&self) -> Result<u64> {
        self.files(|layout| {
            let markers = images_in(&layout.queue_dir())?;
            Ok(sweep(markers.iter().map(|entry| layout.marker(&entry.id)), remove_if_there))
        })
        .await
    }
}

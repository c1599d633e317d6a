//! Removing the data of images whose delayed delete has come due (v1-system §8).

use std::path::PathBuf;

use futures_util::{StreamExt, stream};

use super::scrub_queue::{self, ScrubEntry};
use super::{Images, Result};
use crate::db::{Error as MetadataError, UpdateMode};
use crate::model::{Context, Filters, Image, ImageFields, ImageId, ImageQuery, ImageStatus, PublicFilter};
use crate::store::{Address, Error as StoreError, Store as _};

/// Records asked for per page while cleaning up; the owner of the metadata may send fewer.
const PAGE: u64 = 100;

/// When to look for pending images that the queue has forgotten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cleanup {
    /// Seconds between two such looks, and the age at which an image counts as forgotten.
    pub(crate) interval: u64,
}

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scrubbed {
    /// Images whose data is gone now.
    pub(crate) images: usize,
    /// Images left for the next run.
    pub(crate) failed: usize,
}

impl Scrubbed {
    fn count(&mut self, id: &ImageId, outcome: std::result::Result<(), Failure>) {
        match outcome {
            Ok(()) => self.images += 1,
            Err(failure) => {
                tracing::error!("Unable to scrub image {id}: {failure}");
                self.failed += 1;
            }
        }
    }
}

/// The queue as a whole cannot be used; the next run may find it well.
#[derive(Debug, thiserror::Error)]
#[error("Unable to use the scrubber's queue {dir}: {source}")]
pub(crate) struct QueueError {
    dir: PathBuf,
    source: std::io::Error,
}

/// Why an image cannot be restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRestored {
    #[error("cannot restore the image from {0} to active (wanted from_state=pending_delete)")]
    Status(&'static str),
    #[error("cannot restore an image while a scrubber is at work")]
    Busy,
    #[error("{0}")]
    Queue(#[from] QueueError),
    #[error("{0}")]
    Metadata(#[from] MetadataError),
}

/// Why an image is left for the next run.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Metadata(#[from] MetadataError),
    #[error("{0}")]
    Locations(#[from] super::Error),
    #[error("{0}")]
    Data(#[from] StoreError),
    #[error("its entry cannot be removed: {0}")]
    Queue(#[from] std::io::Error),
    #[error("its status is {0}, not pending_delete")]
    InUse(&'static str),
}

impl Images {
    /// One run, with so many images at the same time: everything due in the queue; then what the records alone tell of,
    /// `recorded` seconds after its deletion, if they are to be asked (operations §8); then the clean-up if it is asked for
    /// and due.
    ///
    /// # Errors
    /// The queue as a whole cannot be used. What goes wrong with one image is logged and counted.
    pub(crate) async fn scrub(
        &self,
        ctx: &Context,
        recorded: Option<u64>,
        cleanup: Option<Cleanup>,
        pool: usize,
    ) -> std::result::Result<Scrubbed, QueueError> {
        let dir = &self.parts.settings.scrubber_datadir;
        let unusable = |source| QueueError { dir: dir.clone(), source };
        let _turn = scrub_queue::scrubbing(dir).await.map_err(unusable)?;
        let mut total = Scrubbed::default();
        let due = stream::iter(scrub_queue::due(dir).await.map_err(unusable)?);
        let work = due.map(async |(id, entry)| (self.scrub_queued(ctx, &id, entry).await, id));
        let mut done = std::pin::pin!(work.buffer_unordered(pool));
        while let Some((outcome, id)) = done.next().await {
            total.count(&id, outcome);
        }
        if let Some(age) = recorded {
            self.scrub_forgotten(ctx, age, pool, &mut total).await;
        }
        if let Some(Cleanup { interval }) = cleanup
            && scrub_queue::cleanup_is_due(dir, interval).await.map_err(unusable)?
        {
            self.scrub_forgotten(ctx, interval, pool, &mut total).await;
        }
        Ok(total)
    }

    /// Brings an image back whose data waits to be removed.
    ///
    /// # Errors
    /// There is no such image, or a scrubber could be removing its data just now.
    pub(crate) async fn restore(&self, ctx: &Context, id: &ImageId) -> std::result::Result<(), NotRestored> {
        let dir = &self.parts.settings.scrubber_datadir;
        let unusable = |source| QueueError { dir: dir.clone(), source };
        let _alone = scrub_queue::alone(dir).await.map_err(unusable)?.ok_or(NotRestored::Busy)?;
        let status = self.parts.metadata.image_get(ctx, id).await?.status;
        if status != ImageStatus::PendingDelete {
            return Err(NotRestored::Status(status.as_str()));
        }
        // Without its order the image waits on; a scrubber would stumble over an order without such an image.
        scrub_queue::remove(dir, id).await.map_err(unusable)?;
        Ok(self.parts.metadata.image_restore(ctx, id).await?)
    }

    async fn scrub_queued(&self, ctx: &Context, id: &ImageId, entry: ScrubEntry) -> std::result::Result<(), Failure> {
        let places = match self.parts.metadata.image_get(ctx, id).await {
            Ok(image) => self.with_recorded(entry.uri, &image)?,
            Err(MetadataError::NotFound(_)) => vec![Address::bare(&entry.uri)],
            Err(error) => return Err(error.into()),
        };
        self.scrub_one(ctx, id, &places).await?;
        Ok(scrub_queue::remove(&self.parts.settings.scrubber_datadir, id).await?)
    }

    /// The queued location and those of the record: an entry holds one, an image may have several.
    fn with_recorded(&self, queued: String, image: &Image) -> std::result::Result<Vec<Address>, Failure> {
        // An image that was purged and added anew may have the data's old name.
        if !matches!(image.status, ImageStatus::PendingDelete | ImageStatus::Deleted) {
            return Err(Failure::InUse(image.status.as_str()));
        }
        let mut places = Vec::new();
        for stored in &image.locations {
            // What lies in a store that is not here is readable all the same, and is not this scrubber's.
            let foreign = |place: &Address| matches!(self.parts.stores.at(place), Err(StoreError::BadLocation(_)));
            match self.address(stored).ok().filter(|place| !foreign(place)) {
                Some(place) => places.push(place),
                // The one that is queued in plain text: the scrubber need not have metadata_encryption_key.
                None if image.locations.len() == 1 => {}
                None => return Err(super::Error::UnreadableLocation.into()),
            }
        }
        // Where it lies, the record tells better than the entry.
        if places.iter().all(|place: &Address| place.uri != queued) {
            places.push(Address::bare(&queued));
        }
        Ok(places)
    }

    async fn scrub_one(&self, ctx: &Context, id: &ImageId, places: &[Address]) -> std::result::Result<(), Failure> {
        for place in places {
            self.scrub_data(place).await?;
        }
        let fields = ImageFields { status: Some(ImageStatus::Deleted), ..ImageFields::default() };
        let mode = UpdateMode { purge_props: false, from_status: Some(ImageStatus::PendingDelete) };
        match self.parts.metadata.image_update(ctx, id, fields, mode).await {
            // Already scrubbed, or the record is gone: nothing is left to do.
            Ok(_) | Err(MetadataError::Conflict(_) | MetadataError::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes data. Missing data is no fault, nor is that of read-only stores: it was never this service's.
    async fn scrub_data(&self, place: &Address) -> std::result::Result<(), StoreError> {
        let store = self.parts.stores.at(place)?;
        match store.delete(&place.uri).await {
            Err(StoreError::NotFound(_)) => Ok(()),
            Err(StoreError::Unsupported(_)) if store.is_read_only() => Ok(()),
            other => other,
        }
    }

    /// Pending images, deleted `age` seconds ago or earlier, that no entry of the queue holds. Entries that are not due
    /// yet keep their time, and those that have just failed their turn.
    async fn scrub_forgotten(&self, ctx: &Context, age: u64, pool: usize, total: &mut Scrubbed) {
        let age = i64::try_from(age).ok().and_then(chrono::TimeDelta::try_seconds);
        let Some(limit) = age.and_then(|age| chrono::Utc::now().naive_utc().checked_sub_signed(age)) else { return };
        let pending = match self.pending_images(ctx).await {
            Ok(pending) => pending,
            Err(error) => {
                tracing::error!("Unable to list the images that wait for deletion: {error}");
                return;
            }
        };
        let due = pending.iter().filter(|image| image.deleted_at.is_some_and(|at| at <= limit));
        let work = stream::iter(due).map(async |image| {
            let waits = scrub_queue::holds(&self.parts.settings.scrubber_datadir, &image.id).await;
            (if waits { None } else { Some(self.scrub_recorded(ctx, image).await) }, &image.id)
        });
        let mut done = std::pin::pin!(work.buffer_unordered(pool));
        while let Some((outcome, id)) = done.next().await {
            if let Some(outcome) = outcome {
                total.count(id, outcome);
            }
        }
    }

    async fn scrub_recorded(&self, ctx: &Context, image: &Image) -> std::result::Result<(), Failure> {
        // What was listed may be minutes old, and restored since.
        let image = match self.parts.metadata.image_get(ctx, &image.id).await {
            Ok(image) if image.status == ImageStatus::PendingDelete => image,
            Ok(_) | Err(MetadataError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.scrub_one(ctx, &image.id, &self.addresses(&image)?).await
    }

    async fn pending_images(&self, ctx: &Context) -> Result<Vec<Image>> {
        let filters = Filters {
            deleted: Some(true),
            is_public: PublicFilter::Any,
            status: Some(ImageStatus::PendingDelete.as_str().to_owned()),
            ..Filters::default()
        };
        let mut query = ImageQuery { filters, limit: Some(PAGE), ..ImageQuery::default() };
        let mut pending: Vec<Image> = Vec::new();
        loop {
            let page = self.parts.metadata.image_find(ctx, &query).await.map_err(super::Error::List)?;
            let Some(last) = page.last() else { return Ok(pending) };
            query.marker = Some(last.id.clone());
            pending.extend(page);
        }
    }
}

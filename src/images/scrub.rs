//! Removing the data of images whose delayed delete has come due (v1-system §8).

use super::scrub_queue;
use super::{Images, Result};
use crate::db::{Error as MetadataError, UpdateMode};
use crate::model::{Context, Filters, Image, ImageFields, ImageId, ImageQuery, ImageStatus, PublicFilter};

/// Records read per page while cleaning up.
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

impl Images {
    /// One run: everything due in the queue, then the clean-up if it is asked for and due.
    pub(crate) async fn scrub(&self, ctx: &Context, cleanup: Option<Cleanup>) -> std::io::Result<Scrubbed> {
        let dir = &self.settings.scrubber_datadir;
        let mut total = Scrubbed::default();
        for (id, entry) in scrub_queue::due(dir).await? {
            match self.scrub_one(ctx, &id, &[entry.uri]).await {
                Ok(()) => {
                    scrub_queue::remove(dir, &id).await?;
                    total.images += 1;
                }
                Err(error) => {
                    tracing::error!("Unable to scrub image {id}: {error}");
                    total.failed += 1;
                }
            }
        }
        if let Some(Cleanup { interval }) = cleanup
            && scrub_queue::cleanup_is_due(dir, interval).await?
        {
            self.scrub_forgotten(ctx, interval, &mut total).await;
        }
        Ok(total)
    }

    async fn scrub_one(&self, ctx: &Context, id: &ImageId, uris: &[String]) -> std::result::Result<(), MetadataError> {
        self.remove_data(id, uris).await;
        let fields = ImageFields { status: Some(ImageStatus::Deleted), ..ImageFields::default() };
        let mode = UpdateMode { purge_props: false, from_status: Some(ImageStatus::PendingDelete) };
        match self.metadata.image_update(ctx, id, fields, mode).await {
            // Already scrubbed, or the record is gone: nothing is left to do.
            Ok(_) | Err(MetadataError::Conflict(_) | MetadataError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Pending images older than `age` seconds that no file of the queue names.
    async fn scrub_forgotten(&self, ctx: &Context, age: u64, total: &mut Scrubbed) {
        let limit = chrono::Utc::now().naive_utc() - chrono::TimeDelta::seconds(i64::try_from(age).unwrap_or(i64::MAX));
        let pending = match self.pending_images(ctx).await {
            Ok(pending) => pending,
            Err(error) => {
                tracing::error!("Unable to list the images that wait for deletion: {error}");
                return;
            }
        };
        for image in pending.iter().filter(|image| image.deleted_at.is_some_and(|at| at <= limit)) {
            let scrubbed = match self.plain_locations(image) {
                Ok(uris) => self.scrub_one(ctx, &image.id, &uris).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match scrubbed {
                Ok(()) => total.images += 1,
                Err(error) => {
                    tracing::error!("Unable to scrub image {}: {error}", image.id);
                    total.failed += 1;
                }
            }
        }
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
            let page = self.metadata.image_find(ctx, &query).await.map_err(super::Error::List)?;
            query.marker = page.last().map(|image| image.id.clone());
            let full = page.len() as u64 == PAGE;
            pending.extend(page);
            if !full {
                return Ok(pending);
            }
        }
    }
}

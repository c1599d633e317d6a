//! Deleting an image: the record first (which is where rights are judged), then the cache, then the data.

use super::scrub_queue::{self, ScrubEntry};
use super::{Error, Images, Result};
use crate::db::UpdateMode;
use crate::model::{Context, Image, ImageFields, ImageId, ImageStatus};
use crate::notify::Event;

impl Images {
    /// Deletes an image (v1-api §12). What goes wrong with the data never fails the request:
    /// the record is gone, and the fault is logged.
    pub(crate) async fn delete(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        self.authorise_change(ctx, "delete_image")?;
        let image = self.lookup(ctx, id).await?;
        if image.protected {
            return Err(Error::Protected);
        }
        let uris = self.plain_locations(&image)?;
        let delayed = self.settings.delayed_delete && !uris.is_empty();
        if let Some(status) = final_status(&image, delayed) {
            let fields = ImageFields { status: Some(status), ..ImageFields::default() };
            self.metadata.image_update(ctx, id, fields, UpdateMode::default()).await.map_err(Error::Delete)?;
        }
        self.metadata.image_delete(ctx, id).await.map_err(Error::Delete)?;
        if let Some(cache) = &self.cache
            && let Err(error) = cache.evict(id).await
        {
            tracing::error!("Unable to evict deleted image {id} from the cache: {error}");
        }
        if delayed {
            self.queue_for_scrubber(id, &uris).await?;
        } else {
            self.remove_data(id, &uris).await;
        }
        self.notifier.text(Event::Delete, id.as_str());
        Ok(())
    }

    async fn queue_for_scrubber(&self, id: &ImageId, uris: &[String]) -> Result<()> {
        let due = scrub_queue::now() + self.settings.scrub_time;
        for uri in uris {
            let entry = ScrubEntry { uri: uri.clone(), due };
            scrub_queue::add(&self.settings.scrubber_datadir, id, &entry)
                .await
                .map_err(|source| Error::ScrubQueue { id: id.clone(), source })?;
        }
        Ok(())
    }

    /// Removes the data; read-only stores and missing data are no fault.
    pub(super) async fn remove_data(&self, id: &ImageId, uris: &[String]) {
        for uri in uris {
            let removed = match self.stores.for_uri(uri) {
                Ok(store) => store.delete(uri).await,
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tracing::warn!("Unable to delete the data of image {id}: {error}");
            }
        }
    }
}

/// Images without data keep their status; one that is being uploaded must lose it, so that the upload cannot end well.
fn final_status(image: &Image, delayed: bool) -> Option<ImageStatus> {
    let has_data = !image.locations.is_empty();
    match (has_data || image.status == ImageStatus::Saving, delayed) {
        (false, _) => None,
        (true, true) => Some(ImageStatus::PendingDelete),
        (true, false) => Some(ImageStatus::Deleted),
    }
}

//! Deleting an image: the record first (which is where rights are judged), then the cache, then the data.

use super::scrub_queue::{self, ScrubEntry};
use super::{Error, Images, Result};
use crate::db::{self, Step};
use crate::model::{Context, Image, ImageId, ImageStatus};
use crate::notify::Event;

/// A change of the image at the same moment makes a deletion start again; that many in a row are no coincidence.
const ATTEMPTS: usize = 8;

impl Images {
    /// Deletes an image (v1-api §12). Once its record is deleted nothing fails the request any more: what goes wrong with
    /// the data is logged. Runs to its end even if the caller stops waiting.
    pub(crate) async fn delete(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        self.authorise_change(ctx, "delete_image")?;
        let (images, ctx, id) = (self.clone(), ctx.clone(), id.clone());
        let task = self.background.tasks.spawn(async move { images.delete_now(&ctx, &id).await });
        task.await.unwrap_or_else(|failure| Err(Error::Crashed(failure.to_string())))
    }

    async fn delete_now(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        let (image, delayed) = self.delete_record(ctx, id).await?;
        self.background.uploads.end(id);
        let uris = self.readable_locations(&image);
        if let Some(cache) = &self.parts.cache
            && let Err(error) = cache.evict(id).await
        {
            tracing::error!("Unable to evict deleted image {id} from the cache: {error}");
        }
        if delayed {
            self.queue_for_scrubber(id, &uris).await;
        } else {
            self.remove_data(id, &uris).await;
        }
        self.parts.notifier.text(Event::Delete, id.as_str());
        Ok(())
    }

    /// Takes the image out of use by compare-and-set: what is deleted is what was looked at, with all its locations.
    /// Every image loses its status, as in v1's later releases: one that is being uploaded must not become active.
    async fn delete_record(&self, ctx: &Context, id: &ImageId) -> Result<(Image, bool)> {
        let mut conflict = None;
        for _ in 0..ATTEMPTS {
            let image = self.lookup(ctx, id).await?;
            if image.protected {
                return Err(Error::Protected);
            }
            if image.deleted && image.status == ImageStatus::Deleted {
                return Ok((image, false));
            }
            let delayed = self.parts.settings.delayed_delete && !image.locations.is_empty();
            let status = if delayed { ImageStatus::PendingDelete } else { ImageStatus::Deleted };
            let step = Step { from: image.status, to: status };
            match self.parts.metadata.image_delete(ctx, id, Some(step)).await {
                Err(error @ db::Error::Conflict(_)) => conflict = Some(error),
                Err(error) => return Err(Error::Delete(error)),
                Ok(()) => return Ok((image, delayed)),
            }
        }
        let conflict = conflict.unwrap_or_else(|| db::Error::Conflict(String::new()));
        Err(Error::Delete(conflict))
    }

    /// The locations that the configured key decrypts; the others are the operator's to find.
    fn readable_locations(&self, image: &Image) -> Vec<String> {
        let read = |stored: &String| {
            let plain = self.plain_location(stored);
            plain.inspect_err(|error| tracing::error!("data of deleted image {} is left: {error}", image.id)).ok()
        };
        image.locations.iter().filter_map(read).collect()
    }

    /// What cannot be queued is found by the scrubber's clean-up, which looks at the records.
    async fn queue_for_scrubber(&self, id: &ImageId, uris: &[String]) {
        let due = scrub_queue::now().saturating_add(self.parts.settings.scrub_time);
        for uri in uris {
            let entry = ScrubEntry { uri: uri.clone(), due };
            if let Err(error) = scrub_queue::add(&self.parts.settings.scrubber_datadir, id, &entry).await {
                tracing::error!("Unable to queue image {id} for the scrubber: {error}");
            }
        }
    }

    /// Removes the data; read-only stores and missing data are no fault.
    pub(super) async fn remove_data(&self, id: &ImageId, uris: &[String]) {
        for uri in uris {
            let removed = match self.parts.stores.for_uri(uri) {
                Ok(store) => store.delete(uri).await,
                Err(error) => Err(error),
            };
            if let Err(error) = removed {
                tracing::warn!("Unable to delete the data of image {id}: {error}");
            }
        }
    }
}

//! Deleting an image: noted in the journal, then the record (which is where rights are judged), then a running upload, the
//! cache, and the data.

use chrono::Utc;
use tracing::Instrument;

use super::journal::{Entry, Note, Work};
use super::scrub_queue::{self, ScrubEntry};
use super::{Error, Images, Result};
use crate::db::{self, Step};
use crate::model::{Api, Context, Image, ImageId, ImageStatus, Location};
use crate::notify::{Event, Priority};
use crate::store::{self, Address, Store as _};

/// A change of the image at the same moment makes a deletion start again; that many in a row are no coincidence.
const ATTEMPTS: usize = 8;

impl Images {
    /// Deletes an image (v1-api §12, v2-images §6.5). Once its record is deleted nothing fails the request any more: what goes wrong with
    /// the data is logged. Runs to its end even if the caller stops waiting.
    pub(crate) async fn delete(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        match ctx.api {
            Api::V1 => self.authorise_change(ctx, "delete_image").await?,
            // v2's rule looks at the image.
            Api::V2 if ctx.read_only => return Err(Error::ReadOnly),
            Api::V2 => {}
        }
        let (images, ctx, id) = (self.clone(), ctx.clone(), id.clone());
        let work = async move { images.delete_now(&ctx, &id).await };
        let task = self.background.tasks.spawn(work.in_current_span());
        task.await.unwrap_or_else(|failure| Err(Error::Crashed(failure.to_string())))
    }

    async fn delete_now(&self, ctx: &Context, id: &ImageId) -> Result<()> {
        let (image, delayed, entry) = self.delete_record(ctx, id).await?;
        self.background.uploads.end(id);
        self.unstage(id).await;
        let places = self.readable_places(&image);
        if let Some(cache) = &self.parts.cache
            && let Err(error) = cache.evict(id).await
        {
            tracing::error!("Unable to evict deleted image {id} from the cache: {error}");
        }
        let settled = match delayed {
            true => self.queue_for_scrubber(id, &places).await,
            false => self.remove_data(id, &places).await,
        };
        if let Some(entry) = entry.filter(|_| settled && places.len() == image.locations.len()) {
            entry.settle().await;
        }
        match ctx.api {
            Api::V1 => self.parts.notifier.text(Event::Delete, id.as_str()),
            Api::V2 => {
                let status = if delayed { ImageStatus::PendingDelete } else { ImageStatus::Deleted };
                let gone = Image { status, deleted: true, deleted_at: Some(Utc::now().naive_utc()), ..image };
                self.parts.notifier.image(Event::Delete, Priority::Info, &gone);
            }
        }
        Ok(())
    }

    /// Takes the image out of use by compare-and-set: what is deleted is what was looked at, with all its locations.
    /// Every image loses its status, as in v1's later releases: one that is being uploaded must not become active.
    ///
    /// Yields what was deleted, whether its data is the scrubber's, and the journal's entry about it.
    async fn delete_record(&self, ctx: &Context, id: &ImageId) -> Result<(Image, bool, Option<Entry>)> {
        let mut conflict = None;
        for _ in 0..ATTEMPTS {
            let image = self.lookup(ctx, id).await?;
            self.authorise_seen(ctx, "delete_image", &image).await?;
            if image.protected {
                return Err(Error::Protected(image.id));
            }
            if image.deleted && image.status == ImageStatus::Deleted {
                return Ok((image, false, None));
            }
            let delayed = self.parts.settings.delayed_delete && !image.locations.is_empty();
            let status = if delayed { ImageStatus::PendingDelete } else { ImageStatus::Deleted };
            let step = Step { from: image.status, to: status };
            let entry = self.note_deletion(&image).await;
            let error = match self.parts.metadata.image_delete(ctx, id, Some(step)).await {
                Ok(()) => return Ok((image, delayed, entry)),
                Err(error) => error,
            };
            // Of what may have happened all the same, the entry stays.
            let refused = !matches!(error, db::Error::Unavailable(_) | db::Error::Internal(_));
            if let Some(entry) = entry.filter(|_| refused) {
                entry.settle().await;
            }
            match error {
                db::Error::Conflict(_) => conflict = Some(error),
                error => return Err(Error::Delete(error)),
            }
        }
        let conflict = conflict.unwrap_or_else(|| db::Error::Conflict(String::new()));
        Err(Error::Delete(conflict))
    }

    /// Notes what is about to be deleted. Where that cannot be done the image is deleted all the same: a full disk must
    /// not keep its users from making room.
    async fn note_deletion(&self, image: &Image) -> Option<Entry> {
        let note = Note::of_removal(Work::Delete, &image.locations);
        let begun = Entry::begin(&self.parts.settings.upload_journal_dir, &image.id, note).await;
        begun.inspect_err(|error| tracing::warn!("deleting image {} without a journal: {error}", image.id)).ok()
    }

    /// The locations that the configured key decrypts; the others are the operator's to find.
    fn readable_places(&self, image: &Image) -> Vec<Address> {
        let read = |stored: &Location| {
            let plain = self.address(stored);
            plain.inspect_err(|error| tracing::error!("data of deleted image {} is left: {error}", image.id)).ok()
        };
        image.locations.iter().filter_map(read).collect()
    }

    /// False if some data is not queued: then a recovery does it, or the scrubber's clean-up, which looks at the
    /// records.
    pub(super) async fn queue_for_scrubber(&self, id: &ImageId, places: &[Address]) -> bool {
        let mut queued = true;
        let due = scrub_queue::now().saturating_add(self.parts.settings.scrub_time);
        for Address { uri, .. } in places {
            let entry = ScrubEntry { uri: uri.clone(), due };
            if let Err(error) = scrub_queue::add(&self.parts.settings.scrubber_datadir, id, &entry).await {
                tracing::error!("Unable to queue image {id} for the scrubber: {error}");
                queued = false;
            }
        }
        queued
    }

    /// Removes the data. Read-only stores and missing data are no fault, nor are locations that no store understands: there
    /// is nothing that could be removed, however often it is tried. False if some is left that should not be.
    pub(super) async fn remove_data(&self, id: &ImageId, places: &[Address]) -> bool {
        let mut gone = true;
        for place in places {
            let (removed, read_only) = match self.parts.stores.at(place) {
                Ok(store) => (store.delete(&place.uri).await, store.is_read_only()),
                Err(error) => (Err(error), false),
            };
            if let Err(error) = removed {
                tracing::warn!("Unable to delete the data of image {id}: {error}");
                gone &= match error {
                    store::Error::NotFound(_) | store::Error::BadLocation(_) => true,
                    store::Error::Unsupported(_) => read_only,
                    _ => false,
                };
            }
        }
        gone
    }
}

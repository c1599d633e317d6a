//! An image that is getting data: nobody else's by compare-and-set, noted in the journal, and complete or free again in
//! the end, whatever becomes of the data, of this process or of the metadata.

use super::habits::after_failure;
use super::journal::{Entry, Note, Work};
use super::{Error, Images, Result};
use crate::db::{self, UpdateMode};
use crate::model::{Api, Context, Image, ImageFields, ImageStatus};
use crate::notify::{Event, Priority};
use crate::store::{self, Added, Store};

/// An image that only its holder gives data to. Its entry must be settled in the end.
#[derive(Debug)]
pub(super) struct Reservation {
    /// As it has been since: `saving`, `uploading` or `importing`.
    pub(super) image: Image,
    pub(super) entry: Entry,
    /// Ends it. Who began it may not even see the image any more: somebody may have given it away.
    pub(super) authority: Context,
}

impl Images {
    /// From `queued` to what `fields` say, with an entry in the journal: whatever becomes of this process, the image does
    /// not stay so, and no data is left that is not an image's.
    pub(super) async fn reserve(
        &self,
        ctx: &Context,
        image: &Image,
        store: &dyn Store,
        work: Work,
        fields: ImageFields,
    ) -> Result<Reservation> {
        let locations: Vec<String> = store.locations(&image.id).iter().map(|uri| self.stored_uri(uri)).collect();
        let stores = locations.iter().filter_map(|stored| Some((stored.clone(), store.id()?.to_owned()))).collect();
        let note = Note { work, locations, stores, repeatable: ctx.api == Api::V2 };
        let mut entry =
            Entry::begin(&self.parts.settings.upload_journal_dir, &image.id, note).await.map_err(|error| {
                tracing::error!("no upload is taken, as upload_journal_dir cannot be written: {error}");
                Error::NoJournal
            })?;
        match self.step(ctx, image, ImageStatus::Queued, fields).await {
            Ok(image) => Ok(Reservation { image, entry, authority: ctx.elevated() }),
            Err(error) => {
                if may_have_happened(&error) {
                    entry.leave();
                }
                entry.settle().await;
                Err(match error {
                    // Somebody was faster.
                    Error::NotQueued { to, .. } => {
                        self.lookup(ctx, &image.id).await.map_or_else(|gone| gone, |now| not_queued(&now, to))
                    }
                    error => error,
                })
            }
        }
    }

    /// Ends a reservation without data. If that fails, or data is left, a recovery does it.
    pub(super) async fn release(&self, reserved: &mut Reservation) {
        let Reservation { image, entry, authority } = reserved;
        // Where data is left there is no room for other data.
        let fields = if entry.is_left() { killed() } else { after_failure(authority.api) };
        match self.step(authority, image, image.status, fields).await {
            Ok(free) => self.tell_change(authority, &free),
            Err(error) => {
                tracing::warn!("Unable to end the upload of image {}: {error}", image.id);
                if may_have_happened(&error) {
                    entry.leave();
                }
            }
        }
    }

    /// Ends a reservation with data: the record says what `fields` say of `added`, or the data is gone and the image free.
    pub(super) async fn complete(
        &self,
        reserved: &mut Reservation,
        store: &dyn Store,
        added: &Added,
        fields: ImageFields,
    ) -> Result<Image> {
        let Reservation { image, entry, authority } = reserved;
        let done = fields.status;
        let error = match self.step(authority, image, image.status, fields).await {
            Ok(image) => return Ok(image),
            Err(Error::NotQueued { .. } | Error::Update(db::Error::NotFound(_))) => {
                discard(image, store, added, entry).await;
                return Err(Error::GoneMeanwhile(image.id.clone()));
            }
            Err(error) => error,
        };
        // It may have happened all the same, if only its answer was lost. So the data goes only when the record cannot
        // point to it any more, and nobody can bring other data yet.
        if self.step(authority, image, image.status, killed()).await.is_ok() {
            discard(image, store, added, entry).await;
            if authority.api == Api::V2 && !entry.is_left() {
                self.requeue(authority, image).await.unwrap_or_else(|_| entry.leave());
            }
            return Err(error);
        }
        match self.lookup(authority, &image.id).await {
            Ok(now) if Some(now.status) == done && now.size.is_some() && !now.deleted => Ok(now),
            _ => {
                tracing::error!("image {}: {error}; a recovery decides on its data", image.id);
                entry.leave();
                Err(error)
            }
        }
    }

    /// Lets an image take data again that was killed only so that nobody brings any before the last is gone.
    pub(super) async fn requeue(&self, ctx: &Context, image: &Image) -> Result<()> {
        let free = self.step(ctx, image, ImageStatus::Killed, after_failure(Api::V2)).await?;
        self.tell_change(ctx, &free);
        Ok(())
    }

    /// Marks an image as failed: it vanishes from lists and takes no data any more. Best effort.
    pub(crate) async fn kill(&self, ctx: &Context, image: &Image, from: ImageStatus) {
        if let Err(error) = self.set_status(ctx, image, from, ImageStatus::Killed).await {
            tracing::warn!("Unable to kill image {}: {error}", image.id);
        }
    }

    /// One step of the state machine and nothing else, by compare-and-set.
    pub(super) async fn set_status(
        &self,
        ctx: &Context,
        image: &Image,
        from: ImageStatus,
        to: ImageStatus,
    ) -> Result<Image> {
        self.step(ctx, image, from, ImageFields { status: Some(to), ..ImageFields::default() }).await
    }

    /// One step of the state machine, by compare-and-set, and what goes with it.
    pub(super) async fn step(
        &self,
        ctx: &Context,
        image: &Image,
        from: ImageStatus,
        fields: ImageFields,
    ) -> Result<Image> {
        let to = fields.status.unwrap_or(from);
        let mode = UpdateMode { purge_props: false, from_status: Some(from) };
        match self.parts.metadata.image_update(ctx, &image.id, fields, mode).await {
            Err(db::Error::Conflict(_)) => Err(not_queued(image, to)),
            other => other.map_err(Error::Update),
        }
    }

    /// v2 tells of every step.
    pub(super) fn tell_change(&self, ctx: &Context, image: &Image) {
        if ctx.api == Api::V2 {
            self.parts.notifier.image(Event::Update, Priority::Info, image);
        }
    }
}

/// For good, or until what is left of its data can be removed.
fn killed() -> ImageFields {
    ImageFields { status: Some(ImageStatus::Killed), ..ImageFields::default() }
}

/// The image cannot become `to` now.
pub(super) fn not_queued(image: &Image, to: ImageStatus) -> Error {
    Error::NotQueued { is: image.status, to }
}

/// Takes data out of the store again; where that fails, a recovery does it.
pub(super) async fn discard(image: &Image, store: &dyn Store, added: &Added, entry: &mut Entry) {
    match store.delete(&added.uri).await {
        Ok(()) | Err(store::Error::NotFound(_)) => {}
        Err(error) => {
            tracing::error!("Unable to remove the data of the failed upload of image {}: {error}", image.id);
            entry.leave();
        }
    }
}

/// Whether a refused change may have been made all the same: its answer was lost, or says nothing.
fn may_have_happened(error: &Error) -> bool {
    matches!(error, Error::Update(db::Error::Unavailable(_) | db::Error::Internal(_)))
}

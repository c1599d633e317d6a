//! Receiving an image's data: store it, hash it, and only then make it active.

use std::sync::Arc;

use super::digest::{Digesting, Received};
use super::guard::{Capped, capped, exactly};
use super::journal::{Entry, Note, Work};
use super::{Error, Images, Result};
use crate::db::{self, UpdateMode};
use crate::model::{ByteStream, Context, Image, ImageFields, ImageStatus};
use crate::notify::{Event, Priority};
use crate::store::{self, Added, Store};

/// Data for an image, and what its sender says of it.
pub(crate) struct Upload {
    pub(crate) data: ByteStream,
    /// Bytes announced by the transport; fewer or more is a broken upload.
    pub(crate) length: Option<u64>,
    /// Bytes announced in the metadata; another number kills the image.
    pub(crate) size: Option<u64>,
    /// Expected MD5, hex; another one kills the image.
    pub(crate) checksum: Option<String>,
    /// Scheme of the store to use; the default store if `None`.
    pub(crate) store: Option<String>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("length", &self.length).field("store", &self.store).finish_non_exhaustive()
    }
}

impl Images {
    /// Stores the data of a queued image and activates it (v1-api §13).
    ///
    /// On a failure the image is `killed`, no byte stays in the store, and the error says why; but an unknown store or
    /// an announced size above the cap leaves the image `queued`.
    pub(crate) async fn upload(&self, ctx: &Context, image: &Image, upload: Upload) -> Result<Image> {
        let store = self.store_for_data(upload.store.as_deref())?;
        self.check_size_cap(upload.length.or(upload.size))?;
        let (images, owner, queued) = (self.clone(), ctx.clone(), image.clone());
        self.guarded(ctx, image, async move {
            let (saving, entry) = images.reserve(&owner, &queued, &*store).await?;
            images.receive(&owner, &saving, &*store, upload, entry).await
        })
        .await
    }

    /// From `queued` to `saving`, with an entry in the journal: whatever becomes of this process, the image does not stay
    /// `saving`, and no data is left that is not an image's.
    pub(super) async fn reserve(&self, ctx: &Context, image: &Image, store: &dyn Store) -> Result<(Image, Entry)> {
        let location = store.location(&image.id).map(|uri| self.stored_location(&uri).uri);
        let note = Note { work: Work::Upload, locations: location.into_iter().collect() };
        let mut entry =
            Entry::begin(&self.parts.settings.upload_journal_dir, &image.id, note).await.map_err(|error| {
                tracing::error!("no upload is taken, as upload_journal_dir cannot be written: {error}");
                Error::NoJournal
            })?;
        match self.set_status(ctx, image, ImageStatus::Queued, ImageStatus::Saving).await {
            Ok(saving) => Ok((saving, entry)),
            Err(error) => {
                if may_have_happened(&error) {
                    entry.leave();
                }
                entry.settle().await;
                Err(error)
            }
        }
    }

    /// Ends a reservation without data. If that fails, the next start does it.
    pub(super) async fn kill_reserved(&self, ctx: &Context, image: &Image, entry: &mut Entry) {
        if let Err(error) = self.set_status(ctx, image, ImageStatus::Saving, ImageStatus::Killed).await {
            tracing::warn!("Unable to kill image {}: {error}", image.id);
            if may_have_happened(&error) {
                entry.leave();
            }
        }
    }

    /// Marks an image as failed: it vanishes from lists and takes no data any more. Best effort.
    pub(crate) async fn kill(&self, ctx: &Context, image: &Image, from: ImageStatus) {
        if let Err(error) = self.set_status(ctx, image, from, ImageStatus::Killed).await {
            tracing::warn!("Unable to kill image {}: {error}", image.id);
        }
    }

    /// The store that a client chose for data, or the default one.
    pub(super) fn store_for_data(&self, scheme: Option<&str>) -> Result<Arc<dyn Store>> {
        let scheme = scheme.unwrap_or(self.parts.stores.default_store());
        self.parts.stores.by_name(scheme).cloned().ok_or_else(|| Error::UnknownStore(scheme.to_owned()))
    }

    /// Runs `work` on a task of its own, so that neither a client that goes away nor a panic leaves the image `saving`.
    pub(super) async fn guarded(
        &self,
        ctx: &Context,
        image: &Image,
        work: impl Future<Output = Result<Image>> + Send + 'static,
    ) -> Result<Image> {
        match self.background.tasks.spawn(work).await {
            Ok(outcome) => outcome,
            Err(failure) => {
                self.kill(ctx, image, ImageStatus::Saving).await;
                Err(Error::Crashed(failure.to_string()))
            }
        }
    }

    /// From `saving` to `active`, or to `killed`; `entry` is that of the reservation.
    pub(super) async fn receive(
        &self,
        ctx: &Context,
        image: &Image,
        store: &dyn Store,
        upload: Upload,
        mut entry: Entry,
    ) -> Result<Image> {
        let outcome = match self.keep(image, store, upload, &mut entry).await {
            Ok((added, got)) => match self.activate(ctx, image, &added, got).await {
                Ok(image) => Ok(image),
                Err(error) => self.settle(ctx, image, store, &added, error, &mut entry).await,
            },
            Err(error @ Error::GoneMeanwhile(_)) => Err(error),
            Err(error) => {
                self.kill_reserved(ctx, image, &mut entry).await;
                Err(error)
            }
        };
        entry.settle().await;
        match &outcome {
            Ok(_) => self.parts.notifier.image(Event::Upload, Priority::Info, image),
            Err(error) => self.parts.notifier.failure(Event::Upload, &error.to_string()),
        }
        outcome
    }

    /// Puts the data into the store; if it is not what was announced, takes it out again.
    async fn keep(
        &self,
        image: &Image,
        store: &dyn Store,
        upload: Upload,
        entry: &mut Entry,
    ) -> Result<(Added, Received)> {
        let announced = upload.length.or(upload.size);
        let running = self.background.uploads.begin(&image.id);
        let guarded = exactly(capped(running.guard(upload.data), self.parts.settings.image_size_cap), upload.length);
        let (data, digest) = Digesting::start(guarded, self.parts.settings.hashing_algorithm);
        let added = store.add(&image.id, data, announced).await.map_err(|error| match running.was_ended() {
            true => Error::GoneMeanwhile(image.id.clone()),
            false => upload_error(error),
        })?;
        match digest.finish().await.and_then(|got| verify(got, upload.size, upload.checksum.as_deref())) {
            Ok(got) => Ok((added, got)),
            Err(error) => {
                discard(image, store, &added, entry).await;
                Err(error)
            }
        }
    }

    async fn activate(&self, ctx: &Context, image: &Image, added: &Added, got: Received) -> Result<Image> {
        let fields = ImageFields {
            status: Some(ImageStatus::Active),
            size: Some(Some(added.size)),
            checksum: Some(Some(got.md5)),
            os_hash: Some(Some(got.os_hash)),
            locations: Some(vec![self.stored_location(&added.uri)]),
            ..ImageFields::default()
        };
        let mode = UpdateMode { purge_props: false, from_status: Some(ImageStatus::Saving) };
        match self.parts.metadata.image_update(ctx, &image.id, fields, mode).await {
            Err(db::Error::Conflict(_) | db::Error::NotFound(_)) => Err(Error::GoneMeanwhile(image.id.clone())),
            other => other.map_err(Error::Update),
        }
    }

    /// After an activation that failed: it may have happened all the same, if only its answer was lost. So the data goes
    /// only when the record cannot point to it any more.
    async fn settle(
        &self,
        ctx: &Context,
        image: &Image,
        store: &dyn Store,
        added: &Added,
        error: Error,
        entry: &mut Entry,
    ) -> Result<Image> {
        let killed = match &error {
            Error::GoneMeanwhile(_) => true,
            _ => self.set_status(ctx, image, ImageStatus::Saving, ImageStatus::Killed).await.is_ok(),
        };
        if killed {
            discard(image, store, added, entry).await;
            return Err(error);
        }
        match self.lookup(ctx, &image.id).await {
            Ok(now) if now.status == ImageStatus::Active => Ok(now),
            _ => {
                tracing::error!("image {}: {error}; the next start decides on its data", image.id);
                entry.leave();
                Err(error)
            }
        }
    }

    /// One step of the state machine, by compare-and-set.
    pub(super) async fn set_status(
        &self,
        ctx: &Context,
        image: &Image,
        from: ImageStatus,
        to: ImageStatus,
    ) -> Result<Image> {
        let fields = ImageFields { status: Some(to), ..ImageFields::default() };
        let mode = UpdateMode { purge_props: false, from_status: Some(from) };
        match self.parts.metadata.image_update(ctx, &image.id, fields, mode).await {
            Err(db::Error::Conflict(_)) => Err(Error::NotQueued(image.status)),
            other => other.map_err(Error::Update),
        }
    }
}

async fn discard(image: &Image, store: &dyn Store, added: &Added, entry: &mut Entry) {
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

fn upload_error(error: store::Error) -> Error {
    match error {
        store::Error::Source(source) => match source.get_ref().and_then(|inner| inner.downcast_ref::<Capped>()) {
            Some(Capped(cap)) => Error::TooLarge(*cap),
            None => Error::BrokenUpload(source.to_string()),
        },
        other => Error::Store(other),
    }
}

fn verify(received: Received, size: Option<u64>, checksum: Option<&str>) -> Result<Received> {
    let mismatch = |field, supplied: &str, actual: &str| {
        Err(Error::Mismatch { field, supplied: supplied.to_owned(), actual: actual.to_owned() })
    };
    match (size, checksum) {
        (_, Some(sum)) if !sum.eq_ignore_ascii_case(&received.md5) => mismatch("checksum", sum, &received.md5),
        (Some(size), _) if size != received.size => mismatch("size", &size.to_string(), &received.size.to_string()),
        _ => Ok(received),
    }
}

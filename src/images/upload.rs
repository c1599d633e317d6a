//! Receiving an image's data: store it, hash it, and only then make it active.

use std::io;

use futures_util::{StreamExt, stream};

use super::digest::{Digesting, Received};
use super::{Error, Images, Result};
use crate::db::{self, UpdateMode};
use crate::model::{ByteStream, Context, Image, ImageFields, ImageStatus};
use crate::notify::{Event, Priority};
use crate::store;

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
    /// On any failure the image is `killed`, no byte stays in the store, and the error says why; but an unknown
    /// store or an announced size above the cap leaves the image `queued`.
    /// Runs to its end even if the caller stops waiting, so that a client that goes away leaves nothing behind.
    pub(crate) async fn upload(&self, ctx: &Context, image: &Image, upload: Upload) -> Result<Image> {
        let scheme = upload.store.clone().unwrap_or_else(|| self.stores.default_store().to_owned());
        if self.stores.by_name(&scheme).is_none() {
            return Err(Error::UnknownStore(scheme));
        }
        self.check_size_cap(upload.length.or(upload.size))?;
        let saving = self.set_status(ctx, image, ImageStatus::Queued, ImageStatus::Saving).await?;
        self.detached(ctx.clone(), saving, scheme, upload).await
    }

    /// Marks an image as failed: it vanishes from lists and takes no data any more. Best effort.
    pub(crate) async fn kill(&self, ctx: &Context, image: &Image, from: ImageStatus) {
        if let Err(error) = self.set_status(ctx, image, from, ImageStatus::Killed).await {
            tracing::warn!("Unable to kill image {}: {error}", image.id);
        }
    }

    /// Receives on a task of its own: dropping the returned future does not stop the clean-up.
    async fn detached(&self, ctx: Context, image: Image, scheme: String, upload: Upload) -> Result<Image> {
        let images = self.clone();
        let (owner, target) = (ctx.clone(), image.clone());
        let task = self.background.tasks.spawn(async move { images.receive(&ctx, &image, &scheme, upload).await });
        match task.await {
            Ok(outcome) => outcome,
            Err(failure) => {
                self.kill(&owner, &target, ImageStatus::Saving).await;
                Err(Error::Crashed(failure.to_string()))
            }
        }
    }

    /// From `saving` to `active`, or to `killed`.
    pub(super) async fn receive(&self, ctx: &Context, image: &Image, scheme: &str, upload: Upload) -> Result<Image> {
        let outcome = self.store_and_activate(ctx, image, scheme, upload).await;
        match &outcome {
            Ok(_) => self.notifier.image(Event::Upload, Priority::Info, image),
            Err(error) => {
                self.notifier.failure(Event::Upload, &error.to_string());
                if !matches!(error, Error::GoneMeanwhile(_)) {
                    self.kill(ctx, image, ImageStatus::Saving).await;
                }
            }
        }
        outcome
    }

    async fn store_and_activate(&self, ctx: &Context, image: &Image, scheme: &str, upload: Upload) -> Result<Image> {
        let store = self.stores.by_name(scheme).ok_or_else(|| Error::UnknownStore(scheme.to_owned()))?;
        let announced = upload.length.or(upload.size);
        let limited = limit(upload.data, upload.length, self.settings.image_size_cap);
        let (data, digest) = Digesting::start(limited);
        let added = store.add(&image.id, data, announced).await.map_err(upload_error)?;
        let kept = match digest.finish().await.and_then(|got| verify(got, upload.size, upload.checksum.as_deref())) {
            Ok(got) => self.activate(ctx, image, &added, got).await,
            Err(error) => Err(error),
        };
        if kept.is_err()
            && let Err(error) = store.delete(&added.uri).await
        {
            tracing::error!("Unable to remove the data of the failed upload of image {}: {error}", image.id);
        }
        kept
    }

    async fn activate(&self, ctx: &Context, image: &Image, added: &store::Added, got: Received) -> Result<Image> {
        let fields = ImageFields {
            status: Some(ImageStatus::Active),
            size: Some(added.size),
            checksum: Some(Some(got.md5)),
            location: Some(Some(self.stored_location(&added.uri))),
            ..ImageFields::default()
        };
        let mode = UpdateMode { purge_props: false, from_status: Some(ImageStatus::Saving) };
        match self.metadata.image_update(ctx, &image.id, fields, mode).await {
            Err(db::Error::Conflict(_) | db::Error::NotFound(_)) => Err(Error::GoneMeanwhile(image.id.clone())),
            other => other.map_err(Error::Update),
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
        match self.metadata.image_update(ctx, &image.id, fields, mode).await {
            Err(db::Error::Conflict(_)) => Err(Error::NotQueued(image.status)),
            other => other.map_err(Error::Update),
        }
    }
}

/// Cuts the data with an error above `cap`, and where it does not have just the `length` that was announced.
fn limit(data: ByteStream, length: Option<u64>, cap: u64) -> ByteStream {
    Box::pin(stream::try_unfold((data, 0u64), move |(mut data, seen)| async move {
        let Some(block) = data.next().await.transpose()? else {
            return match length {
                Some(expected) if expected != seen => {
                    let text = format!("{seen} of {expected} bytes arrived");
                    Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
                }
                _ => Ok(None),
            };
        };
        let seen = seen + block.len() as u64;
        if seen > cap { Err(io::Error::other(Capped(cap))) } else { Ok(Some((block, (data, seen)))) }
    }))
}

/// Marks the error of a stream that passed the cap.
#[derive(Debug, thiserror::Error)]
#[error("larger than {0} bytes")]
struct Capped(u64);

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

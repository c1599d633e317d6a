//! Receiving an image's data: store it, hash it, and only then make it active.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tracing::Instrument;

use super::digest::{Digesting, Received};
use super::guard::{Capped, WrongLength, capped, exactly};
use super::habits::{check_formats, inspection};
use super::journal::Work;
use super::reservation::{Reservation, discard, not_queued};
use super::storage_quota::{Overfull, Room, recorded};
use super::{Error, Images, Result};
use crate::model::{Api, ByteStream, Context, Image, ImageFields, ImageId, ImageStatus, Location, Resource};
use crate::store::{self, Added, Address, ServiceStore, Store};

/// Data for an image, and what its sender says of it.
pub(crate) struct Upload {
    pub(crate) data: ByteStream,
    /// Bytes announced by the transport; fewer or more is a broken upload.
    pub(crate) length: Option<u64>,
    /// Bytes announced in the metadata; another number fails the upload.
    pub(crate) size: Option<u64>,
    /// Expected MD5, hex; another one fails the upload.
    pub(crate) checksum: Option<String>,
    /// The store to use: its id, or where stores have none its scheme; the default store if `None`.
    pub(crate) store: Option<String>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("length", &self.length).field("store", &self.store).finish_non_exhaustive()
    }
}

/// Data that is in the store, and is what it should be.
struct Kept {
    added: Added,
    got: Received,
    virtual_size: Option<u64>,
}

impl Images {
    /// Takes data for a queued image by v2: whose it may be, and of what image.
    pub(crate) async fn upload_to(&self, ctx: &Context, id: &ImageId, upload: Upload) -> Result<()> {
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        self.store_for_data(upload.store.as_deref())?;
        let image = self.lookup(ctx, id).await?;
        self.parts.policy.enforce_on(ctx, "upload_image", &image).await?;
        let image = self.mended(ctx, image).await?;
        if image.status != ImageStatus::Queued {
            return Err(not_queued(&image, ImageStatus::Saving));
        }
        check_formats(&image)?;
        self.upload(ctx, &image, upload).await.map(drop)
    }

    /// Stores the data of a queued image and activates it (v1-api §13, v2-images §8.1).
    ///
    /// On a failure no byte stays in the store, the error says why, and the image is `killed` or `queued` again, as the
    /// API has it (`habits`); an unknown store or an announced size above the cap leave it `queued` in any case.
    pub(crate) async fn upload(&self, ctx: &Context, image: &Image, upload: Upload) -> Result<Image> {
        let store = self.store_for_data(upload.store.as_deref())?;
        if ctx.api == Api::V1 {
            // v2 has asked before it looked at the status.
            self.authorise_seen(ctx, "upload_image", image).await?;
        }
        self.check_size_cap(upload.length.or(upload.size))?;
        let announced = upload.length.or(upload.size);
        let room = self.take_room(ctx, image.owner.as_deref(), announced, Resource::SizeTotal).await?;
        let (images, owner, queued) = (self.clone(), ctx.clone(), image.clone());
        self.guarded(ctx, image, async move {
            let saving = images.reserve_for_data(&owner, &queued, &*store).await?;
            images.receive(saving, &*store, upload, room).await
        })
        .await
    }

    /// From `queued` to `saving`.
    pub(super) async fn reserve_for_data(
        &self,
        ctx: &Context,
        image: &Image,
        store: &dyn Store,
    ) -> Result<Reservation> {
        let fields = ImageFields { status: Some(ImageStatus::Saving), ..ImageFields::default() };
        self.reserve(ctx, image, store, Work::Upload, fields).await
    }

    /// The store that a client chose for data, or the default one.
    pub(super) fn store_for_data(&self, name: Option<&str>) -> Result<Arc<ServiceStore>> {
        let stores = &self.parts.stores;
        let chosen = name.map_or(Some(stores.default_store()), |name| stores.by_name(name));
        chosen.cloned().ok_or_else(|| Error::UnknownStore(name.unwrap_or_default().to_owned()))
    }

    /// Runs `work` on a task of its own, so that a client that goes away does not leave the image half-way. Nor does a
    /// panic: what it leaves in the journal is looked at as if the process had died.
    pub(super) async fn guarded(
        &self,
        ctx: &Context,
        image: &Image,
        work: impl Future<Output = Result<Image>> + Send + 'static,
    ) -> Result<Image> {
        let (images, ctx, id) = (self.clone(), ctx.clone(), image.id.clone());
        let watched = async move {
            // Nothing of it is used after a panic: it is dropped, and its entry with it.
            match AssertUnwindSafe(work).catch_unwind().await {
                Ok(outcome) => outcome,
                Err(_) => {
                    images.recover_now(&ctx, &id).await;
                    Err(Error::Crashed(format!("image {id}")))
                }
            }
        };
        let watched = self.background.tasks.spawn(watched.in_current_span());
        watched.await.unwrap_or_else(|failure| Err(Error::Crashed(failure.to_string())))
    }

    /// From `saving` to `active`, or to what the API makes of a failed upload.
    pub(super) async fn receive(
        &self,
        mut reserved: Reservation,
        store: &dyn Store,
        mut upload: Upload,
        room: Option<Arc<Room>>,
    ) -> Result<Image> {
        if let Some(room) = &room {
            upload.data = room.metered(upload.data);
        }
        self.tell_begin(&reserved.authority, &reserved.image);
        let kept = match self.check_limit(&reserved.authority, Resource::CountUploading, 0).await {
            Ok(()) => self.keep(&mut reserved, store, upload).await,
            Err(error) => Err(error),
        };
        let outcome = match kept {
            Ok(kept) => {
                let place = Address::of(kept.added.uri.clone(), &kept.added.metadata);
                let outcome = recorded(room.as_deref(), self.activate(&mut reserved, store, kept)).await;
                if outcome.is_ok() {
                    self.look_again_later(&reserved.authority, &reserved.image.id, place);
                }
                outcome
            }
            Err(error @ Error::GoneMeanwhile(_)) => Err(error),
            Err(error) => {
                self.release(&mut reserved).await;
                Err(error)
            }
        };
        let Reservation { image, entry, authority } = reserved;
        entry.settle().await;
        self.tell_end(&authority, &image, &outcome);
        outcome
    }

    /// Puts the data into the store; if it is not what was announced, takes it out again.
    async fn keep(&self, reserved: &mut Reservation, store: &dyn Store, upload: Upload) -> Result<Kept> {
        let Reservation { image, entry, authority } = reserved;
        let Upload { data, length, size, checksum, .. } = upload;
        let inspection = inspection(authority.api, image);
        // Where somebody has noted by what the data is to be hashed, it is.
        let noted = image.os_hash_algo.as_ref().and_then(|algo| algo.parse().ok());
        let algorithm = noted.unwrap_or(self.parts.settings.hashing_algorithm);
        let (data, digest) = Digesting::start(data, algorithm, inspection);
        let added = self.store_all(image, store, data, length, size).await?;
        let judged = digest.finish().await;
        let judged = judged.and_then(|got| {
            verify(&got, size, checksum.as_deref())?;
            Ok((self.judge(image, &got)?, got))
        });
        match judged {
            Ok((virtual_size, got)) => Ok(Kept { added, got, virtual_size }),
            Err(error) => {
                discard(image, store, &added, entry).await;
                Err(error)
            }
        }
    }

    /// Has the store keep all of the data, which must be `length` bytes if that is announced, unless the image is deleted
    /// meanwhile. `hint` is what is known of the length otherwise.
    pub(super) async fn store_all(
        &self,
        image: &Image,
        store: &dyn Store,
        data: ByteStream,
        length: Option<u64>,
        hint: Option<u64>,
    ) -> Result<Added> {
        let running = self.background.uploads.begin(&image.id);
        let guarded = exactly(capped(running.guard(data), self.parts.settings.image_size_cap), length);
        store.add(&image.id, guarded, length.or(hint)).await.map_err(|error| match running.was_ended() {
            true => Error::GoneMeanwhile(image.id.clone()),
            false => upload_error(error),
        })
    }

    async fn activate(&self, reserved: &mut Reservation, store: &dyn Store, kept: Kept) -> Result<Image> {
        let Kept { added, got, virtual_size } = kept;
        let location = Location { metadata: added.metadata.clone(), uri: self.stored_uri(&added.uri) };
        let fields = ImageFields {
            status: Some(ImageStatus::Active),
            size: Some(Some(added.size)),
            virtual_size: virtual_size.map(Some),
            checksum: Some(Some(got.md5)),
            locations: Some(vec![location]),
            ..ImageFields::hashed(got.os_hash)
        };
        self.complete(reserved, store, &added, fields).await
    }
}

fn upload_error(error: store::Error) -> Error {
    let store::Error::Source(source) = error else { return Error::Store(error) };
    let inner = source.get_ref();
    if let Some(Capped(cap)) = inner.and_then(|inner| inner.downcast_ref()) {
        return Error::TooLarge(*cap);
    }
    if let Some(Overfull { size, remaining }) = inner.and_then(|inner| inner.downcast_ref()) {
        return Error::StorageQuota { size: Some(*size), remaining: *remaining };
    }
    match inner.and_then(|inner| inner.downcast_ref()) {
        Some(WrongLength { announced, arrived }) => Error::WrongLength { announced: *announced, arrived: *arrived },
        None => Error::BrokenUpload(source.to_string()),
    }
}

fn verify(received: &Received, size: Option<u64>, checksum: Option<&str>) -> Result<()> {
    let mismatch = |field, supplied: &str, actual: &str| {
        Err(Error::Mismatch { field, supplied: supplied.to_owned(), actual: actual.to_owned() })
    };
    match (size, checksum) {
        (_, Some(sum)) if !sum.eq_ignore_ascii_case(&received.md5) => mismatch("checksum", sum, &received.md5),
        (Some(size), _) if size != received.size => mismatch("size", &size.to_string(), &received.size.to_string()),
        _ => Ok(()),
    }
}

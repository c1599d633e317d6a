//! Telling where a queued image's data is (v2-import-and-tasks §7.1): the data stays where it lies, and is looked at in the
//! background.
//!
//! | digests are computed (`do_secure_hash`) | the caller tells one | what happens |
//! |---|---|---|
//! | yes | yes | the image is `importing` while the data is hashed, and `active` if that is what it should be |
//! | yes | no | the image is `active`, and gets its digests when the data has been hashed: until then it has their algorithm |
//! | no | yes | the image is `active`, with the digest that was told |
//! | no | no | the image is `active`, without any |
//!
//! Whatever fails before the image is active leaves it `queued`, and without the location: Glance leaves one by http, so
//! that such an image takes no data any more and can only be deleted. The data is its owner's in any case; nothing of it is
//! removed.

use std::sync::Arc;

use fastio::Algorithm;
use tracing::Instrument;

use super::copy::STOPPING;
use super::digest::Received;
use super::habits::check_formats;
use super::journal::Work;
use super::place::check_digest;
use super::remote::Remote;
use super::reservation::{Reservation, not_queued};
use super::storage_quota::{Room, recorded};
use super::{Error, Images, PlaceRefusal, Result};
use crate::db::{self, UpdateMode};
use crate::model::{Context, Image, ImageFields, ImageId, ImageStatus, OsHash, Resource};
use crate::notify::{Event, Priority};
use crate::store;

/// The data that somebody has named.
#[derive(Debug)]
struct Named {
    uri: String,
    /// Bytes.
    size: u64,
    /// What it is to be hashed to, lower-case hex.
    said: Option<(Algorithm, String)>,
}

impl Images {
    /// Takes note that the data of a queued image is at `uri`, and is what `said` says. What the caller may not do is
    /// refused; what comes of the rest only the image tells, later.
    pub(crate) async fn locate(&self, ctx: &Context, id: &ImageId, uri: String, said: Option<OsHash>) -> Result<()> {
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        let image = self.lookup(ctx, id).await?;
        if image.status != ImageStatus::Queued {
            return Err(PlaceRefusal::Status { verb: "add", status: image.status }.into());
        }
        self.parts.policy.enforce_on(ctx, "add_image_location", &image).await?;
        let by_http = uri.starts_with("http") && self.parts.stores.know("http");
        if !by_http && !ctx.is_service() {
            return Err(PlaceRefusal::NotHttp.into());
        }
        let said = said.map(digest).transpose()?;
        let admitted = Arc::clone(&self.background.admitted).try_acquire_owned().map_err(|_| Error::Busy)?;
        let (images, ctx, id) = (self.clone(), ctx.clone(), id.clone());
        let watched = async move {
            let _admitted = admitted;
            if let Err(error) = images.locate_now(&ctx, &id, uri, said).await {
                tracing::warn!("the location that was told of image {id} is not taken: {error}");
            }
        };
        self.background.tasks.spawn(watched.in_current_span());
        Ok(())
    }

    async fn locate_now(
        &self,
        ctx: &Context,
        id: &ImageId,
        uri: String,
        said: Option<(Algorithm, String)>,
    ) -> Result<()> {
        let cut = &self.background.cut;
        // The semaphore is never closed, so this only waits for a free place.
        let _place = cut.run_until_cancelled(self.background.copies.acquire()).await;
        let size = cut.run_until_cancelled(self.size_of_place(&uri)).await.unwrap_or_else(|| Err(stopping()))?;
        let named = Named { uri, size, said };
        let image = self.lookup(ctx, id).await?;
        if image.status != ImageStatus::Queued {
            return Err(not_queued(&image, ImageStatus::Active));
        }
        check_formats(&image)?;
        let room = self.take_room(ctx, image.owner.as_deref(), Some(named.size), Resource::SizeTotal).await?;
        match (self.parts.settings.secure_hash, &named.said) {
            (true, Some((algorithm, value))) => {
                let (images, owner, queued, algorithm, value) =
                    (self.clone(), ctx.clone(), image.clone(), *algorithm, value.clone());
                let work = async move { images.prove(&owner, &queued, &named, room, algorithm, &value).await };
                self.guarded(ctx, &image, work).await.map(drop)
            }
            (true, None) => {
                let hashing = being_hashed(self.parts.settings.hashing_algorithm);
                let active = recorded(room.as_deref(), self.activate_at(ctx, &image, &named, hashing)).await?;
                let authority = ctx.elevated();
                if let Err(error) = self.hash_active(&authority, &active, &named).await {
                    self.unhashed(&authority, &active, &error).await;
                }
                Ok(())
            }
            (false, said) => {
                let told = said.as_ref().map(|(algorithm, value)| {
                    ImageFields::hashed(OsHash { algo: algorithm.as_str().to_owned(), value: value.clone() })
                });
                let activating = self.activate_at(ctx, &image, &named, told.unwrap_or_default());
                recorded(room.as_deref(), activating).await.map(drop)
            }
        }
    }

    /// From `queued` to `active` if the data is hashed to `value`, and back to `queued` if anything fails.
    async fn prove(
        &self,
        ctx: &Context,
        image: &Image,
        named: &Named,
        room: Option<Arc<Room>>,
        algorithm: Algorithm,
        value: &str,
    ) -> Result<Image> {
        let store = Arc::clone(self.parts.stores.for_uri(&named.uri).map_err(Error::BadLocation)?);
        let fields = ImageFields {
            status: Some(ImageStatus::Importing),
            size: Some(Some(named.size)),
            ..being_hashed(algorithm)
        };
        // Stores whose locations clients may name keep nothing of ours that the journal would have to tell of.
        let reserving = self.reserve(ctx, image, &*store, Work::Locate, fields);
        let mut reserved = recorded(room.as_deref(), reserving).await?;
        let authority = reserved.authority.clone();
        self.tell_change(&authority, &reserved.image);
        let outcome = match self.hash_at(&reserved.image, named, algorithm).await.and_then(|got| proved(got, value)) {
            Ok(got) => self.activate_at(&authority, &reserved.image, named, digests(got)).await,
            Err(error) => Err(error),
        };
        if !matches!(outcome, Ok(_) | Err(Error::GoneMeanwhile(_))) {
            // Also if it may be active all the same: then it is not `importing` any more, and stays so.
            self.release(&mut reserved).await;
        }
        let Reservation { entry, .. } = reserved;
        entry.settle().await;
        outcome
    }

    /// Makes the image active with what is known of its digests, by compare-and-set.
    async fn activate_at(&self, ctx: &Context, image: &Image, named: &Named, digests: ImageFields) -> Result<Image> {
        let fields = ImageFields {
            status: Some(ImageStatus::Active),
            size: Some(Some(named.size)),
            // All of them: Glance may have left one when another attempt failed.
            locations: Some(vec![self.stored_location(&named.uri)]),
            ..digests
        };
        let active = self.step(ctx, image, image.status, fields).await.map_err(|error| match error {
            Error::NotQueued { .. } | Error::Update(db::Error::NotFound(_)) => Error::GoneMeanwhile(image.id.clone()),
            error => error,
        })?;
        self.parts.notifier.image(Event::Activate, Priority::Info, &active);
        self.tell_change(ctx, &active);
        Ok(active)
    }

    /// Gives an active image its digests, unless its data is said to be elsewhere, too, by then: that may be other data.
    async fn hash_active(&self, ctx: &Context, active: &Image, named: &Named) -> Result<()> {
        let got = self.hash_at(active, named, self.parts.settings.hashing_algorithm).await?;
        let mode = UpdateMode { purge_props: false, from_status: None };
        let hashed = self.parts.metadata.image_relocate(ctx, &active.id, &active.locations, digests(got), mode).await;
        self.tell_change(ctx, &hashed.map_err(Error::Update)?);
        Ok(())
    }

    /// Nobody hashes the data of an active image any more, so nothing is said of an algorithm either.
    async fn unhashed(&self, ctx: &Context, active: &Image, error: &Error) {
        let id = &active.id;
        // They may be there, if it is not known what became of saving them.
        let has_none = async || match self.parts.metadata.image_get(ctx, id).await {
            Ok(image) => image.os_hash_value.is_none(),
            Err(_) => false,
        };
        if !matches!(error, Error::GoneMeanwhile(_)) && has_none().await {
            let fields = ImageFields { os_hash_algo: Some(None), ..ImageFields::default() };
            let mode = UpdateMode { purge_props: false, from_status: None };
            match self.parts.metadata.image_update(ctx, id, fields, mode).await {
                Ok(image) => self.tell_change(ctx, &image),
                Err(error) => tracing::warn!("image {id} still has the algorithm of digests that never come: {error}"),
            }
        }
        tracing::warn!("image {id} stays without digests: {error}");
    }

    /// The digests of the data, unless the image is deleted or the server stops meanwhile.
    async fn hash_at(&self, image: &Image, named: &Named, algorithm: Algorithm) -> Result<Received> {
        let running = self.background.uploads.begin(&image.id);
        let store = self.parts.stores.for_uri(&named.uri).map_err(Error::BadLocation)?;
        let remote = Remote::new(&**store, &named.uri, named.size, self.parts.settings.hash_retries);
        let hashed = running.unless_ended(remote.hash(algorithm));
        match self.background.cut.run_until_cancelled(hashed).await {
            None => Err(stopping()),
            Some(None) => Err(Error::GoneMeanwhile(image.id.clone())),
            Some(Some(hashed)) => hashed.map_err(|error| Error::Read(Arc::new(error))),
        }
    }
}

/// What is known of the digests while the data is read for them.
fn being_hashed(algorithm: Algorithm) -> ImageFields {
    ImageFields { os_hash_algo: Some(Some(algorithm.as_str().to_owned())), ..ImageFields::default() }
}

/// What is known then.
fn digests(got: Received) -> ImageFields {
    ImageFields { checksum: Some(Some(got.md5)), ..ImageFields::hashed(got.os_hash) }
}

/// The digest that the caller tells, if it can be one.
fn digest(OsHash { algo, value }: OsHash) -> Result<(Algorithm, String)> {
    let unknown = |_| PlaceRefusal::Algorithm { wanted: "md5, sha1, sha256 or sha512", named: algo.clone() };
    let algorithm = algo.parse().map_err(unknown)?;
    check_digest("os_hash_value", &value, algorithm)?;
    Ok((algorithm, value.to_ascii_lowercase()))
}

/// What came, if it is what should come.
fn proved(got: Received, value: &str) -> Result<Received> {
    if got.os_hash.value == value {
        return Ok(got);
    }
    let (supplied, actual) = (value.to_owned(), got.os_hash.value);
    Err(PlaceRefusal::OtherData { supplied, actual }.into())
}

fn stopping() -> Error {
    Error::Read(Arc::new(store::Error::Unavailable(STOPPING.to_owned())))
}

//! Handing out an image's data: from the cache, through a fill of it, or straight from the store.
//!
//! Metadata, visibility, status and policy are asked afresh for every download, hit or miss (promise P8).

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use futures_util::Stream;

use super::guard::exactly;
use super::held::preferred_first;
use super::source::{StoredImage, expected};
use super::{Error, Images, Result};
use crate::cache::{Cache, FetchError, Fetched, Verdict, bypass};
use crate::db;
use crate::model::{ByteStream, Context, Image, ImageId, ImageStatus, RangeSpec};
use crate::notify::{Notifier, Sent};
use crate::store::Address;

/// An image on its way to a client.
pub(crate) struct Download {
    pub(crate) image: Image,
    /// Bytes of the whole image; `None` if nobody knows.
    pub(crate) size: Option<u64>,
    /// The bytes that `data` will yield; `None`: all.
    pub(crate) part: Option<Range<u64>>,
    pub(crate) data: ByteStream,
    /// How the cache took part.
    pub(crate) verdict: Verdict,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("size", &self.size).field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

/// Who gets the data, for the notification.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requester {
    /// Address of the peer.
    pub(crate) address: Option<String>,
}

/// The part of an image that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) range: RangeSpec,
    /// Only if the image still has this validator (its checksum); else the client wants all (RFC 9110 §13.1.5).
    pub(crate) only_if: Option<String>,
}

impl Images {
    /// Opens the data of an active image, or a part of it (v1-api §12).
    pub(crate) async fn download(
        &self,
        ctx: &Context,
        id: &ImageId,
        wanted: Option<Wanted>,
        requester: &Requester,
    ) -> Result<Download> {
        self.authorise_unseen(ctx, "get_image").await?;
        self.authorise_unseen(ctx, "download_image").await?;
        let image = self.lookup(ctx, id).await?;
        // The answer tells of the image along with its data.
        self.authorise_seen(ctx, "get_image", &image).await?;
        self.authorise_seen(ctx, "download_image", &image).await?;
        if image.status != ImageStatus::Active || image.deleted {
            return Err(Error::NotActive(image.id));
        }
        self.open(ctx, image, wanted, &[], requester).await
    }

    /// An image whose data the caller may have by v2: one that has some, and is not deactivated but for admins
    /// (v2-images §8.2). Where there are several stores, the caller may prefer some of them.
    pub(crate) async fn downloadable(&self, ctx: &Context, id: &ImageId, preferred: &[String]) -> Result<Image> {
        let image = self.lookup(ctx, id).await?;
        self.parts.policy.enforce_on(ctx, "download_image", &image).await?;
        if !preferred.is_empty() {
            self.parts.policy.enforce_on(ctx, "download_from_store", &image).await?;
            if let Some(unknown) = preferred.iter().find(|id| self.parts.stores.by_name(id).is_none()) {
                return Err(Error::UnknownPreference(unknown.clone()));
            }
        }
        match image.status {
            ImageStatus::Deactivated if !ctx.is_admin => Err(Error::Deactivated),
            _ if image.locations.is_empty() => Err(Error::NoData(image.id)),
            _ => Ok(image),
        }
    }

    /// Opens the data of an image that the caller may have, or a part of it; where it is taken from a store, from a preferred
    /// one if it is there.
    pub(crate) async fn open(
        &self,
        ctx: &Context,
        image: Image,
        wanted: Option<Wanted>,
        preferred: &[String],
        requester: &Requester,
    ) -> Result<Download> {
        let wanted = wanted.filter(|wanted| wanted.only_if.is_none() || wanted.only_if == image.checksum);
        let range = wanted.map(|wanted| wanted.range);
        let Fetched { verdict, size, part, data } = self.fetch(ctx, &image, range, preferred).await?;
        tracing::debug!("image {}: cache {}", image.id, verdict.as_str());
        // An announced size of 0 means unknown in v1.
        let size = size.filter(|size| *size > 0 || image.checksum.is_some());
        let length = part.as_ref().map(|part| part.end - part.start).or(size);
        let data = self.reported(ctx, &image, exactly(data, length), length, requester);
        Ok(Download { image, size, part, data, verdict })
    }

    async fn fetch(
        &self,
        ctx: &Context,
        image: &Image,
        wanted: Option<RangeSpec>,
        preferred: &[String],
    ) -> Result<Fetched> {
        let expected = expected(image);
        let places = self.addresses(image).map(|addresses| preferred_first(addresses, preferred));
        // What not everybody may have is neither kept for everybody nor looked for there.
        let cache = self.parts.cache.as_ref().filter(|_| image.status == ImageStatus::Active);
        let Some(cache) = cache else {
            let source = self.source_at(places?);
            return Ok(bypass(&*source, &expected, wanted, Verdict::Disabled).await?);
        };
        // An entry needs no store: locations that cannot be read are no matter before somebody has to read them.
        let (source, unreadable) = match places {
            Ok(places) => (self.source_at(places), None),
            Err(error) => (self.source_at(Vec::new()), Some(error)),
        };
        let fetched = cache.fetch(&image.id, source, &expected, wanted).await;
        let fetched = match (fetched, unreadable) {
            (Err(FetchError::Store(_)), Some(error)) => return Err(error),
            (fetched, _) => fetched?,
        };
        if fetched.verdict != Verdict::Hit {
            self.still_there(ctx, cache, image).await?;
        }
        Ok(fetched)
    }

    /// An image may be deleted between the look at its record and the start of its fill. Its eviction came too early
    /// then, so this one undoes the fill (security C5).
    pub(super) async fn still_there(&self, ctx: &Context, cache: &Arc<Cache>, image: &Image) -> Result<()> {
        let gone = match self.lookup(ctx, &image.id).await {
            Ok(again) => again.deleted || again.status != ImageStatus::Active,
            Err(Error::Lookup { source: db::Error::NotFound(_), .. }) => true,
            Err(error) => return Err(error),
        };
        if !gone {
            return Ok(());
        }
        if let Err(error) = cache.evict(&image.id).await {
            tracing::error!("Unable to evict image {}: {error}", image.id);
        }
        Err(Error::NotActive(image.id.clone()))
    }

    /// The image's data as the cache reads it.
    pub(super) fn source_of(&self, image: &Image) -> Result<Arc<StoredImage>> {
        Ok(self.source_at(self.addresses(image)?))
    }

    fn source_at(&self, places: Vec<Address>) -> Arc<StoredImage> {
        Arc::new(StoredImage {
            stores: Arc::clone(&self.parts.stores),
            places,
            cap: self.parts.settings.image_size_cap,
        })
    }

    /// Sends `image.send` once the data is out or the client is gone.
    fn reported(
        &self,
        ctx: &Context,
        image: &Image,
        data: ByteStream,
        length: Option<u64>,
        requester: &Requester,
    ) -> ByteStream {
        if self.parts.notifier.is_silent() {
            return data;
        }
        let sent = Sent {
            bytes_sent: 0,
            expected: length.or(image.size).unwrap_or(0),
            image_id: image.id.to_string(),
            owner_id: image.owner.clone(),
            receiver_tenant_id: ctx.tenant.clone(),
            receiver_user_id: ctx.user.clone(),
            destination_ip: requester.address.clone(),
        };
        Box::pin(Reported { data, sent, notifier: self.parts.notifier.clone() })
    }
}

/// Counts what goes out; tells when dropped.
struct Reported {
    data: ByteStream,
    sent: Sent,
    notifier: Notifier,
}

impl Stream for Reported {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.data.as_mut().poll_next(cx);
        if let Poll::Ready(Some(Ok(block))) = &polled {
            self.sent.bytes_sent += block.len() as u64;
        }
        polled
    }
}

impl Drop for Reported {
    fn drop(&mut self) {
        self.notifier.sent(&self.sent);
    }
}

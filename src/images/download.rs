//! Handing out an image's data: from the cache, through a fill of it, or straight from the store.
//!
//! Metadata, visibility, status and policy are asked afresh for every download, hit or miss (promise P8).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use futures_util::Stream;

use super::guard::exactly;
use super::source::StoredImage;
use super::{Error, Images, Result};
use crate::cache::{Cache, Source as _, Verdict};
use crate::db;
use crate::model::{ByteStream, Context, Image, ImageId, ImageStatus};
use crate::notify::{Notifier, Sent};

/// An image on its way to a client.
pub(crate) struct Download {
    pub(crate) image: Image,
    /// Bytes that `data` will yield; `None` if nobody knows.
    pub(crate) size: Option<u64>,
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

impl Images {
    /// Opens the data of an active image.
    pub(crate) async fn download(&self, ctx: &Context, id: &ImageId, requester: &Requester) -> Result<Download> {
        self.parts.policy.enforce(ctx, "get_image")?;
        self.parts.policy.enforce(ctx, "download_image")?;
        let image = self.lookup(ctx, id).await?;
        if image.status != ImageStatus::Active || image.deleted {
            return Err(Error::NotActive(image.id));
        }
        let (data, size, verdict) = self.open(ctx, &image).await?;
        tracing::debug!("image {id}: cache {}", verdict.as_str());
        let data = self.reported(ctx, &image, data, requester);
        Ok(Download { image, size, data, verdict })
    }

    /// The data, and the number of bytes it has: what the record is sure of, else what the store announces. A size that
    /// only a client claimed is worth nothing here.
    async fn open(&self, ctx: &Context, image: &Image) -> Result<(ByteStream, Option<u64>, Verdict)> {
        let certain = certain_size(image);
        let Some(cache) = &self.parts.cache else {
            let opened = self.source_of(image)?.open(0).await.map_err(|error| Error::Read(Arc::new(error)))?;
            let announced = opened.size.filter(|size| *size > 0);
            if let (Some(expected), Some(found)) = (certain, announced)
                && expected != found
            {
                return Err(Error::Damaged { id: image.id.clone(), expected, found });
            }
            let size = certain.or(announced);
            return Ok((exactly(opened.data, size), size, Verdict::Disabled));
        };
        if let Some(hit) = cache.lookup(&image.id, certain).await {
            let size = hit.size();
            // The store is only asked where the entry fails: locations that cannot be read are no matter before.
            let source = self.source_at(self.plain_locations(image).unwrap_or_default());
            return Ok((hit.into_stream(source), Some(size), Verdict::Hit));
        }
        let fetched = cache.fetch(&image.id, self.source_of(image)?, certain).await.map_err(Error::Read)?;
        self.still_there(ctx, cache, image).await?;
        let size = certain.or(fetched.size.filter(|size| *size > 0));
        Ok((exactly(fetched.data, size), size, fetched.verdict))
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
        Ok(self.source_at(self.plain_locations(image)?))
    }

    fn source_at(&self, uris: Vec<String>) -> Arc<StoredImage> {
        Arc::new(StoredImage { stores: Arc::clone(&self.parts.stores), uris, cap: self.parts.settings.image_size_cap })
    }

    /// Sends `image.send` once the data is out or the client is gone.
    fn reported(&self, ctx: &Context, image: &Image, data: ByteStream, requester: &Requester) -> ByteStream {
        if self.parts.notifier.is_silent() {
            return data;
        }
        let sent = Sent {
            bytes_sent: 0,
            expected: image.size.unwrap_or(0),
            image_id: image.id.to_string(),
            owner_id: image.owner.clone(),
            receiver_tenant_id: ctx.tenant.clone(),
            receiver_user_id: ctx.user.clone(),
            destination_ip: requester.address.clone(),
        };
        Box::pin(Reported { data, sent, notifier: self.parts.notifier })
    }
}

/// The size that the data must have. Data that we never saw, at a location that a client named, may have changed
/// since; then the store's word counts (v1-api §12).
pub(super) fn certain_size(image: &Image) -> Option<u64> {
    image.size.filter(|_| image.checksum.is_some())
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

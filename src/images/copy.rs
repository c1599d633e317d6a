//! Copying an image's data from elsewhere into a store, in the background (v1-api §19, `X-Glance-API-Copy-From`).

use std::sync::Arc;
use tracing::Instrument;

use super::guard::until;
use super::reservation::Reservation;
use super::storage_quota::Room;
use super::upload::Upload;
use super::{Error, Images, Result};
use crate::model::{Context, Image, Resource};
use crate::store::{self, ByteRange, Store};

/// Why work in the background is cut.
pub(super) const STOPPING: &str = "the server is stopping";

/// Where to copy from, and what the client says of the data there.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) uri: String,
    /// The store to copy to: its id, or where stores have none its scheme; the default store if `None`.
    pub(crate) store: Option<String>,
    /// Bytes that must arrive.
    pub(crate) size: Option<u64>,
    /// MD5 that they must have, hex.
    pub(crate) checksum: Option<String>,
}

impl Images {
    /// Checks that data may be copied from `uri`, before anything is reserved.
    pub(crate) fn check_copy_source(&self, uri: &str) -> Result<()> {
        self.parts.stores.check_client_location(uri).map_err(Error::BadLocation)
    }

    /// Begins to copy into a queued image, which is `saving` when this returns and `active` or `killed` later.
    pub(crate) async fn copy_from(&self, ctx: &Context, image: &Image, copy: Copy) -> Result<Image> {
        self.check_copy_source(&copy.uri)?;
        let store = self.store_for_data(copy.store.as_deref())?;
        self.authorise_seen(ctx, "upload_image", image).await?;
        let admitted = Arc::clone(&self.background.admitted).try_acquire_owned().map_err(|_| Error::Busy)?;
        let room = self.take_room(ctx, image.owner.as_deref(), copy.size, Resource::SizeTotal).await?;
        let reserved = self.reserve_for_data(ctx, image, &*store).await?;
        let saving = reserved.image.clone();
        let (images, ctx, target) = (self.clone(), ctx.clone(), saving.clone());
        let watched = async move {
            let _admitted = admitted;
            let copier = images.clone();
            let work = async move { copier.copy(reserved, copy, &*store, room).await };
            if let Err(error) = images.guarded(&ctx, &target, work).await {
                tracing::error!("Copying the data of image {} failed: {error}", target.id);
            }
        };
        self.background.tasks.spawn(watched.in_current_span());
        Ok(saving)
    }

    async fn copy(
        &self,
        mut reserved: Reservation,
        copy: Copy,
        store: &dyn Store,
        room: Option<Arc<Room>>,
    ) -> Result<Image> {
        let cut = &self.background.cut;
        // The semaphore is never closed, so this only waits for a free place.
        let _place = cut.run_until_cancelled(self.background.copies.acquire()).await;
        let opening = async { self.parts.stores.for_uri(&copy.uri)?.get(&copy.uri, ByteRange::default()).await };
        let opened = cut.run_until_cancelled(opening).await;
        match opened.unwrap_or_else(|| Err(store::Error::Unavailable(STOPPING.to_owned()))) {
            Ok(opened) => {
                let Copy { size, checksum, store: named, .. } = copy;
                let data = until(opened.data, cut.clone());
                let upload = Upload { data, length: opened.size, size, checksum, store: named };
                self.receive(reserved, store, upload, room).await
            }
            Err(error) => {
                self.release(&mut reserved).await;
                reserved.entry.settle().await;
                Err(Error::Read(Arc::new(error)))
            }
        }
    }
}

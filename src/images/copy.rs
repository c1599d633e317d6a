//! Copying an image's data from elsewhere into a store, in the background (v1-api §19, `X-Glance-API-Copy-From`).

use std::io;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::upload::Upload;
use super::{Error, Images, Result};
use crate::model::{ByteStream, Context, Image, ImageStatus};
use crate::store::{self, ByteRange};

const STOPPING: &str = "the server is stopping";

impl Images {
    /// Checks that data may be copied from `uri`, before anything is reserved.
    pub(crate) fn check_copy_source(&self, uri: &str) -> Result<()> {
        self.stores.check_client_location(uri).map_err(Error::BadLocation)
    }

    /// Begins to copy into a queued image, which is `saving` when this returns and `active` or `killed` later.
    pub(crate) async fn copy_from(
        &self,
        ctx: &Context,
        image: &Image,
        uri: &str,
        store: Option<String>,
    ) -> Result<Image> {
        self.check_copy_source(uri)?;
        let scheme = store.unwrap_or_else(|| self.stores.default_store().to_owned());
        if self.stores.by_name(&scheme).is_none() {
            return Err(Error::UnknownStore(scheme));
        }
        let saving = self.set_status(ctx, image, ImageStatus::Queued, ImageStatus::Saving).await?;
        let (images, ctx, target, uri) = (self.clone(), ctx.clone(), saving.clone(), uri.to_owned());
        self.background.tasks.spawn(async move {
            if let Err(error) = images.copy(&ctx, &target, &uri, &scheme).await {
                tracing::error!("Copying the data of image {} failed: {error}", target.id);
            }
        });
        Ok(saving)
    }

    async fn copy(&self, ctx: &Context, image: &Image, uri: &str, scheme: &str) -> Result<Image> {
        let cut = &self.background.cut;
        // The semaphore is never closed, so this only waits for a free place.
        let _place = cut.run_until_cancelled(self.background.copies.acquire()).await;
        let opening = async {
            let store = self.stores.for_uri(uri)?;
            store.get(uri, ByteRange::default()).await
        };
        let opened = cut.run_until_cancelled(opening).await;
        let opened = match opened.unwrap_or_else(|| Err(store::Error::Unavailable(STOPPING.to_owned()))) {
            Ok(opened) => opened,
            Err(error) => {
                self.kill(ctx, image, ImageStatus::Saving).await;
                return Err(Error::Read(Arc::new(error)));
            }
        };
        let upload = Upload {
            data: until_cut(opened.data, cut.clone()),
            length: opened.size,
            size: None,
            checksum: None,
            store: Some(scheme.to_owned()),
        };
        self.receive(ctx, image, scheme, upload).await
    }
}

/// `data`, which fails when the server can wait for it no longer: an end would pass for the end of the image.
fn until_cut(data: ByteStream, cut: CancellationToken) -> ByteStream {
    Box::pin(stream::unfold((data, cut), |(mut data, cut)| async move {
        let next = cut.run_until_cancelled(data.next()).await;
        let block = next.unwrap_or_else(|| Some(Err(io::Error::other(STOPPING))))?;
        Some((block, (data, cut)))
    }))
}

//! Entries with holes. A fill makes its file as long as it will be and then writes all of it, but it does not wait for the
//! disk: where a machine loses power before all is there, the file has its whole length, and zeros.

use std::io;
use std::sync::Arc;

use super::blocking::blocking;
use super::layout::OpenEntry;
use super::{Cache, Expected, Verified};
use crate::model::ImageId;

impl Cache {
    /// Opens the entry of `id`, of which nothing is known yet. One with holes is read to its end before, as some file
    /// systems make holes of an image's own zeros; if it does not prove to be the image it is evicted.
    pub(super) async fn open_unknown(
        self: &Arc<Self>,
        id: &ImageId,
        expected: &Expected,
    ) -> io::Result<Option<OpenEntry>> {
        let (layout, wanted) = (self.layout.clone(), id.clone());
        let opened = blocking(move || {
            let entry = layout.open_entry(&wanted)?;
            Ok(entry.map(|entry| (entry.has_holes(), entry)))
        });
        let Some((holes, entry)) = opened.await? else { return Ok(None) };
        if holes {
            let _alone = self.proving.lock().await;
            // Whoever waited for another's reading need not read.
            let proved = self.digests.of(id, entry.stamp).is_some() || self.is_proved(id, expected).await;
            if !proved {
                self.evict_damaged(id, &Arc::new(entry.file.into())).await;
                return Ok(None);
            }
        }
        self.digests.learn(id, &entry);
        Ok(Some(entry))
    }

    /// Whether the entry of `id`, read to its end, is certainly the image.
    async fn is_proved(self: &Arc<Self>, id: &ImageId, expected: &Expected) -> bool {
        let verified = self.verify(id, expected).await;
        let proved = matches!(verified, Ok(Verified::Good));
        if !proved {
            tracing::error!(image = %id, "cached image has holes where its bytes should be: {verified:?}");
        }
        proved
    }
}

//! A fill that nobody reads.

use std::io::ErrorKind;
use std::sync::Arc;

use super::{Cache, Expected, Progress, Source, Verdict};
use crate::cache::PrefetchError;
use crate::model::ImageId;
use crate::store;

impl Cache {
    /// Sees to it that the image `id` is cached; reads `source` if need be. Resolves when that is done. An image that
    /// another process is filling is left to it (v1-cache §8).
    ///
    /// # Errors
    /// The store did not give the image, or the cache did not keep it.
    pub(crate) async fn prefetch(
        self: &Arc<Self>,
        id: &ImageId,
        source: Arc<dyn Source>,
        expected: &Expected,
    ) -> Result<(), PrefetchError> {
        let Some((mut progress, _)) = self.running_fill(id, &source, expected) else {
            return Err(PrefetchError::NotKept);
        };
        match progress.wait_for(Progress::is_end).await.map(|end| end.clone()) {
            Ok(Progress::NotBegun(Verdict::Elsewhere)) => Ok(()),
            Ok(Progress::Unopened(error)) => Err(PrefetchError::Store(error)),
            Ok(Progress::Broken(error)) if error.kind() == ErrorKind::InvalidData => Err(PrefetchError::NotTheImage),
            Ok(Progress::Broken(error)) => {
                Err(PrefetchError::Store(Arc::new(store::Error::Unavailable(error.to_string()))))
            }
            Ok(Progress::NotBegun(reason @ (Verdict::TooBig | Verdict::NoSpace))) => Err(PrefetchError::NoRoom(reason)),
            // Whether a fill could begin and whether its file was accepted, only the directory tells.
            _ if self.lookup(id, expected).await.is_some() => {
                if let Err(error) = self.unqueue(id).await {
                    tracing::warn!(image = %id, %error, "cached, but still queued");
                }
                Ok(())
            }
            _ => Err(PrefetchError::NotKept),
        }
    }
}

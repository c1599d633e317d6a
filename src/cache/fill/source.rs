//! Where a fill reads from.

use async_trait::async_trait;

use crate::store;

/// An image in its store, able to be opened again at any offset.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    /// Opens the image from byte `start` to its end. The announced size is that of the whole image. A source bounds
    /// its own waiting: neither this nor the stream may stand still for ever.
    ///
    /// # Errors
    /// The store's.
    async fn open(&self, start: u64) -> store::Result<store::Opened>;
}

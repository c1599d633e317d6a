//! The uploads that this node is receiving, so that deleting an image ends its upload at once (security S17).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::guard::until;
use crate::model::{ByteStream, ImageId};

/// Image → what ends its upload. An image gets data once, so there is at most one.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashMap<ImageId, CancellationToken>>>);

/// An upload in progress; forgotten when dropped.
#[derive(Debug)]
pub(super) struct Upload {
    running: Running,
    id: ImageId,
    token: CancellationToken,
}

impl Running {
    /// From now on the upload of `id` can be ended.
    pub(super) fn begin(&self, id: &ImageId) -> Upload {
        let token = CancellationToken::new();
        self.lock(|uploads| uploads.insert(id.clone(), token.clone()));
        Upload { running: self.clone(), id: id.clone(), token }
    }

    /// Ends the upload of `id`, if there is one here.
    pub(super) fn end(&self, id: &ImageId) {
        if let Some(token) = self.lock(|uploads| uploads.remove(id)) {
            token.cancel();
        }
    }

    fn lock<T>(&self, work: impl FnOnce(&mut HashMap<ImageId, CancellationToken>) -> T) -> T {
        // The map is changed by single calls only, so a panic elsewhere cannot leave it torn.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Upload {
    /// `data`, until the upload is ended; then an error.
    pub(super) fn guard(&self, data: ByteStream) -> ByteStream {
        until(data, self.token.clone())
    }

    /// The outcome of `work`, unless the upload is ended before that.
    pub(super) async fn unless_ended<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.token.run_until_cancelled(work).await
    }

    /// The image was deleted meanwhile.
    pub(super) fn was_ended(&self) -> bool {
        self.token.is_cancelled()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.running.lock(|uploads| uploads.remove(&self.id));
    }
}

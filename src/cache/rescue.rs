//! Bytes that were promised from a file of the cache, and that it does not have any more when the connection sends them.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use fastio::{ImageFile, Rescue, Rescued};
use futures_util::StreamExt;

use super::Cache;
use super::rest::Rest;
use crate::model::ImageId;

/// Takes them from the store: no fault of the cache may cost anybody a download (v1-cache §3.1).
#[derive(Clone)]
pub(super) struct FromStore {
    pub(super) id: ImageId,
    pub(super) rest: Rest,
    /// The entry that the file is, to be evicted if it fails.
    pub(super) entry: Option<(Arc<Cache>, Arc<ImageFile>)>,
}

impl fmt::Debug for FromStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromStore").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Rescue for FromStore {
    fn rescue(&self, offset: u64, len: usize) -> Rescued {
        let Self { id, rest, entry } = self.clone();
        Box::pin(async move {
            tracing::error!(image = %id, "cached image cannot be sent: reading its store");
            if let Some((cache, file)) = entry {
                cache.evict_damaged(&id, &file).await;
            }
            let mut rest = rest.read(offset..offset.saturating_add(len as u64)).await?;
            let mut bytes = BytesMut::with_capacity(len);
            while bytes.len() < len {
                let block = rest.next().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
                bytes.extend_from_slice(&block);
            }
            bytes.truncate(len);
            Ok(bytes.freeze())
        })
    }
}

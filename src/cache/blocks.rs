//! Image files in blocks on their way to clients.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use fastio::{ImageFile, Rescue};

/// Most bytes of an image that a reader gets at a time.
#[cfg(test)]
pub(super) const BLOCK: u64 = fastio::FRAME as u64;

/// The bytes from `offset` on, up to `end` at most, without touching the file's own position, so that any number of
/// readers may share one open file. They are on their way to a client: nobody else may look at them
/// ([`fastio::outgoing`]). All of them must be written already; what the file loses on the way is for `rescue`.
///
/// # Errors
/// `UnexpectedEof` if the file is shorter than that.
pub(super) async fn outgoing_block(
    file: &Arc<ImageFile>,
    offset: u64,
    end: u64,
    rescue: &Arc<dyn Rescue>,
) -> io::Result<Bytes> {
    fastio::outgoing(file, offset, end, Some(Arc::clone(rescue))).await
}

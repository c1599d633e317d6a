//! File work off the executor.

use std::io;

/// Runs `work` on the blocking pool. A panic in it, or the end of the runtime, is an I/O error of the caller.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|gone| Err(io::Error::other(gone)))
}

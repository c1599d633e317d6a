//! A file of image data that many read.

use std::fs::File;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;

use tokio::runtime::Handle;

/// An open file, shared by its readers. Whoever closes an unlinked file last waits until the kernel has given up its
/// pages and blocks, for long if they are gigabytes: then that is done by the blocking pool.
#[derive(Debug)]
pub struct ImageFile {
    /// `None` only while it is dropped.
    file: Option<File>,
}

/// Stands in for what cannot be missing.
const OPEN: &str = "the file is taken out only by drop";

impl From<File> for ImageFile {
    fn from(file: File) -> Self {
        Self { file: Some(file) }
    }
}

impl Deref for ImageFile {
    type Target = File;

    #[expect(clippy::expect_used, reason = "see OPEN")]
    fn deref(&self) -> &File {
        self.file.as_ref().expect(OPEN)
    }
}

impl AsFd for ImageFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        (**self).as_fd()
    }
}

impl Drop for ImageFile {
    fn drop(&mut self) {
        let Some(file) = self.file.take() else { return };
        let unlinked = file.metadata().is_ok_and(|metadata| metadata.nlink() == 0);
        // Without a runtime nobody is kept waiting.
        if unlinked && let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(move || drop(file));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::ImageFile;

    #[tokio::test]
    async fn an_unlinked_file_is_closed_all_the_same() {
        let file = ImageFile::from(tempfile::tempfile().unwrap());
        let name = format!("/proc/self/fd/{}", file.as_raw_fd());
        let of = std::fs::read_link(&name).unwrap();
        drop(file);
        while std::fs::read_link(&name).is_ok_and(|now| now == of) {
            tokio::task::yield_now().await;
        }
    }
}

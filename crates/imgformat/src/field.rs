//! Numbers in headers.

/// The `N` bytes at `at`; `None`: the data ends before.
pub(crate) fn field<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..)?.first_chunk().copied()
}

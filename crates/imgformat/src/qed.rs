//! QEMU's former enhanced disk, which nobody supports any more: recognised, and never safe.

use crate::{Finding, Format, VirtualSize};

/// Recognises it by the first 512 bytes.
pub(crate) fn inspect(head: &[u8]) -> Option<Finding> {
    head.first_chunk::<512>().filter(|header| header.starts_with(b"QED\0"))?;
    Some(Finding::checked(Format::Qed, VirtualSize::Unknown, &[("banned", true)]))
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{failed, finding, qed};

    #[test]
    fn it_is_always_refused() {
        assert_eq!(finding(&qed()).unwrap().format, Format::Qed);
        assert_eq!(failed(&qed()), ["banned"]);
        assert_eq!(finding(&qed()[..511]), None);
    }
}

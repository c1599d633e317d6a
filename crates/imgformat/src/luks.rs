//! Encrypted disks. Big-endian; the version at 6, the sector where the data begins at 104, and keys up to 592. What is
//! inside stays unknown, as nobody tells the passphrase.

use crate::field::field;
use crate::{Finding, Format, VirtualSize};

/// Bytes of the header.
pub(crate) const HEADER_LEN: usize = 592;
/// Bytes of the header up to the keys.
const FIELDS_LEN: usize = 168;
const SECTOR: u64 = 512;

/// Recognises it by the first 6 bytes. `size` is that of the whole image.
pub(crate) fn inspect(head: &[u8], size: u64) -> Option<Finding> {
    if !head.starts_with(b"LUKS\xBA\xBE") {
        return None;
    }
    let Some(fields) = head.first_chunk::<FIELDS_LEN>() else {
        return Some(Finding::incomplete(Format::Luks, VirtualSize::Unreadable));
    };
    let version = u16::from_be_bytes(field(fields, 6)?);
    let data_at = u64::from(u32::from_be_bytes(field(fields, 104)?)) * SECTOR;
    let inside = size.checked_sub(data_at).map_or(VirtualSize::Unknown, VirtualSize::Bytes);
    if head.len() < HEADER_LEN {
        return Some(Finding::incomplete(Format::Luks, inside));
    }
    Some(Finding::checked(Format::Luks, inside, &[("version", version != 1)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{failed, finding, luks, with};

    #[test]
    fn the_disk_is_what_follows_the_header() {
        assert_eq!(
            finding(&luks()),
            Some(Finding::harmless(Format::Luks, VirtualSize::Bytes(luks().len() as u64 - 1024)))
        );
        assert_eq!(finding(&luks()[..1023]).unwrap().virtual_size, VirtualSize::Unknown);
    }

    #[test]
    fn other_versions_are_refused() {
        assert_eq!(failed(&with(&luks(), 7, &[2])), ["version"]);
        assert_eq!(failed(&with(&luks(), 6, &[1, 1])), ["version"]);
    }

    #[test]
    fn a_piece_of_it_is_recognised_but_cannot_be_checked() {
        assert_eq!(finding(&luks()[..5]), None);
        for (len, size) in [(6, VirtualSize::Unreadable), (167, VirtualSize::Unreadable), (168, VirtualSize::Unknown)] {
            assert_eq!(finding(&luks()[..len]), Some(Finding::incomplete(Format::Luks, size)));
        }
        assert_eq!(finding(&luks()[..591]).unwrap().safety, crate::Safety::Incomplete);
    }
}

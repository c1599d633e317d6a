//! QEMU's copy-on-write format. Numbers are big-endian; the version is at 4, the offset of the backing file's name at 8,
//! the size at 24, and from version 3 on a set of features that a reader must know at 72.

use crate::field::field;
use crate::{Finding, Format, VirtualSize};

/// The feature whose data is in another file.
const DATA_FILE: u64 = 1 << 2;
/// The features that are known: dirty, corrupt, external data file, compression type.
const KNOWN_FEATURES: u64 = 0xF;

/// Recognises it by the first 512 bytes.
pub(crate) fn inspect(head: &[u8]) -> Option<Finding> {
    let header = head.first_chunk::<512>().filter(|header| header.starts_with(b"QFI\xFB"))?;
    let version = u32::from_be_bytes(field(header, 4)?);
    let backing_file = u64::from_be_bytes(field(header, 8)?);
    let size = u64::from_be_bytes(field(header, 24)?);
    let features = u64::from_be_bytes(field(header, 72)?);
    let knows_features = match version {
        2 => true,
        3 => features & !KNOWN_FEATURES == 0,
        _ => false,
    };
    let checks = [
        ("backing_file", backing_file != 0),
        // Looked at in version 2 as well, which has other things there; so does oslo.utils.
        ("data_file", features & DATA_FILE != 0),
        ("unknown_features", !knows_features),
    ];
    Some(Finding::checked(Format::Qcow2, VirtualSize::Bytes(size), &checks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{failed, finding, qcow2, with};

    #[test]
    fn both_versions_are_recognised() {
        for version in [2, 3] {
            let found = finding(&with(&qcow2(), 4, &u32::to_be_bytes(version))).unwrap();
            assert_eq!(found, Finding::harmless(Format::Qcow2, VirtualSize::Bytes(10 << 20)));
        }
    }

    #[test]
    fn too_short_a_file_is_not_one() {
        assert_eq!(finding(&qcow2()[..511]), None);
        assert!(finding(&qcow2()[..512]).is_some());
    }

    #[test]
    fn a_backing_file_is_refused() {
        assert_eq!(failed(&with(&qcow2(), 8, &u64::to_be_bytes(0x200))), ["backing_file"]);
        assert_eq!(failed(&with(&qcow2(), 8, &[0x80])), ["backing_file"]);
    }

    #[test]
    fn a_data_file_is_refused() {
        assert_eq!(failed(&with(&qcow2(), 79, &[0x04])), ["data_file"]);
        assert_eq!(failed(&with(&with(&qcow2(), 7, &[2]), 79, &[0x04])), ["data_file"]);
    }

    #[test]
    fn unknown_features_and_versions_are_refused() {
        assert_eq!(failed(&with(&qcow2(), 79, &[0x0B])), [""; 0]);
        assert_eq!(failed(&with(&qcow2(), 79, &[0x10])), ["unknown_features"]);
        assert_eq!(failed(&with(&qcow2(), 72, &[0x01])), ["unknown_features"]);
        assert_eq!(failed(&with(&with(&qcow2(), 7, &[2]), 72, &[0x01])), [""; 0]);
        for version in [0, 1, 4, u32::MAX] {
            assert_eq!(failed(&with(&qcow2(), 4, &u32::to_be_bytes(version))), ["unknown_features"]);
        }
    }
}

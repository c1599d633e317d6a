//! Optical discs. The first volume descriptor is the sector at 32768: its type, then the name of its standard; a primary
//! descriptor of ISO 9660 has the number of its blocks at 80 and their size at 128, both in either byte order.

use crate::field::field;
use crate::region::Region;
use crate::{Finding, Format, VirtualSize};

const STANDARDS: [&[u8; 5]; 3] = [b"CD001", b"NSR02", b"NSR03"];
/// Where the first descriptor is.
const DESCRIPTOR_AT: u64 = 32768;
/// Bytes of a descriptor.
pub(crate) const DESCRIPTOR_LEN: usize = 2048;
/// The type of a primary volume descriptor.
const PRIMARY: u8 = 1;

/// The part of the stream that tells: the first volume descriptor.
pub(crate) fn region() -> Region {
    Region::new(DESCRIPTOR_AT, DESCRIPTOR_LEN)
}

/// Recognises it by its first volume descriptor.
pub(crate) fn inspect(descriptor: &[u8]) -> Option<Finding> {
    let descriptor = descriptor.first_chunk::<DESCRIPTOR_LEN>()?;
    let standard: [u8; 5] = field(descriptor, 1)?;
    if !STANDARDS.contains(&&standard) {
        return None;
    }
    let blocks = u32::from_le_bytes(field(descriptor, 80)?);
    let block_size = u16::from_le_bytes(field(descriptor, 128)?);
    let size = match descriptor[0] {
        PRIMARY => VirtualSize::Bytes(u64::from(blocks) * u64::from(block_size)),
        _ => VirtualSize::Unknown,
    };
    Some(Finding::harmless(Format::Iso, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{finding, iso, with};

    #[test]
    fn a_primary_descriptor_tells_the_size() {
        assert_eq!(finding(&iso()), Some(Finding::harmless(Format::Iso, VirtualSize::Bytes(100 * 2048))));
        assert_eq!(finding(&with(&iso(), 32769, b"NSR02")).unwrap().virtual_size, VirtualSize::Bytes(100 * 2048));
    }

    #[test]
    fn other_descriptors_do_not() {
        let udf = with(&iso(), 32768, b"\0NSR03");
        assert_eq!(finding(&udf), Some(Finding::harmless(Format::Iso, VirtualSize::Unknown)));
        assert_eq!(finding(&with(&iso(), 32769, b"BEA01")), None);
    }

    #[test]
    fn the_descriptor_must_be_all_there() {
        assert!(finding(&iso()[..34816]).is_some());
        assert_eq!(finding(&iso()[..34815]), None);
    }
}

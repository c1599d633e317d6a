//! The end of a streamed extent: three sectors, which are a marker, a copy of the header, and a marker of the end. A
//! marker is a value (8 bytes), a size (4), a type (4) and zeros.

use super::header::Header;
use crate::field::field;

/// Bytes of the end that matter.
pub(crate) const FOOTER_LEN: usize = 3 * SECTOR;
const SECTOR: usize = 512;
/// Where the size of a marker is; its value is before.
const SIZE_AT: usize = 8;
/// Where the type of a marker is; behind it are zeros.
const TYPE_AT: usize = 12;
const TYPE_END: usize = 16;
const FOOTER: u32 = 3;

/// Whether this is the end of the extent that began with `header`: readers go by the copy, so it must not differ.
pub(super) fn fits(end: &[u8; FOOTER_LEN], header: &Header) -> bool {
    let (marker, rest) = end.split_at(SECTOR);
    let (copy, end_marker) = rest.split_at(SECTOR);
    let is_footer = all_zero(&marker[SIZE_AT..TYPE_AT])
        && field(marker, TYPE_AT).map(u32::from_le_bytes) == Some(FOOTER)
        && all_zero(&marker[TYPE_END..]);
    let copied = Header::new(copy).is_some_and(|copy| header.agrees_with(&copy) && !copy.has_footer());
    is_footer && copied && all_zero(end_marker)
}

fn all_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

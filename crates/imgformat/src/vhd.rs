//! Virtual PC's format. A dynamic disk begins with a copy of its footer of 512 bytes: big-endian, the size at 40. (A fixed
//! disk has the footer at its end only, and is raw to anybody who reads from the beginning.)

use crate::field::field;
use crate::{Finding, Format, VirtualSize};

/// Recognises it by the first 8 bytes.
pub(crate) fn inspect(head: &[u8]) -> Option<Finding> {
    if !head.starts_with(b"conectix") {
        return None;
    }
    let Some(header) = head.first_chunk::<512>() else {
        return Some(Finding::incomplete(Format::Vhd, VirtualSize::Unknown));
    };
    Some(Finding::harmless(Format::Vhd, VirtualSize::Bytes(u64::from_be_bytes(field(header, 40)?))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{finding, vhd};

    #[test]
    fn it_tells_its_size() {
        assert_eq!(finding(&vhd()), Some(Finding::harmless(Format::Vhd, VirtualSize::Bytes(20 << 20))));
    }

    #[test]
    fn a_piece_of_it_is_recognised_but_cannot_be_checked() {
        assert_eq!(finding(&vhd()[..7]), None);
        for len in [8, 511] {
            assert_eq!(finding(&vhd()[..len]), Some(Finding::incomplete(Format::Vhd, VirtualSize::Unknown)));
        }
    }
}

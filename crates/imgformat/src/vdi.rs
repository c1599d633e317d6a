//! VirtualBox's format. Little-endian; a signature at 64, the size at 368.

use crate::field::field;
use crate::{Finding, Format, VirtualSize};

const SIGNATURE: u32 = 0xBEDA_107F;

/// Recognises it by the first 512 bytes.
pub(crate) fn inspect(head: &[u8]) -> Option<Finding> {
    let header = head.first_chunk::<512>()?;
    let signature = u32::from_le_bytes(field(header, 64)?);
    let size = u64::from_le_bytes(field(header, 368)?);
    (signature == SIGNATURE).then(|| Finding::harmless(Format::Vdi, VirtualSize::Bytes(size)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{finding, vdi};

    #[test]
    fn it_tells_its_size() {
        assert_eq!(finding(&vdi()), Some(Finding::harmless(Format::Vdi, VirtualSize::Bytes(30 << 20))));
        assert_eq!(finding(&vdi()[..511]), None);
    }
}

//! The header of a sparse extent.

use crate::field::field;

/// What a sparse extent begins with.
pub(super) const MAGIC: &[u8] = b"KDMV";
/// Bytes of the header that matter.
pub(super) const HEADER_LEN: usize = 64;
/// The place of the grain directory that says: see the footer.
const IN_FOOTER: u64 = u64::MAX;

/// What matters of a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    version: u32,
    /// Sectors of the disk.
    pub(super) sectors: u64,
    /// Where the descriptor begins.
    pub(super) descriptor_sector: u64,
    /// Sectors of the descriptor.
    pub(super) descriptor_sectors: u64,
    grain_directory: u64,
}

impl Header {
    /// Reads it; `None`: there is none.
    pub(super) fn new(data: &[u8]) -> Option<Self> {
        let data = data.first_chunk::<HEADER_LEN>().filter(|data| data.starts_with(MAGIC))?;
        Some(Self {
            version: u32::from_le_bytes(field(data, 4)?),
            sectors: u64::from_le_bytes(field(data, 12)?),
            descriptor_sector: u64::from_le_bytes(field(data, 28)?),
            descriptor_sectors: u64::from_le_bytes(field(data, 36)?),
            grain_directory: u64::from_le_bytes(field(data, 56)?),
        })
    }

    /// Whether it is of a version that exists.
    pub(super) fn known_version(&self) -> bool {
        matches!(self.version, 1..=3)
    }

    /// Whether the header at the end of the file counts instead.
    pub(super) fn has_footer(&self) -> bool {
        self.grain_directory == IN_FOOTER
    }

    /// Whether the header at the end says of the descriptor what this one says.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.version == other.version
            && self.descriptor_sector == other.descriptor_sector
            && self.descriptor_sectors == other.descriptor_sectors
    }
}

//! Hyper-V's format, little-endian. At 192 KiB is a table of regions; one of them holds metadata, and begins with a table
//! of its items; one of those is the size of the disk. What is where is found out as the stream goes by.

use crate::field::field;
use crate::region::Region;
use crate::{Finding, Format, VirtualSize};

const SIGNATURE: &[u8] = b"vhdxfile";
/// Bytes of the identification that must be there.
const IDENT_LEN: usize = 32;
const REGIONS_AT: u64 = 192 << 10;
/// Bytes of either table at most: 2048 times those of an entry.
pub(crate) const TABLE_LEN: usize = 64 << 10;
const ENTRY_LEN: usize = 32;
/// There are fewer entries in a table than this.
const ENTRIES: u32 = 2048;
/// Bytes before the first region.
const REGIONS_HEADER_LEN: usize = 16;
/// Bytes before the first item.
const ITEMS_HEADER_LEN: usize = 32;
/// 8B7CA206-4790-4B9A-B8FE-575F050F886E
const METADATA: [u8; 16] =
    [0x06, 0xA2, 0x7C, 0x8B, 0x90, 0x47, 0x9A, 0x4B, 0xB8, 0xFE, 0x57, 0x5F, 0x05, 0x0F, 0x88, 0x6E];
/// 2FA54224-CD1B-4876-B211-5DBED83BF4B8
const DISK_SIZE: [u8; 16] =
    [0x24, 0x42, 0xA5, 0x2F, 0x1B, 0xCD, 0x76, 0x48, 0xB2, 0x11, 0x5D, 0xBE, 0xD8, 0x3B, 0xF4, 0xB8];

/// Follows the tables of an image to its size.
#[derive(Debug)]
pub(crate) struct Vhdx {
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Too little came to tell whether it is one.
    Begins,
    /// It is none.
    Foreign,
    /// Waits for the table of regions.
    Regions(Region),
    /// Waits for the table of items, which begins at `at`.
    Items { at: u64, table: Region },
    /// Waits for the size: the whole item ends at `end`, and has `len` bytes, of which as many as a number has are kept.
    Size { number: Region, len: u64, end: u64 },
    /// It does not say its size.
    Sizeless,
    /// Something that must be looked at is not where the stream could still show it.
    Lost,
}

impl Vhdx {
    /// Before the stream begins.
    pub(crate) fn new() -> Self {
        Self { stage: Stage::Begins }
    }

    /// Looks at the block that begins at `at`; `head` is the beginning of the stream up to the end of this block.
    pub(crate) fn feed(&mut self, head: &[u8], at: u64, block: &[u8]) {
        loop {
            let next = match &mut self.stage {
                Stage::Begins => match head.get(..SIGNATURE.len()) {
                    None => return,
                    Some(SIGNATURE) => Stage::Regions(Region::new(REGIONS_AT, TABLE_LEN)),
                    Some(_) => Stage::Foreign,
                },
                Stage::Regions(table) => {
                    table.take(at, block);
                    if !table.complete() {
                        return;
                    }
                    after_regions(table.data())
                }
                Stage::Items { at: items_at, table } => {
                    table.take(at, block);
                    match after_items(*items_at, table) {
                        None => return,
                        Some(next) => next,
                    }
                }
                Stage::Size { number, .. } => return number.take(at, block),
                Stage::Foreign | Stage::Sizeless | Stage::Lost => return,
            };
            self.stage = next;
        }
    }

    /// The verdict on a stream of `bytes` bytes that began with `head`.
    pub(crate) fn finish(&self, head: &[u8], bytes: u64) -> Option<Finding> {
        let incomplete = Some(Finding::incomplete(Format::Vhdx, VirtualSize::Unknown));
        let size = match &self.stage {
            Stage::Begins | Stage::Foreign => return None,
            Stage::Regions(_) | Stage::Items { .. } | Stage::Lost => return incomplete,
            Stage::Size { end, .. } if bytes < *end => return incomplete,
            Stage::Size { number, len: 8, .. } => match field(number.data(), 0) {
                Some(size) => VirtualSize::Bytes(u64::from_le_bytes(size)),
                None => return incomplete,
            },
            Stage::Size { .. } => VirtualSize::Unreadable,
            Stage::Sizeless => VirtualSize::Unknown,
        };
        (head.len() >= IDENT_LEN).then(|| Finding::harmless(Format::Vhdx, size))
    }

    /// Bytes of memory that it holds.
    pub(crate) fn held(&self) -> usize {
        match &self.stage {
            Stage::Regions(table) | Stage::Items { table, .. } => table.held(),
            Stage::Size { number, .. } => number.held(),
            Stage::Begins | Stage::Foreign | Stage::Sizeless | Stage::Lost => 0,
        }
    }
}

/// Finds the metadata in the table of regions. A table that is none is nobody's danger: the image has no size then.
fn after_regions(table: &[u8]) -> Stage {
    let count = match field(table, 8).map(u32::from_le_bytes) {
        Some(count) if table.starts_with(b"regi") && count < ENTRIES => count,
        _ => return Stage::Sizeless,
    };
    let Some(entry) = entry(table, REGIONS_HEADER_LEN, count, &METADATA) else { return Stage::Sizeless };
    let Some(at) = field(entry, 16).map(u64::from_le_bytes) else { return Stage::Sizeless };
    match Region::later(REGIONS_AT + TABLE_LEN as u64, at, TABLE_LEN) {
        Some(table) => Stage::Items { at, table },
        None => Stage::Lost,
    }
}

/// Finds the size in the table of items that begins at `at`; `None`: more of it must come.
fn after_items(at: u64, table: &Region) -> Option<Stage> {
    let data = table.data();
    let count = u16::from_le_bytes(field(data.get(..ITEMS_HEADER_LEN)?, 10)?);
    let table_len = ITEMS_HEADER_LEN + usize::from(count) * ENTRY_LEN;
    let entries = data.get(..table_len).filter(|entries| entries.starts_with(b"metadata"));
    let Some(entry) = entries.and_then(|entries| entry(entries, ITEMS_HEADER_LEN, count.into(), &DISK_SIZE)) else {
        return table.complete().then_some(Stage::Sizeless);
    };
    let item_at = u64::from(u32::from_le_bytes(field(entry, 16)?));
    let len = u64::from(u32::from_le_bytes(field(entry, 20)?)).min(TABLE_LEN as u64);
    let known_at = at.checked_add(table_len as u64);
    let place = at.checked_add(item_at).and_then(|start| Some((start, start.checked_add(len)?)));
    let (Some(known_at), Some((start, end))) = (known_at, place) else { return Some(Stage::Lost) };
    if len == 0 {
        // Nothing is there as soon as it is known.
        return Some(Stage::Size { number: Region::new(start, 0), len, end: 0 });
    }
    let kept = if len < 8 { len as usize } else { 8 };
    Some(match Region::later(known_at, start, kept) {
        Some(number) => Stage::Size { number, len, end },
        None => Stage::Lost,
    })
}

/// The first of the `count` entries behind `header` bytes that has this identifier.
fn entry<'a>(table: &'a [u8], header: usize, count: u32, id: &[u8; 16]) -> Option<&'a [u8]> {
    let count = usize::try_from(count).ok()?;
    table.get(header..)?.chunks_exact(ENTRY_LEN).take(count).find(|entry| entry.starts_with(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{VHDX_ITEMS_AT, VHDX_SIZE_AT, finding, vhdx, with};

    const SIZED: Finding = Finding {
        format: Format::Vhdx,
        virtual_size: VirtualSize::Bytes(40 << 20),
        safety: crate::Safety::Checked { failed: Vec::new() },
    };

    fn sizeless() -> Option<Finding> {
        Some(Finding::harmless(Format::Vhdx, VirtualSize::Unknown))
    }

    fn lost() -> Option<Finding> {
        Some(Finding::incomplete(Format::Vhdx, VirtualSize::Unknown))
    }

    /// Bytes of the entry of the metadata in `vhdx()`.
    const REGION: usize = REGIONS_AT as usize + REGIONS_HEADER_LEN + ENTRY_LEN;
    /// The entry of the size in `vhdx()`.
    const ITEM: usize = VHDX_ITEMS_AT + ITEMS_HEADER_LEN + ENTRY_LEN;

    #[test]
    fn the_size_is_found() {
        assert_eq!(finding(&vhdx()), Some(SIZED));
        assert_eq!(finding(&vhdx()[..VHDX_SIZE_AT + 8]), Some(SIZED));
    }

    #[test]
    fn a_piece_of_it_is_recognised_but_cannot_be_checked() {
        assert_eq!(finding(&vhdx()[..7]), None);
        for len in [8, 31, 32, REGION, VHDX_ITEMS_AT, ITEM, VHDX_SIZE_AT, VHDX_SIZE_AT + 7] {
            assert_eq!(finding(&vhdx()[..len]), lost(), "{len}");
        }
    }

    #[test]
    fn without_tables_that_are_some_there_is_no_size() {
        assert_eq!(finding(&with(&vhdx(), REGIONS_AT as usize, b"R")), sizeless());
        assert_eq!(finding(&with(&vhdx(), REGIONS_AT as usize + 8, &u32::to_le_bytes(2048))), sizeless());
        assert_eq!(finding(&with(&vhdx(), REGION, b"x")), sizeless());
        assert_eq!(finding(&with(&vhdx(), ITEM, b"x")), sizeless());
        assert_eq!(finding(&with(&vhdx(), VHDX_ITEMS_AT + 10, &[0xFF, 0xFF])), sizeless());
        assert_eq!(finding(&with(&vhdx(), VHDX_ITEMS_AT, b"M")), sizeless());
    }

    #[test]
    fn what_lies_behind_the_reader_is_lost() {
        for at in [0, 200 << 10, u64::MAX, u64::MAX - 65536] {
            assert_eq!(finding(&with(&vhdx(), REGION + 16, &u64::to_le_bytes(at))), lost(), "{at}");
        }
        for at in [0, 40, u32::MAX] {
            assert_eq!(finding(&with(&vhdx(), ITEM + 16, &u32::to_le_bytes(at))), lost(), "{at}");
        }
    }

    #[test]
    fn a_size_that_is_no_number_of_8_bytes_cannot_be_read() {
        for len in [0_u32, 4, 7, 9, 100] {
            let size = finding(&with(&vhdx(), ITEM + 20, &len.to_le_bytes())).unwrap().virtual_size;
            assert_eq!(size, VirtualSize::Unreadable, "{len}");
        }
        assert_eq!(finding(&with(&vhdx(), ITEM + 20, &[0xFF; 4])), lost(), "longer than the image");
    }
}

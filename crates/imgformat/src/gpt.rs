//! Disks with a master boot record: a partition table at 446, of four entries, and a signature at 510. A GPT has one too,
//! with a single entry that covers it all.

use crate::field::field;
use crate::{Finding, Format, VirtualSize};

/// Where the partition table is.
const TABLE_AT: usize = 446;
/// Bytes of an entry.
const ENTRY_LEN: usize = 16;
/// The type of an entry that stands for a GPT.
const PROTECTIVE: u8 = 0xEE;

/// Recognises it by the first 512 bytes. `size` is that of the whole image, which is the disk.
pub(crate) fn inspect(head: &[u8], size: u64) -> Option<Finding> {
    let mbr = head.first_chunk::<512>().filter(|mbr| mbr.ends_with(&[0x55, 0xAA]) && !is_fat(mbr))?;
    Some(Finding::checked(Format::Gpt, VirtualSize::Bytes(size), &[("mbr", !sane(&mbr[TABLE_AT..510]))]))
}

/// The boot sector of a FAT file system has the same signature, but two file allocation tables on a fixed disk.
fn is_fat(sector: &[u8; 512]) -> bool {
    sector[16] == 2 && sector[21] == 0xF8
}

/// Whether a partition table is one, and not code or data: a firmware or a kernel would make something of it.
fn sane(table: &[u8]) -> bool {
    let mut used = Vec::new();
    let mut protective = false;
    for (slot, entry) in table.chunks_exact(ENTRY_LEN).enumerate() {
        // Bootable or not, start (head, sector, track), type, end, start as a block, length.
        if !matches!(entry[0], 0x00 | 0x80) {
            return false;
        }
        if entry[4] != 0 {
            used.push(slot);
        }
        if entry[4] == PROTECTIVE {
            protective = true;
            if entry[1..4] != [0, 2, 0] || field(entry, 8).map(u32::from_le_bytes) != Some(1) {
                return false;
            }
        }
    }
    if protective { used == [0] } else { !used.is_empty() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{failed, finding, gpt, with};

    /// Bytes of a partition table with this entry in this slot, and what is in `gpt()` else.
    fn entry(slot: usize, bytes: &[u8]) -> Vec<u8> {
        with(&gpt(), TABLE_AT + slot * ENTRY_LEN, bytes)
    }

    #[test]
    fn the_disk_is_as_large_as_the_image() {
        assert_eq!(finding(&gpt()), Some(Finding::harmless(Format::Gpt, VirtualSize::Bytes(gpt().len() as u64))));
        assert_eq!(finding(&gpt()[..511]), None);
        assert_eq!(finding(&gpt()[..512]), Some(Finding::harmless(Format::Gpt, VirtualSize::Bytes(512))));
    }

    #[test]
    fn a_fat_file_system_is_not_a_disk() {
        assert_eq!(finding(&with(&with(&gpt(), 16, &[2]), 21, &[0xF8])), None);
        assert!(finding(&with(&gpt(), 16, &[2])).is_some());
        assert!(finding(&with(&gpt(), 21, &[0xF8])).is_some());
    }

    #[test]
    fn an_old_partition_table_may_use_any_slot() {
        let linux = entry(0, &[0x80, 1, 1, 0, 0x83]);
        assert_eq!(failed(&linux), [""; 0]);
        assert_eq!(failed(&with(&linux, TABLE_AT + 48, &[0, 1, 1, 0, 0x82])), [""; 0]);
        assert_eq!(failed(&with(&linux, TABLE_AT + 48, &[1])), ["mbr"]);
    }

    #[test]
    fn an_empty_partition_table_is_refused() {
        assert_eq!(failed(&entry(0, &[0; 16])), ["mbr"]);
    }

    #[test]
    fn a_protective_entry_must_be_as_specified_and_alone() {
        assert_eq!(failed(&entry(0, &[0, 1])), ["mbr"], "head");
        assert_eq!(failed(&entry(0, &[0, 0, 3])), ["mbr"], "sector");
        assert_eq!(failed(&entry(0, &[0, 0, 2, 1])), ["mbr"], "track");
        assert_eq!(failed(&with(&gpt(), TABLE_AT + 8, &[2])), ["mbr"], "block");
        assert_eq!(failed(&entry(1, &[0, 0, 2, 0, 0x83])), ["mbr"], "not alone");
        let second = with(&entry(0, &[0; 16]), TABLE_AT + 16, &[0, 0, 2, 0, 0xEE, 0, 0, 0, 1]);
        assert_eq!(failed(&second), ["mbr"], "not in the first slot");
    }
}

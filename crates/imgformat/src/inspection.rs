//! All inspectors beside each other.

use crate::region::Region;
use crate::vhdx::{self, Vhdx};
use crate::vmdk::{self, Vmdk};
use crate::{Finding, gpt, iso, luks, qcow2, qed, vdi, vhd};

/// Bytes of memory that an inspection holds at most, whatever it is fed: the first 592 bytes, a sector of an optical
/// disc, a table of a VHDX file, a descriptor (1 MiB) and the end of a VMDK file. Of most images it is below 3 KiB.
pub const MAX_HELD: usize =
    luks::HEADER_LEN + iso::DESCRIPTOR_LEN + vhdx::TABLE_LEN + vmdk::DESCRIPTOR_MAX + vmdk::FOOTER_LEN;

/// Looks at an image as it streams by.
#[derive(Debug)]
pub struct Inspection {
    bytes: u64,
    /// The beginning of the stream, which is all that most formats need.
    head: Region,
    iso: Region,
    vhdx: Vhdx,
    vmdk: Vmdk,
}

impl Inspection {
    /// Before the first byte.
    pub fn new() -> Self {
        Self {
            bytes: 0,
            head: Region::new(0, luks::HEADER_LEN),
            iso: iso::region(),
            vhdx: Vhdx::new(),
            vmdk: Vmdk::new(),
        }
    }

    /// Looks at the next bytes of the image. How it is cut makes no difference to the result. Once the beginning has
    /// gone by this compares a few numbers, unless the image is one that needs more to be looked at.
    pub fn feed(&mut self, block: &[u8]) {
        let at = self.bytes;
        self.bytes = at.saturating_add(block.len() as u64);
        self.head.take(at, block);
        self.iso.take(at, block);
        self.vhdx.feed(self.head.data(), at, block);
        self.vmdk.feed(self.head.data(), at, block);
    }

    /// Bytes of memory that it holds; at most [`MAX_HELD`].
    pub fn held(&self) -> usize {
        self.head.held() + self.iso.held() + self.vhdx.held() + self.vmdk.held()
    }

    /// After the last byte.
    pub fn finish(self) -> Inspected {
        let bytes = self.bytes;
        let head = self.head.data();
        let findings = [
            qcow2::inspect(head),
            vhd::inspect(head),
            self.vhdx.finish(head, bytes),
            self.vmdk.finish(head),
            vdi::inspect(head),
            qed::inspect(head),
            iso::inspect(self.iso.data()),
            gpt::inspect(head, bytes),
            luks::inspect(head, bytes),
        ];
        Inspected { bytes, findings: findings.into_iter().flatten().collect() }
    }
}

impl Default for Inspection {
    fn default() -> Self {
        Self::new()
    }
}

/// What was found out about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Bytes of the image.
    pub bytes: u64,
    /// The formats that it is in; none: raw.
    pub findings: Vec<Finding>,
}

//! VMware's format. Either a sparse extent, little-endian, with a descriptor in its second sector, or a descriptor alone,
//! which is text and names other files. A streamed extent says where its data is in a copy of its header near its end.

mod descriptor;
mod footer;
mod header;

use crate::region::{Region, Tail};
use crate::{Finding, Format, VirtualSize};
use descriptor::Descriptor;
use header::{HEADER_LEN, Header, MAGIC};

/// Bytes that tell which kind it is.
const OPENING_LEN: usize = 512;
/// Where the descriptor of a sparse extent must be.
const DESCRIPTOR_AT: u64 = 512;
/// Bytes of a descriptor at most, as QEMU has it.
pub(crate) const DESCRIPTOR_MAX: usize = (1 << 20) - 1;
pub(crate) use footer::FOOTER_LEN;

/// Keeps what must be seen of an image.
#[derive(Debug)]
pub(crate) struct Vmdk {
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Too little came to tell what it is; it may be text.
    Begins(Region),
    /// It is none.
    Foreign,
    /// It may be a descriptor alone.
    Text(Region),
    /// A sparse extent, and the end of the stream if that counts.
    Sparse { header: Header, descriptor: Region, end: Option<Tail> },
    /// A sparse extent of a shape that nobody makes: never safe.
    Odd,
    /// Odd, and the footer is not even looked for.
    OddWithFooter,
}

impl Vmdk {
    /// Before the stream begins.
    pub(crate) fn new() -> Self {
        Self { stage: Stage::Begins(Region::new(0, DESCRIPTOR_MAX)) }
    }

    /// Looks at the block that begins at `at`; `head` is the beginning of the stream up to the end of this block.
    pub(crate) fn feed(&mut self, head: &[u8], at: u64, block: &[u8]) {
        if let (Stage::Begins(text), Some(opening)) = (&mut self.stage, head.get(..OPENING_LEN)) {
            let text = std::mem::replace(text, Region::new(0, 0));
            // Less than an opening came before this block, so the head still has all of it.
            let before = usize::try_from(at).ok().and_then(|at| head.get(..at)).unwrap_or_default();
            self.stage = Stage::of(opening, text, before);
        }
        match &mut self.stage {
            Stage::Begins(text) | Stage::Text(text) => text.take(at, block),
            Stage::Sparse { descriptor, end, .. } => {
                descriptor.take(at, block);
                if let Some(end) = end {
                    end.take(block);
                }
            }
            Stage::Foreign | Stage::Odd | Stage::OddWithFooter => {}
        }
    }

    /// The verdict on a stream that began with `head`.
    pub(crate) fn finish(self, head: &[u8]) -> Option<Finding> {
        let stage = match self.stage {
            Stage::Begins(_) if head.len() < HEADER_LEN => {
                let incomplete = Finding::incomplete(Format::Vmdk, VirtualSize::Unknown);
                return head.starts_with(MAGIC).then_some(incomplete);
            }
            Stage::Begins(text) => Stage::of(head, text, head),
            stage => stage,
        };
        match stage {
            Stage::Begins(_) | Stage::Foreign => None,
            Stage::Text(text) => {
                let descriptor = Descriptor::new(text.data());
                descriptor.created_as()?;
                // Its size would be in another file.
                let size = if descriptor.sparse() { VirtualSize::Unreadable } else { VirtualSize::Unknown };
                Some(Finding::checked(Format::Vmdk, size, &[("descriptor", !descriptor.safe())]))
            }
            Stage::Sparse { descriptor, .. } if !descriptor.complete() => {
                Some(Finding::incomplete(Format::Vmdk, VirtualSize::Unknown))
            }
            Stage::Sparse { header, descriptor, end } => Some(sparse(&header, descriptor.data(), end.as_ref())),
            Stage::Odd => Some(Finding::checked(Format::Vmdk, VirtualSize::Unknown, &[("descriptor", true)])),
            Stage::OddWithFooter => Some(Finding::incomplete(Format::Vmdk, VirtualSize::Unknown)),
        }
    }

    /// Bytes of memory that it holds.
    pub(crate) fn held(&self) -> usize {
        match &self.stage {
            Stage::Begins(text) | Stage::Text(text) => text.held(),
            Stage::Sparse { descriptor, end, .. } => descriptor.held() + end.as_ref().map_or(0, Tail::held),
            Stage::Foreign | Stage::Odd | Stage::OddWithFooter => 0,
        }
    }
}

impl Stage {
    /// What begins like this; `text` is what was kept in case that it is text, `before` what the stream had before the
    /// block at hand.
    fn of(opening: &[u8], text: Region, before: &[u8]) -> Self {
        if !opening.starts_with(MAGIC) {
            return if opening.iter().all(is_text) { Self::Text(text) } else { Self::Foreign };
        }
        let Some(header) = Header::new(opening).filter(Header::known_version) else { return Self::Odd };
        if header.descriptor_sector != DESCRIPTOR_AT / 512 {
            return if header.has_footer() { Self::OddWithFooter } else { Self::Odd };
        }
        let descriptor_len = header.descriptor_sectors.saturating_mul(512);
        let descriptor_len = usize::try_from(descriptor_len).map_or(DESCRIPTOR_MAX, |len| len.min(DESCRIPTOR_MAX));
        let end = header.has_footer().then(|| {
            let mut end = Tail::new(FOOTER_LEN);
            end.take(before);
            end
        });
        Self::Sparse { header, descriptor: Region::new(DESCRIPTOR_AT, descriptor_len), end }
    }
}

/// The verdict on a sparse extent whose descriptor is there.
fn sparse(header: &Header, descriptor: &[u8], end: Option<&Tail>) -> Finding {
    let descriptor = Descriptor::new(descriptor);
    let size = match header.sectors.checked_mul(512) {
        Some(size) if descriptor.sparse() => VirtualSize::Bytes(size),
        _ => VirtualSize::Unknown,
    };
    let footer_fails = match end {
        None => false,
        Some(end) => match end.data().first_chunk() {
            Some(end) => !footer::fits(end, header),
            None => return Finding::incomplete(Format::Vmdk, size),
        },
    };
    Finding::checked(Format::Vmdk, size, &[("descriptor", !descriptor.safe()), ("footer", footer_fails)])
}

/// Printable ASCII or white space, with the four separators (0x1C to 0x1F) that Python takes for white space.
fn is_text(byte: &u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | 0x1C..=0x1F | b' '..=b'~')
}

#[cfg(test)]
mod tests;

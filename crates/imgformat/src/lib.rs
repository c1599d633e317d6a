//! What a disk image is, told from its bytes as they stream by.
//!
//! Anybody may upload an image and say that it is of this or that format. This crate looks at the data itself: which
//! formats it is in, how large the disk inside is, and whether it asks for more than its own bytes (a backing file, an
//! extent elsewhere). It knows no service and does no I/O: [`Inspection`] is fed blocks of any sizes, keeps
//! [`MAX_HELD`] bytes at most whatever comes, and ends as [`Inspected`], which judges the format that was claimed.
//!
//! Formats, checks and verdicts are those of oslo.utils' `format_inspector` as Glance uses it, as if the image arrived
//! in one block; that library's answers depend on how the data is cut, these do not.

mod field;
mod finding;
mod format;
mod gpt;
mod inspection;
mod iso;
mod judge;
mod luks;
mod qcow2;
mod qed;
mod region;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod vdi;
mod vhd;
mod vhdx;
mod vmdk;

pub use finding::{Finding, Safety, VirtualSize};
pub use format::Format;
pub use inspection::{Inspected, Inspection, MAX_HELD};
pub use judge::{Accepted, Refusal, Rules};

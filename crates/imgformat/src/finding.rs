//! What one inspector has to say.

use crate::Format;

/// A format that the data is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The format.
    pub format: Format,
    /// How large the disk inside is.
    pub virtual_size: VirtualSize,
    /// Whether the image can be handed on.
    pub safety: Safety,
}

impl Finding {
    /// A format that has nothing to check.
    pub(crate) fn harmless(format: Format, virtual_size: VirtualSize) -> Self {
        Self { format, virtual_size, safety: Safety::Checked { failed: Vec::new() } }
    }

    /// A format with checks: their names, and whether the image fails them.
    pub(crate) fn checked(format: Format, virtual_size: VirtualSize, checks: &[(&'static str, bool)]) -> Self {
        let failed = checks.iter().filter(|(_, fails)| *fails).map(|(name, _)| *name).collect();
        Self { format, virtual_size, safety: Safety::Checked { failed } }
    }

    /// An image that ends before all that is to be checked.
    pub(crate) fn incomplete(format: Format, virtual_size: VirtualSize) -> Self {
        Self { format, virtual_size, safety: Safety::Incomplete }
    }
}

/// How large the disk in an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VirtualSize {
    /// As many bytes.
    Bytes(u64),
    /// The image does not say it.
    Unknown,
    /// The place where the image says it cannot be read.
    Unreadable,
}

/// Whether an image can be handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Safety {
    /// All that is to be checked was there; safe if nothing failed.
    Checked {
        /// The names of the checks that failed.
        failed: Vec<&'static str>,
    },
    /// The image ends before all that is to be checked.
    Incomplete,
}

//! The formats that can be told from data.

use std::fmt;

/// A disk image format, or what is left when none is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// None of the others.
    Raw,
    /// QEMU's copy-on-write format, all versions.
    Qcow2,
    /// Virtual PC's format, with its footer repeated at the beginning.
    Vhd,
    /// Hyper-V's format.
    Vhdx,
    /// VMware's format: a sparse extent, or a descriptor alone.
    Vmdk,
    /// VirtualBox's format.
    Vdi,
    /// QEMU's former enhanced disk.
    Qed,
    /// A file system of optical discs: ISO 9660 or UDF.
    Iso,
    /// A disk with a master boot record, be it GPT's protective one or an old partition table.
    Gpt,
    /// An encrypted disk.
    Luks,
}

impl Format {
    /// Every format. Who claims a name that is none of theirs (`ami`, `ploop`) cannot be contradicted by inspection.
    pub const ALL: [Self; 10] = [
        Self::Raw,
        Self::Qcow2,
        Self::Vhd,
        Self::Vhdx,
        Self::Vmdk,
        Self::Vdi,
        Self::Qed,
        Self::Iso,
        Self::Gpt,
        Self::Luks,
    ];

    /// The name it has as a `disk_format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::Vmdk => "vmdk",
            Self::Vdi => "vdi",
            Self::Qed => "qed",
            Self::Iso => "iso",
            Self::Gpt => "gpt",
            Self::Luks => "luks",
        }
    }

    /// The format of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

//! Whether an image is what it is said to be, by the rules of Glance (`ImageProxy.set_data`) and the specification of
//! content inspection, "Decision".

use std::fmt;

use crate::{Finding, Format, Inspected, Safety, VirtualSize};

/// How strictly to judge.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whether an image must be of the format that is claimed (`require_image_format_match`). If not, one that cannot
    /// be told or is another is accepted; one that fails its safety checks is not.
    pub require_match: bool,
    /// The safety checks that a disk with a partition table may fail (`gpt_safety_checks_nonfatal`).
    pub gpt_nonfatal: Vec<String>,
}

impl Default for Rules {
    /// Glance's defaults, which are the strictest.
    fn default() -> Self {
        Self { require_match: true, gpt_nonfatal: Vec::new() }
    }
}

/// An image that may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// How large the disk inside is, in bytes, if the image says it: never 0, and no more than an `i64` holds.
    pub virtual_size: Option<u64>,
    /// For what it would have been refused under stricter rules: worth a line in the log.
    pub overlooked: Option<Refusal>,
}

/// Why an image is not accepted. Displays as the text that the client is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is in several formats at once, which somebody must have arranged.
    Ambiguous(Vec<Format>),
    /// It is of another format than claimed.
    Mismatch {
        /// The format that was claimed.
        claimed: String,
        /// The format that it is of.
        detected: Format,
    },
    /// It ends before all that is to be checked.
    Incomplete(Format),
    /// What it says of its size cannot be read.
    Unreadable(Format),
    /// It fails safety checks.
    Unsafe {
        /// The format that it is of.
        detected: Format,
        /// The names of the checks, for the log.
        failed: Vec<&'static str>,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous(formats) => {
                let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
                write!(f, "Multiple formats detected: {}", names.join(","))
            }
            Self::Mismatch { claimed, detected } => {
                write!(f, "Image disk_format {claimed} does not match stream data {detected}")
            }
            Self::Incomplete(_) => f.write_str("Incomplete file cannot be safety checked"),
            Self::Unreadable(_) => f.write_str("Image format inspection failed"),
            Self::Unsafe { .. } => f.write_str("Image failed safety checks"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Inspected {
    /// The one format that the image is of.
    ///
    /// # Errors
    /// [`Refusal::Ambiguous`]. A bootable disc may have a partition table before it, though, and is a disc.
    pub fn detected(&self) -> Result<Finding, Refusal> {
        match self.findings.as_slice() {
            [] => Ok(Finding::harmless(Format::Raw, VirtualSize::Bytes(self.bytes))),
            [only] => Ok(only.clone()),
            [disc, table] if disc.format == Format::Iso && table.format == Format::Gpt => Ok(disc.clone()),
            _ => Err(self.ambiguous()),
        }
    }

    /// Whether the image may be kept as a `disk_format`.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, disk_format: &str, rules: &Rules) -> Result<Accepted, Refusal> {
        let matched = self.detected().and_then(|detected| Ok((self.size_as(disk_format, &detected)?, detected)));
        let (virtual_size, detected) = match matched {
            Ok(matched) => matched,
            Err(refusal) => return rules.mismatch(None, refusal),
        };
        let failed = match &detected.safety {
            Safety::Incomplete => return rules.mismatch(virtual_size, Refusal::Incomplete(detected.format)),
            Safety::Checked { failed } if failed.is_empty() => return Ok(Accepted { virtual_size, overlooked: None }),
            Safety::Checked { failed } => failed.clone(),
        };
        let nonfatal = |check: &&str| rules.gpt_nonfatal.iter().any(|name| name == check);
        let fatal = detected.format != Format::Gpt || !failed.iter().all(nonfatal);
        let refusal = Refusal::Unsafe { detected: detected.format, failed };
        if fatal { Err(refusal) } else { Ok(Accepted { virtual_size, overlooked: Some(refusal) }) }
    }

    /// The virtual size of the image as a `disk_format`, if it can be one.
    fn size_as(&self, disk_format: &str, detected: &Finding) -> Result<Option<u64>, Refusal> {
        let size = match detected.virtual_size {
            // Raw may be anything, whose size is that of the image then. But two formats are not taken for one; that a
            // disc with a partition table is refused as raw is how Glance happens to do it.
            _ if disk_format == Format::Raw.name() && self.findings.len() > 1 => return Err(self.ambiguous()),
            _ if disk_format == Format::Raw.name() => self.bytes,
            VirtualSize::Unreadable if disk_format == detected.format.name() => {
                return Err(Refusal::Unreadable(detected.format));
            }
            VirtualSize::Bytes(size) if disk_format == detected.format.name() => size,
            _ if disk_format == detected.format.name() => 0,
            _ if detected.format == Format::Raw && Format::named(disk_format).is_none() => 0,
            _ => return Err(Refusal::Mismatch { claimed: disk_format.to_owned(), detected: detected.format }),
        };
        // No disk is larger than an offset in a file may be; such a number is not a size.
        Ok(i64::try_from(size).ok().and(Some(size)).filter(|size| *size > 0))
    }

    fn ambiguous(&self) -> Refusal {
        Refusal::Ambiguous(self.findings.iter().map(|finding| finding.format).collect())
    }
}

impl Rules {
    /// What becomes of an image that is not known to be what is claimed.
    fn mismatch(&self, virtual_size: Option<u64>, refusal: Refusal) -> Result<Accepted, Refusal> {
        if self.require_match { Err(refusal) } else { Ok(Accepted { virtual_size, overlooked: Some(refusal) }) }
    }
}

#[cfg(test)]
mod tests;

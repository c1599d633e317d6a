//! What Keystone can limit for a project (policy-and-auth §8.2).

/// Something that a project's images take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Data, in MiB: each image's as often as it is stored.
    SizeTotal,
    /// Data that is on its way in by way of the staging area, in MiB.
    StageTotal,
    /// Images.
    CountTotal,
    /// Images that are getting data.
    CountUploading,
}

impl Resource {
    pub(crate) const ALL: [Self; 4] = [Self::SizeTotal, Self::StageTotal, Self::CountTotal, Self::CountUploading];

    /// The name by which Keystone knows it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SizeTotal => "image_size_total",
            Self::StageTotal => "image_stage_total",
            Self::CountTotal => "image_count_total",
            Self::CountUploading => "image_count_uploading",
        }
    }
}

/// Whole MiB in so many bytes.
pub(crate) const fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

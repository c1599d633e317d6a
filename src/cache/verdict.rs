//! What the cache did for a download.

/// The part the cache had in a download, as logs and metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Served from an entry.
    Hit,
    /// Not cached: this download began the fill that it reads from.
    Miss,
    /// Not cached yet: this download reads from a fill that another one began.
    Filling,
    /// Straight from the store: the cache could not take it (written by another process, too many fills, disk trouble).
    PassThrough,
    /// There is no cache.
    Disabled,
}

impl Verdict {
    /// The name in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Filling => "filling",
            Self::PassThrough => "pass_through",
            Self::Disabled => "disabled",
        }
    }
}

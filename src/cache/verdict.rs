//! What the cache did for a download.

/// The part the cache had in a download, as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Served from an entry.
    Hit,
    /// Not cached: this download began the fill that it reads from.
    Miss,
    /// Not cached yet: this download reads from a fill that another one began.
    Filling,
    /// Straight from the store: the image is larger than the cache.
    TooBig,
    /// Straight from the store: there is no room, and none could be made.
    NoSpace,
    /// Straight from the store: only a part was asked for, and nothing of the image is here.
    Part,
    /// Straight from the store: another process is filling the cache with it.
    Elsewhere,
    /// Straight from the store: too many fills run, or the cache directory is in trouble.
    Bypass,
    /// There is no cache.
    Disabled,
}

impl Verdict {
    /// The name in the log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Filling => "filling",
            Self::TooBig => "too_big",
            Self::NoSpace => "no_space",
            Self::Part => "part",
            Self::Elsewhere => "elsewhere",
            Self::Bypass => "bypass",
            Self::Disabled => "disabled",
        }
    }
}

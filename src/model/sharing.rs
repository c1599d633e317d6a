//! Whom an image is shared with, as v2 tells it (v2-images §9).

use std::str::FromStr;

use chrono::NaiveDateTime;

use super::ImageId;

/// What a project says to an image that was shared with it. It may use the image in any case; lists go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberStatus {
    /// Nothing yet.
    Pending,
    /// The image shall be in its lists.
    Accepted,
    /// The image shall not be in its lists.
    Rejected,
}

impl MemberStatus {
    const ALL: [Self; 3] = [Self::Pending, Self::Accepted, Self::Rejected];

    /// The word used in the database and in v2.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

impl FromStr for MemberStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(())
    }
}

/// A membership with all that v2 tells of it. Times are UTC with microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sharing {
    pub(crate) image_id: ImageId,
    /// Project (or user) id.
    pub(crate) member: String,
    pub(crate) status: MemberStatus,
    pub(crate) created_at: NaiveDateTime,
    pub(crate) updated_at: NaiveDateTime,
}

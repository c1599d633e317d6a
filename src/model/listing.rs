//! A list request of v2: conditions, order, page.

use chrono::NaiveDateTime;

use super::{SortDir, SortKey, Visibility};

/// What a caller wants to list (v2-images §6.3). All conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Listing {
    pub(crate) filters: Vec<ListFilter>,
    pub(crate) visibility: VisibilityFilter,
    pub(crate) member_status: MemberFilter,
    /// Just hidden images, or just those that are not.
    pub(crate) os_hidden: bool,
    pub(crate) order: ListOrder,
    /// Most images of the page: already the effective number.
    pub(crate) limit: u64,
    /// The page starts after this image; any text, as the caller gave it.
    pub(crate) marker: Option<String>,
}

/// A condition on listed images.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ListFilter {
    /// The field has one of these values.
    Text(TextField, Vec<String>),
    Number(NumberField, Comparison, i64),
    Time(TimeField, Comparison, NaiveDateTime),
    Protected(bool),
    /// The image bears this tag.
    Tag(String),
    /// A live property has just this value.
    Property {
        name: String,
        value: String,
    },
    /// What no image can be: a number that was asked for by a word.
    Nothing,
}

/// How a field is compared with a value: `field op value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
}

/// Fields of text that lists filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TextField {
    Name,
    Id,
    Status,
    ContainerFormat,
    DiskFormat,
    Owner,
    Checksum,
    OsHashAlgo,
    OsHashValue,
}

impl TextField {
    /// Every field.
    pub(crate) const ALL: [Self; 9] = [
        Self::Name,
        Self::Id,
        Self::Status,
        Self::ContainerFormat,
        Self::DiskFormat,
        Self::Owner,
        Self::Checksum,
        Self::OsHashAlgo,
        Self::OsHashValue,
    ];

    /// Parameter and column name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Id => "id",
            Self::Status => "status",
            Self::ContainerFormat => "container_format",
            Self::DiskFormat => "disk_format",
            Self::Owner => "owner",
            Self::Checksum => "checksum",
            Self::OsHashAlgo => "os_hash_algo",
            Self::OsHashValue => "os_hash_value",
        }
    }

    /// The value may name an operator (`eq:`, `in:`).
    pub(crate) fn takes_operators(self) -> bool {
        matches!(self, Self::Name | Self::Id | Self::Status | Self::ContainerFormat | Self::DiskFormat)
    }
}

/// Numbers that lists filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NumberField {
    Size,
    MinRam,
    MinDisk,
    VirtualSize,
}

impl NumberField {
    /// Every field.
    pub(crate) const ALL: [Self; 4] = [Self::Size, Self::MinRam, Self::MinDisk, Self::VirtualSize];

    /// Parameter and column name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::MinRam => "min_ram",
            Self::MinDisk => "min_disk",
            Self::VirtualSize => "virtual_size",
        }
    }
}

/// Times that lists filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TimeField {
    CreatedAt,
    UpdatedAt,
}

impl TimeField {
    /// Every field.
    pub(crate) const ALL: [Self; 2] = [Self::CreatedAt, Self::UpdatedAt];

    /// Parameter and column name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }
}

/// The `visibility` parameter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum VisibilityFilter {
    /// Not given: no community images but the caller's own.
    #[default]
    Unset,
    /// Community images, too.
    All,
    /// Just these of what the caller may list.
    Only(Visibility),
}

/// The `member_status` parameter: by which memberships images are listed that others share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum MemberFilter {
    Pending,
    #[default]
    Accepted,
    Rejected,
    All,
}

impl MemberFilter {
    /// Every value.
    pub(crate) const ALL: [Self; 4] = [Self::Pending, Self::Accepted, Self::Rejected, Self::All];

    /// Parameter value.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::All => "all",
        }
    }
}

/// The order of a list: no two images are equal in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ListOrder(Vec<(SortKey, SortDir)>);

impl ListOrder {
    /// By the wanted keys, and then by age and id, in the direction `rest`. What cannot matter is left out: a key that
    /// was there before, and everything after the id.
    pub(crate) fn new(wanted: &[(SortKey, SortDir)], rest: SortDir) -> Self {
        let mut keys: Vec<(SortKey, SortDir)> = Vec::new();
        for (key, dir) in wanted.iter().copied().chain([(SortKey::CreatedAt, rest), (SortKey::Id, rest)]) {
            let known = |known: SortKey| keys.iter().any(|(key, _)| *key == known);
            if !known(key) && !known(SortKey::Id) {
                keys.push((key, dir));
            }
        }
        Self(keys)
    }

    /// Most significant first; the last is the id.
    pub(crate) fn keys(&self) -> &[(SortKey, SortDir)] {
        &self.0
    }
}

impl Default for ListOrder {
    /// Newest first.
    fn default() -> Self {
        Self::new(&[], SortDir::Desc)
    }
}

#[cfg(test)]
mod tests {
    use super::{ListOrder, SortDir, SortKey};

    #[test]
    fn orders_are_total_and_without_repetition() {
        use SortDir::{Asc, Desc};
        use SortKey::{CreatedAt, Id, Name, Size};
        for (wanted, rest, keys) in [
            (&[][..], Desc, &[(CreatedAt, Desc), (Id, Desc)][..]),
            (&[(Name, Asc)], Asc, &[(Name, Asc), (CreatedAt, Asc), (Id, Asc)]),
            (&[(CreatedAt, Asc), (Name, Desc)], Desc, &[(CreatedAt, Asc), (Name, Desc), (Id, Desc)]),
            (&[(Name, Asc), (Name, Desc), (Id, Asc), (Size, Asc)], Desc, &[(Name, Asc), (Id, Asc)]),
        ] {
            assert_eq!(ListOrder::new(wanted, rest).keys(), keys);
        }
    }
}

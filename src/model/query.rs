//! A list request: filters, order, page.

use chrono::NaiveDateTime;

use super::ImageId;

/// What a caller wants to list (v1-api §9.1). All given filters must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ImageQuery {
    pub(crate) filters: Filters,
    /// `None`: the configured page size.
    pub(crate) limit: Option<u64>,
    /// The page starts after this image.
    pub(crate) marker: Option<ImageId>,
    pub(crate) sort_key: SortKey,
    pub(crate) sort_dir: SortDir,
}

/// Conditions on listed images; `None` means "any".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filters {
    pub(crate) name: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) container_format: Option<String>,
    pub(crate) disk_format: Option<String>,
    pub(crate) min_ram: Option<i64>,
    pub(crate) min_disk: Option<i64>,
    /// Bytes, inclusive.
    pub(crate) size_min: Option<u64>,
    /// Bytes, inclusive.
    pub(crate) size_max: Option<u64>,
    pub(crate) is_public: PublicFilter,
    pub(crate) protected: Option<bool>,
    /// Strictly after; also lets deleted and killed images appear.
    pub(crate) changes_since: Option<NaiveDateTime>,
    /// Registry only, admins only: just deleted (true) or just live (false) images.
    pub(crate) deleted: Option<bool>,
    /// Live properties that must have just this value.
    pub(crate) properties: Vec<(String, String)>,
}

/// The `is_public` parameter, which only admins can vary (v1-api §9.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PublicFilter {
    /// Not given: public images, plus the caller's own and those shared with it.
    #[default]
    Unset,
    /// `none`: no condition.
    Any,
    /// Public only (plus own and shared for `true`), or not public only.
    Only(bool),
}

/// Column to sort by; ties are broken by `created_at`, then `id`, in the same direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum SortKey {
    Name,
    Status,
    ContainerFormat,
    DiskFormat,
    Size,
    Id,
    #[default]
    CreatedAt,
    UpdatedAt,
}

impl SortKey {
    /// Every key, in the order of the error message of v1-api §9.1.
    pub(crate) const ALL: [Self; 8] = [
        Self::Name,
        Self::Status,
        Self::ContainerFormat,
        Self::DiskFormat,
        Self::Size,
        Self::Id,
        Self::CreatedAt,
        Self::UpdatedAt,
    ];

    /// Parameter value and column name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Status => "status",
            Self::ContainerFormat => "container_format",
            Self::DiskFormat => "disk_format",
            Self::Size => "size",
            Self::Id => "id",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }
}

/// Direction of the whole order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum SortDir {
    Asc,
    #[default]
    Desc,
}

impl SortDir {
    /// Parameter value.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

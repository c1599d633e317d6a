//! Where a page starts: what comes after its marker in an order that ends in the id.

use sea_query::{Condition, ExprTrait, Value};

use super::dialect::Dialect;
use super::statement::{big, of_image};
use crate::model::{Image, SortDir, SortKey};

/// What comes after `marker`.
pub(super) fn after(dialect: Dialect, keys: &[(SortKey, SortDir)], marker: &Image) -> Condition {
    segments(dialect, keys, marker).into_iter().fold(Condition::any(), Condition::add)
}

/// The same in pieces, of which each is one stretch of an index on `keys`: equal to the marker in the first so many keys
/// and beyond it in the next. NULLs are where the database sorts them.
pub(super) fn segments(dialect: Dialect, keys: &[(SortKey, SortDir)], marker: &Image) -> Vec<Condition> {
    let mut segments = Vec::new();
    let mut equal = Condition::all();
    for (key, dir) in keys.iter().copied() {
        let column = || of_image(key.as_str());
        let nulls_first = dialect.nulls_first(dir);
        match value(key, marker) {
            Some(value) => {
                let beyond = match dir {
                    SortDir::Asc => column().gt(value.clone()),
                    SortDir::Desc => column().lt(value.clone()),
                };
                segments.push(equal.clone().add(beyond));
                if nullable(key) && !nulls_first {
                    segments.push(equal.clone().add(column().is_null()));
                }
                equal = equal.add(column().eq(value));
            }
            None => {
                if nulls_first {
                    segments.push(equal.clone().add(column().is_not_null()));
                }
                equal = equal.add(column().is_null());
            }
        }
    }
    segments
}

fn nullable(key: SortKey) -> bool {
    !matches!(key, SortKey::Status | SortKey::Id | SortKey::CreatedAt)
}

fn value(key: SortKey, image: &Image) -> Option<Value> {
    match key {
        SortKey::Name => image.name.as_deref().map(Value::from),
        SortKey::Status => Some(image.status.as_str().into()),
        SortKey::ContainerFormat => image.container_format.as_deref().map(Value::from),
        SortKey::DiskFormat => image.disk_format.as_deref().map(Value::from),
        SortKey::Size => image.size.map(|size| big(size).into()),
        SortKey::Id => Some(image.id.as_str().into()),
        SortKey::CreatedAt => Some(image.created_at.into()),
        SortKey::UpdatedAt => Some(image.updated_at.into()),
    }
}

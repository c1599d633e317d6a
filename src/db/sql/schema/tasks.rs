//! Tasks of v2 (database §3.6).

use super::{CREATED_AT, Column, DELETED, DELETED_AT, Kind, Table, UPDATED_AT};

pub(super) const TABLES: [Table; 2] = [
    Table {
        name: "tasks",
        columns: &[
            Column::needed("id", Kind::S(36)),
            Column::needed("type", Kind::S(30)),
            Column::needed("status", Kind::S(30)),
            Column::needed("owner", Kind::S(255)),
            Column::optional("expires_at", Kind::Time),
            CREATED_AT,
            UPDATED_AT,
            DELETED_AT,
            DELETED,
            Column::optional("image_id", Kind::S(36)),
            Column::optional("request_id", Kind::S(64)),
            Column::optional("user_id", Kind::S(64)),
        ],
        primary_key: &["id"],
        uniques: &[],
        foreign_keys: &[],
        indexes: &[
            ("ix_tasks_deleted", &["deleted"]),
            ("ix_tasks_owner", &["owner"]),
            ("ix_tasks_status", &["status"]),
            ("ix_tasks_type", &["type"]),
            ("ix_tasks_updated_at", &["updated_at"]),
            ("ix_tasks_image_id", &["image_id"]),
        ],
    },
    Table {
        name: "task_info",
        columns: &[
            Column::needed("task_id", Kind::S(36)),
            Column::optional("input", Kind::Text),
            Column::optional("result", Kind::Text),
            Column::optional("message", Kind::Text),
        ],
        primary_key: &["task_id"],
        uniques: &[],
        foreign_keys: &[("task_id", "tasks", "id")],
        indexes: &[],
    },
];

//! Which node caches which image (database §3.8); the tables that 2024.1 added.

use super::{Column, Kind, Table};

pub(super) const TABLES: [Table; 2] = [
    Table {
        name: "node_reference",
        columns: &[
            Column::needed("node_reference_id", Kind::BigAuto),
            Column::needed("node_reference_url", Kind::S(255)),
        ],
        primary_key: &["node_reference_id"],
        uniques: &[("uq_node_reference_node_reference_url", &["node_reference_url"])],
        foreign_keys: &[],
        indexes: &[],
    },
    Table {
        name: "cached_images",
        columns: &[
            Column::needed("id", Kind::BigAuto),
            Column::needed("image_id", Kind::S(36)),
            Column::needed("last_accessed", Kind::Time),
            Column::needed("last_modified", Kind::Time),
            Column::needed("size", Kind::BigNamed),
            Column::needed("hits", Kind::Int),
            Column::optional("checksum", Kind::S(32)),
            Column::needed("node_reference_id", Kind::Big),
        ],
        primary_key: &["id"],
        uniques: &[("ix_cached_images_image_id_node_reference_id", &["image_id", "node_reference_id"])],
        foreign_keys: &[("node_reference_id", "node_reference", "node_reference_id")],
        indexes: &[],
    },
];

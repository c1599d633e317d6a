//! Metadata definitions of v2 (database §3.7).

use super::{CREATED_AT, Checked, Column, Kind, Table, UPDATED_AT};

const ID: Column = Column::needed("id", Kind::Auto);
const NAMESPACE_ID: Column = Column::needed("namespace_id", Kind::Int);
const NAME: Column = Column::needed("name", Kind::S(80));
const OF_NAMESPACE: (&str, &str, &str) = ("namespace_id", "metadef_namespaces", "id");

pub(super) const TABLES: [Table; 6] = [
    Table {
        name: "metadef_namespaces",
        columns: &[
            ID,
            Column::needed("namespace", Kind::S(80)),
            Column::optional("display_name", Kind::S(80)),
            Column::optional("description", Kind::Text),
            Column::optional("visibility", Kind::S(32)),
            Column::optional("protected", Kind::Bool).checked(Checked::Emulated),
            Column::needed("owner", Kind::S(255)),
            CREATED_AT,
            UPDATED_AT,
        ],
        primary_key: &["id"],
        uniques: &[("uq_metadef_namespaces_namespace", &["namespace"])],
        foreign_keys: &[],
        indexes: &[("ix_metadef_namespaces_owner", &["owner"])],
    },
    Table {
        name: "metadef_resource_types",
        columns: &[
            ID,
            NAME,
            Column::needed("protected", Kind::Bool).checked(Checked::Emulated),
            CREATED_AT,
            UPDATED_AT,
        ],
        primary_key: &["id"],
        uniques: &[("uq_metadef_resource_types_name", &["name"])],
        foreign_keys: &[],
        indexes: &[],
    },
    Table {
        name: "metadef_namespace_resource_types",
        columns: &[
            Column::needed("resource_type_id", Kind::Int),
            NAMESPACE_ID,
            Column::optional("properties_target", Kind::S(80)),
            Column::optional("prefix", Kind::S(80)),
            CREATED_AT,
            UPDATED_AT,
        ],
        primary_key: &["resource_type_id", "namespace_id"],
        uniques: &[],
        foreign_keys: &[OF_NAMESPACE, ("resource_type_id", "metadef_resource_types", "id")],
        indexes: &[("ix_metadef_ns_res_types_namespace_id", &["namespace_id"])],
    },
    Table {
        name: "metadef_objects",
        columns: &[
            ID,
            NAMESPACE_ID,
            NAME,
            Column::optional("description", Kind::Text),
            Column::optional("required", Kind::Text),
            Column::needed("json_schema", Kind::Text),
            CREATED_AT,
            UPDATED_AT,
        ],
        primary_key: &["id"],
        uniques: &[("uq_metadef_objects_namespace_id_name", &["namespace_id", "name"])],
        foreign_keys: &[OF_NAMESPACE],
        indexes: &[("ix_metadef_objects_name", &["name"])],
    },
    Table {
        name: "metadef_properties",
        columns: &[ID, NAMESPACE_ID, NAME, Column::needed("json_schema", Kind::Text), CREATED_AT, UPDATED_AT],
        primary_key: &["id"],
        uniques: &[("uq_metadef_properties_namespace_id_name", &["namespace_id", "name"])],
        foreign_keys: &[OF_NAMESPACE],
        indexes: &[("ix_metadef_properties_name", &["name"])],
    },
    Table {
        name: "metadef_tags",
        columns: &[ID, NAMESPACE_ID, NAME, CREATED_AT, UPDATED_AT],
        primary_key: &["id"],
        uniques: &[("uq_metadef_tags_namespace_id_name", &["namespace_id", "name"])],
        foreign_keys: &[OF_NAMESPACE],
        indexes: &[("ix_metadef_tags_name", &["name"])],
    },
];

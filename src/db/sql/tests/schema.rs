//! The schema against a literal account of it (database §2–3), and the states a database may be in.

use sea_query::{Asterisk, Expr, ExprTrait, Func, Query};

use super::super::{SchemaError, Settings, Sql};
use super::{Bed, beds, empty, is_sqlite};

/// Per table: columns as `name type [!] [=default]` (`!`: not null), indexes as `name(columns)` (SQLite itself names
/// the index of a key), checks, and foreign keys as `-> column parent`.
const EXPECTED: &str = include_str!("schema.txt");

/// SQLite's own account in the same words.
async fn account(bed: &Bed) -> String {
    let mut text = String::new();
    for table in pragma(bed, "table_list", "main").await {
        if table.starts_with("sqlite_") {
            continue;
        }
        text += &format!("{table}\n");
        let query = Query::select()
            .column(Asterisk)
            .from_function(Func::cust("pragma_table_info").arg(table.as_str()), "t")
            .take();
        for row in bed.rows(&query).await {
            let [name, kind] = ["name", "type"].map(|column| row.get::<String>(column).unwrap());
            let needed = if row.get::<i64>("notnull").unwrap() == 1 { " !" } else { "" };
            let default =
                row.get::<Option<String>>("dflt_value").unwrap().map_or(String::new(), |value| format!(" ={value}"));
            text += &format!("  {name} {kind}{needed}{default}\n");
        }
        let mut indexes = Vec::new();
        for name in pragma(bed, "index_list", &table).await {
            let columns = pragma(bed, "index_info", &name).await.join(",");
            let name = if name.starts_with("sqlite_autoindex") { "key" } else { &name };
            indexes.push(format!("  {name}({columns})\n"));
        }
        indexes.sort();
        text += &indexes.concat();
        let create = Query::select()
            .column("sql")
            .from("sqlite_master")
            .and_where(Expr::col("type").eq("table"))
            .and_where(Expr::col("name").eq(table.as_str()))
            .take();
        let create: String = bed.rows(&create).await[0].get("sql").unwrap();
        for check in create.lines().filter(|line| line.trim_start().starts_with("CHECK")) {
            text += &format!("  {}\n", check.trim().trim_end_matches(','));
        }
        for parent in foreign_keys(bed, &table).await {
            text += &format!("  -> {parent}\n");
        }
    }
    text
}

/// The names that a table-valued pragma yields.
async fn pragma(bed: &Bed, pragma: &'static str, of: &str) -> Vec<String> {
    let mut function = Func::cust(format!("pragma_{pragma}"));
    if pragma != "table_list" {
        function = function.arg(of);
    }
    let query = Query::select().column("name").from_function(function, "t").take();
    let mut names: Vec<String> = bed.rows(&query).await.iter().map(|row| row.get("name").unwrap()).collect();
    if pragma == "table_list" {
        names.sort();
    }
    names
}

async fn foreign_keys(bed: &Bed, table: &str) -> Vec<String> {
    let function = Func::cust("pragma_foreign_key_list").arg(table);
    let query = Query::select()
        .expr_as(Expr::cust("\"from\" || ' ' || \"table\" || '.' || \"to\""), "parent")
        .from_function(function, "t")
        .take();
    let mut parents: Vec<String> = bed.rows(&query).await.iter().map(|row| row.get("parent").unwrap()).collect();
    parents.sort();
    parents
}

#[tokio::test]
async fn sqlite_has_glances_schema_and_indexes_of_ours() {
    if !is_sqlite() {
        return;
    }
    for bed in beds().await {
        let account = account(&bed).await;
        assert_eq!(account, EXPECTED, "\n{account}");
        let revisions = bed.schema().await.unwrap().revisions.0;
        assert_eq!(revisions, ["2024_1_contract01"]);
    }
}

async fn script(sql: &Sql, text: &str) {
    let mut session = sql.pool.begin().await.unwrap();
    session.script(text.to_owned()).await.unwrap();
    session.commit().await.unwrap();
}

#[tokio::test]
async fn synced_databases_are_left_alone() {
    for bed in beds().await {
        bed.sync_schema().await.unwrap();
        bed.check_schema().await.unwrap();
        script(&bed, "UPDATE alembic_version SET version_num = '2024_1_expand01'").await;
        bed.check_schema().await.unwrap();
        bed.sync_schema().await.unwrap();
        assert_eq!(bed.schema().await.unwrap().revisions.0, ["2024_1_expand01"]);
    }
}

#[tokio::test]
async fn one_step_is_made_up_for() {
    if !is_sqlite() {
        return;
    }
    for bed in beds().await {
        script(
            &bed,
            "DROP TABLE cached_images; DROP TABLE node_reference; UPDATE alembic_version SET version_num = 'yoga_contract01'",
        )
        .await;
        assert!(matches!(bed.check_schema().await, Err(SchemaError::WrongRevision(..))));
        assert!(matches!(bed.sync_schema().await, Err(SchemaError::WrongRevision(..))), "services do not migrate");
        bed.migrate_schema().await.unwrap();
        assert_eq!(account(&bed).await, EXPECTED);
    }
}

#[tokio::test]
async fn other_databases_are_refused_with_the_reason() {
    for bed in beds().await {
        script(&bed, "UPDATE alembic_version SET version_num = 'rocky_contract02'").await;
        for refused in [bed.check_schema().await, bed.sync_schema().await, bed.migrate_schema().await] {
            let text = refused.unwrap_err().to_string();
            assert!(text.contains("rocky_contract02") && text.contains("2024_1_contract01"), "{text}");
        }
        script(&bed, "DROP TABLE alembic_version").await;
        assert!(matches!(bed.check_schema().await, Err(SchemaError::Unversioned)));
        assert!(matches!(bed.sync_schema().await, Err(SchemaError::Unversioned)));
    }
}

#[tokio::test]
async fn empty_databases_wait_for_their_schema() {
    let (url, _home) = empty();
    let sql = Sql::connect(&Settings::new(&url)).unwrap();
    sql.check_schema().await.unwrap();
    assert!(sql.schema().await.unwrap().is_empty());
    let dir = tempfile::tempdir().unwrap();
    let nowhere = Settings::new(&format!("sqlite:///{}/no/new.db", dir.path().display()));
    assert!(Sql::connect(&nowhere).unwrap_err().to_string().contains("there is no directory"));
}

#[tokio::test]
async fn purges_take_old_rows_only() {
    use super::super::Purge;
    use super::{named, properties, tenant};
    use crate::db::Metadata;
    use crate::model::ImageFields;

    for bed in beds().await {
        let ids = [(); 2].map(|()| ImageFields { properties: properties(&[("k", "v")]), ..named("x") });
        for fields in ids {
            let id = bed.add(&tenant("a"), fields).await.id;
            bed.image_delete(&tenant("a"), &id, None).await.unwrap();
        }
        script(&bed, "UPDATE image_properties SET deleted_at = '2001-01-01 00:00:00.000000' WHERE id = 1").await;
        let purge = |images, age_in_days| bed.purge(Purge { age_in_days, max_rows: None, images });
        let removed = async |images, age| purge(images, age).await.unwrap().iter().map(|(_, rows)| rows).sum::<u64>();
        assert_eq!(removed(false, 30).await, 1);
        assert!(purge(true, 0).await.is_err(), "an image with a child left");
        assert_eq!((removed(false, 0).await, removed(true, 0).await), (1, 2));
    }
}

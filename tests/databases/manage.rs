//! `glance-manage` beside Glance's own (database §10.1).

use super::{ALL, manage};
use crate::clients::glance_manage;
use crate::harness::{Database, Outcome};

/// Verbs in an order in which an operator may try them.
const VERBS: [&str; 14] = [
    "version", "check", "migrate", "contract", "expand", "version", "check", "expand", "migrate", "contract", "check",
    "sync", "upgrade", "version",
];

#[test]
fn its_verbs_say_and_end_as_those_of_glance() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ALL {
        let at = |name: &str| Database::of_kind(kind, &dir.path().join(name));
        let (Some(ours), Some(glances)) = (at("ours"), at("glances")) else { continue };
        for verb in VERBS {
            let Some(theirs) = glance_manage(glances.url(), &[verb]) else { return };
            let own = manage(&ours, &format!("db {verb}"));
            assert_eq!((own.code, &own.stdout), (theirs.code, &theirs.stdout), "{kind:?} {verb}: {own:?} {theirs:?}");
            // Glance's libraries add warnings.
            let refusal = if theirs.code == Some(1) { theirs.stderr.lines().last().unwrap() } else { "" };
            assert_eq!(own.stderr.trim(), refusal, "{kind:?} {verb}");
        }
    }
}

/// Images, and rows of theirs, by when they were deleted.
fn with_deleted_rows(database: &Database) {
    // No two at the same time, so that it is plain which are the oldest.
    let (old, later, new) = ("'2020-01-01 00:00:00'", "'2020-02-01 00:00:00'", "'2100-01-01 00:00:00'");
    for (id, deleted, at) in [("live", false, "NULL"), ("old", true, old), ("parent", true, later), ("new", true, new)]
    {
        let status = if deleted { "deleted" } else { "active" };
        database.rows(&format!(
            "INSERT INTO images (id, status, created_at, updated_at, deleted_at, deleted, min_disk, min_ram, protected, \
             visibility, os_hidden) VALUES ('{id}', '{status}', {old}, {old}, {at}, {deleted}, 0, 0, false, 'shared', false)"
        ));
    }
    let rows = [
        ("live", false, "NULL"),
        ("live", true, old),
        ("old", true, later),
        ("parent", false, "NULL"),
        ("new", true, new),
    ];
    for (number, (image, deleted, at)) in rows.into_iter().enumerate() {
        for (table, columns, values) in [
            ("image_properties", "name, value", format!("'p{number}', 'x'")),
            ("image_tags", "value", format!("'t{number}'")),
            ("image_locations", "value, status", format!("'file:///{number}', 'active'")),
            ("image_members", "member, can_share, status", format!("'m{number}', false, 'pending'")),
        ] {
            database.rows(&format!(
                "INSERT INTO {table} (image_id, {columns}, created_at, updated_at, deleted_at, deleted) \
                 VALUES ('{image}', {values}, {old}, {old}, {at}, {deleted})"
            ));
        }
    }
    for (id, deleted, at) in [("t1", true, old), ("t2", true, new), ("t3", false, "NULL")] {
        database.rows(&format!(
            "INSERT INTO tasks (id, type, status, owner, created_at, updated_at, deleted_at, deleted) \
             VALUES ('{id}', 'import', 'success', 'o', {old}, {old}, {at}, {deleted})"
        ));
        database.rows(&format!("INSERT INTO task_info (task_id, message) VALUES ('{id}', 'x')"));
    }
}

/// What is left, by table.
fn left(database: &Database) -> Vec<Vec<String>> {
    let of_image = ["image_properties", "image_tags", "image_locations", "image_members"];
    let children = of_image.map(|table| database.rows(&format!("SELECT image_id, deleted FROM {table} ORDER BY id")));
    let others =
        ["SELECT id FROM images ORDER BY id", "SELECT id FROM tasks ORDER BY id"].map(|query| database.rows(query));
    let infos = database.rows("SELECT task_id FROM task_info ORDER BY task_id");
    children.into_iter().chain(others).chain([infos]).collect()
}

#[test]
fn a_purge_removes_what_that_of_glance_removes() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ALL {
        let at = |name: &str| Database::of_kind(kind, &dir.path().join(name));
        let (Some(ours), Some(glances)) = (at("ours"), at("glances")) else { continue };
        for database in [&ours, &glances] {
            manage(database, "db sync");
            with_deleted_rows(database);
        }
        for words in [
            "purge --max_rows 0",
            "purge --max_rows 1",
            "purge --max_rows 2147483648",
            "purge --age_in_days 30000",
            "purge",
            // The second has a child that is not deleted.
            "purge_images_table --max_rows 1",
            "purge_images_table",
        ] {
            let list: Vec<&str> = words.split(' ').collect();
            let Some(theirs) = glance_manage(glances.url(), &list) else { return };
            let own: Outcome = manage(&ours, &format!("db {words}"));
            assert_eq!(own.code, theirs.code, "{kind:?} {words}: {own:?} {theirs:?}");
            if theirs.code == Some(1) {
                let last = theirs.stderr.lines().last().unwrap();
                assert!(own.stderr.trim_end().ends_with(last), "{kind:?} {words}: {own:?} {last}");
            }
            assert_eq!(left(&ours), left(&glances), "{kind:?} {words}");
        }
        assert_eq!(ours.rows("SELECT id FROM images ORDER BY id"), ["live", "new", "parent"]);
    }
}

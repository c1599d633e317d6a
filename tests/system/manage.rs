//! `glance-manage` (v1-system §6.3), and databases made by it.

use std::fs;
use std::path::Path;

use crate::harness::{Outcome, Setup, execute, five_kb, on_sqlite, sqlite_rows};

/// The newest revision of today's Glance (database §1).
const HEAD: &str = "2024_1_contract01";

fn manage(database: &Path, arguments: &str) -> Outcome {
    manage_url(&format!("sqlite:///{}", database.display()), arguments)
}

fn manage_url(url: &str, arguments: &str) -> Outcome {
    execute(&format!("bin/glance-manage '--sql-connection={url}' {arguments}"))
}

#[track_caller]
fn version_is(database: &Path, version: &str) {
    let outcome = manage(database, "db_version");
    assert_eq!((outcome.code, outcome.stdout.trim()), (Some(0), version), "{outcome:?}");
}

#[test]
fn db_sync_makes_the_newest_schema() {
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("glance.sqlite");
    for _ in 0..2 {
        let outcome = manage(&database, "db_sync");
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        version_is(&database, HEAD);
    }
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'image%' ORDER BY name";
    let images = ["image_locations", "image_members", "image_properties", "image_tags", "images"];
    assert_eq!(sqlite_rows(&database, tables), images);
    assert_eq!(sqlite_rows(&database, "SELECT version_num FROM alembic_version"), [HEAD]);
}

#[test]
fn a_database_that_is_not_under_control_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let outcome = manage(&dir.path().join("glance.sqlite"), "db version");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("db sync"), "{outcome:?}");
}

#[test]
fn todays_spelling_of_the_verbs_is_understood() {
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("glance.sqlite");
    assert_eq!(manage(&database, "db check").code, Some(3));
    let synced = manage(&database, "db sync");
    assert!(synced.stdout.contains("Database is synced successfully."), "{synced:?}");
    let again = manage(&database, "db sync");
    assert!(again.stdout.contains("Database is up to date. No migrations needed."), "{again:?}");
    assert_eq!(manage(&database, "db check").code, Some(0));
}

#[test]
fn unknown_and_missing_commands_are_errors() {
    let outcome = execute("bin/glance-manage frobnicate");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("unrecognized command 'frobnicate'"), "{outcome:?}");
    let outcome = execute("bin/glance-manage");
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(format!("{outcome:?}").to_lowercase().contains("usage"), "{outcome:?}");
}

#[test]
fn the_connection_may_stand_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let (conf, database) = (dir.path().join("registry.conf"), dir.path().join("glance.sqlite"));
    fs::write(&conf, format!("[DEFAULT]\nsql_connection = sqlite:///{}\n", database.display())).unwrap();
    let outcome = execute(&format!("bin/glance-manage --config-file {} db_sync", conf.display()));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    version_is(&database, HEAD);
}

#[test]
fn a_server_works_on_a_migrated_database() {
    let setup = Setup::api("");
    assert_eq!(manage_url(setup.database().url(), "db_sync").code, Some(0));
    let gander = setup.start();
    let id = gander.client().add_image("Image1");
    assert_eq!(gander.client().download(&id), five_kb());
    gander.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(gander.rows("SELECT version_num FROM alembic_version"), [HEAD]);
}

#[test]
fn a_registry_fills_an_empty_database_itself() {
    let registry = Setup::registry().start();
    assert_eq!(registry.rows("SELECT version_num FROM alembic_version"), [HEAD]);
}

#[test]
fn dates_are_stored_as_sqlalchemy_stored_them() {
    if !on_sqlite("other databases have a type for times") {
        return;
    }
    let gander = Setup::api("").start();
    gander.client().add_image("Image1");
    let date = gander.rows("SELECT CAST(created_at AS TEXT) FROM images").remove(0);
    assert!(chrono::NaiveDateTime::parse_from_str(&date, "%Y-%m-%d %H:%M:%S%.6f").is_ok(), "{date}");
    assert_eq!(date.len(), "2012-02-20 18:06:51.123456".len(), "{date}");
}

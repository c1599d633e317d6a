//! Our schema against that of Glance 33 from PyPI, on all three databases (database §2, §3).

use testdb::Kind;

use super::catalog::account;
use super::{ALL, manage};
use crate::clients::glance_manage;
use crate::harness::{Database, Setup};

/// What `db sync` says, line by line.
const SYNCED: [&str; 4] = [
    "Upgraded database to: 2024_1_expand01, current revision(s): 2024_1_expand01",
    "Database migration is up to date. No migration needed.",
    "Upgraded database to: 2024_1_contract01, current revision(s): 2024_1_contract01",
    "Database is synced successfully.",
];

/// A database that Glance has brought to this revision, or to the newest one.
fn made_by_glance(database: &Database, revision: Option<&str>) -> Option<()> {
    let words: Vec<&str> = revision.map_or(vec!["sync"], |revision| vec!["upgrade", "--version", revision]);
    let outcome = glance_manage(database.url(), &words)?;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    Some(())
}

#[track_caller]
fn same(kind: Kind, ours: &[String], glances: &[String]) {
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|line| !other.contains(line)).cloned().collect()
    };
    let (added, missing) = (only(ours, glances), only(glances, ours));
    assert!(added.is_empty() && missing.is_empty(), "{kind:?}: only ours: {added:#?}\nonly Glance's: {missing:#?}");
    assert_eq!(ours, glances, "{kind:?}: another order");
}

#[test]
fn a_new_database_is_what_glance_makes() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ALL {
        let at = |name: &str| Database::of_kind(kind, &dir.path().join(name));
        let (Some(ours), Some(glances)) = (at("ours"), at("glances")) else { continue };
        if made_by_glance(&glances, None).is_none() {
            return;
        }
        let outcome = manage(&ours, "db sync");
        assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), SYNCED, "{outcome:?}");
        same(kind, &account(&ours), &account(&glances));
        // Each is content with what the other made.
        for outcome in [manage(&glances, "db sync"), glance_manage(ours.url(), &["sync"]).unwrap()] {
            assert_eq!(outcome.stdout.trim(), "Database is up to date. No migrations needed.", "{outcome:?}");
        }
        same(kind, &account(&glances), &account(&ours));
    }
}

#[test]
fn a_database_of_2023_gets_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ALL {
        let at = |name: &str| Database::of_kind(kind, &dir.path().join(name));
        let (Some(old), Some(new), Some(glances)) = (at("old"), at("new"), at("glances")) else { continue };
        if made_by_glance(&old, Some("2023_1_contract01")).is_none() {
            return;
        }
        made_by_glance(&glances, Some("2023_1_contract01")).unwrap();
        let theirs = glance_manage(glances.url(), &["sync"]).unwrap();
        manage(&new, "db sync");
        let refused = Setup::api("").on(&old).run_to_end();
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let told = format!("{}{}", refused.stdout, refused.stderr);
        assert!(told.contains("2023_1_contract01") && told.contains("run glance-manage db sync"), "{refused:?}");
        let outcome = manage(&old, "db sync");
        assert_eq!((outcome.code, &outcome.stdout), (theirs.code, &theirs.stdout), "{kind:?}");
        same(kind, &account(&old), &account(&new));
        assert_eq!(old.rows("SELECT version_num FROM alembic_version"), ["2024_1_contract01"]);
    }
}

#[test]
fn an_older_database_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ALL {
        let Some(old) = Database::of_kind(kind, &dir.path().join("old")) else { continue };
        if made_by_glance(&old, Some("rocky_contract02")).is_none() {
            return;
        }
        let before = account(&old);
        for words in ["db sync", "db upgrade"] {
            let outcome = manage(&old, words);
            assert_eq!(outcome.code, Some(1), "{outcome:?}");
            let told = "rocky_contract02, this program needs 2024_1_contract01: bring it there with Glance's own";
            assert!(outcome.stderr.contains(told), "{outcome:?}");
        }
        let refused = Setup::api("").on(&old).run_to_end();
        assert!(format!("{refused:?}").contains("rocky_contract02"), "{refused:?}");
        assert_eq!(refused.code, Some(1));
        assert_eq!(account(&old), before);
        assert_eq!(old.rows("SELECT version_num FROM alembic_version"), ["rocky_contract02"]);
    }
}

//! `glance-manage` beside Glance's own (database §10.1).

use super::{ALL, manage};
use crate::clients::glance_manage;
use crate::harness::Database;

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

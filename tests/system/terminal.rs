//! Programs whose output nobody reads any more, such as the left side of `gander --help | head -1`.

use std::process::Stdio;

use crate::harness::gander_command;

/// The end of a pipe whose reader has gone away.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_closed_standard_output_is_no_crash() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("--sql-connection=sqlite:///{}", dir.path().join("glance.sqlite").display());
    for words in [&["--help"][..], &["--version"], &["manage", "--help"], &["manage", &url, "db", "sync"]] {
        let outcome = gander_command().args(words).stdout(unread()).output().unwrap();
        assert_eq!(outcome.status.code(), Some(0), "{words:?} {outcome:?}");
        assert!(!String::from_utf8_lossy(&outcome.stderr).contains("panicked"), "{words:?} {outcome:?}");
    }
}

#[test]
fn a_closed_standard_error_changes_no_exit_code() {
    let faults: [&[&str]; 4] =
        [&["nonsense"], &["manage", "nonsense"], &["control", "api", "foo"], &["api", "--config-file", "/nonexistent"]];
    for words in faults {
        let outcome = gander_command().args(words).stderr(unread()).output().unwrap();
        assert_eq!(outcome.status.code(), Some(1), "{words:?} {outcome:?}");
    }
}

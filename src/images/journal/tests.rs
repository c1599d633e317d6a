use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Abandoned, Entry, Note, Said, Work, entries, others_at_work, prepare};
use crate::model::ImageId;

fn note() -> Note {
    Note { work: Work::Upload, locations: vec!["file:///x".to_owned()], stores: BTreeMap::new(), repeatable: false }
}

#[tokio::test]
async fn an_entry_is_its_workers_until_it_is_settled() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("above/journal");
    let id = ImageId::random();
    let entry = Entry::begin(&dir, &id, note()).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&entry.path)), (0o700, 0o600));
    let text = fs::read_to_string(&entry.path).unwrap();
    assert_eq!(text, r#"{"work":"upload","locations":["file:///x"]}"#);
    assert_eq!(entries(&dir).await.unwrap(), [(id, entry.path.clone())]);
    assert!(Abandoned::claim(entry.path.clone()).await.unwrap().is_none());
    entry.settle().await;
    assert!(entries(&dir).await.unwrap().is_empty());
}

#[test]
fn entries_of_other_releases_are_understood() {
    let repeatable = Note { repeatable: true, ..note() };
    let text = r#"{"work":"upload","locations":["file:///x"],"repeatable":true}"#;
    assert_eq!(serde_json::to_string(&repeatable).unwrap(), text);
    assert_eq!(serde_json::from_str::<Note>(text).unwrap(), repeatable);
    let old = r#"{"work": "upload", "locations": ["file:///x"]}"#;
    assert_eq!(serde_json::from_str::<Note>(old).unwrap(), note());
    let newer = r#"{"work": "upload", "locations": ["file:///x"], "else": 1}"#;
    assert_eq!(serde_json::from_str::<Note>(newer).unwrap(), note());
}

#[tokio::test]
async fn what_is_left_is_claimed_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let id = ImageId::random();
    let mut entry = Entry::begin(dir.path(), &id, note()).await.unwrap();
    entry.leave();
    let path = entry.path.clone();
    entry.settle().await;
    let claimed = Abandoned::claim(path.clone()).await.unwrap().unwrap();
    assert_eq!(claimed.said, Said::Work(note()));
    assert!(Abandoned::claim(path).await.unwrap().is_none());
    assert!(!others_at_work(dir.path(), &id, &claimed).await.unwrap());
    let other = Entry::begin(dir.path(), &id, note()).await.unwrap();
    assert!(others_at_work(dir.path(), &id, &claimed).await.unwrap());
    other.settle().await;
    claimed.settle().await;
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn half_an_entry_says_nothing_and_other_files_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let id = ImageId::random();
    for name in [format!("{id}"), format!("{id}.12"), format!("x.{:016x}", 7), ".hidden".to_owned()] {
        fs::write(dir.path().join(name), "{}").unwrap();
    }
    let half = dir.path().join(format!("{id}.{:016x}", 7));
    fs::write(&half, r#"{"work":"upl"#).unwrap();
    assert_eq!(entries(dir.path()).await.unwrap(), [(id, half.clone())]);
    for text in [r#"{"work":"upl"#, "", "\0\0\0\0"] {
        fs::write(&half, text).unwrap();
        assert_eq!(Abandoned::claim(half.clone()).await.unwrap().unwrap().said, Said::Nothing);
    }
    for text in [r#"{"work":"import","locations":[]}"#, r#"{"work":"upload"}"#, "{}", "7"] {
        fs::write(&half, text).unwrap();
        assert_eq!(Abandoned::claim(half.clone()).await.unwrap().unwrap().said, Said::Unknown);
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for dir in [file.path().to_owned(), file.path().join("below"), "/proc/journal".into()] {
        prepare(&dir).await.unwrap_err();
        Entry::begin(&dir, &ImageId::random(), note()).await.unwrap_err();
    }
}

//! Entries that anything may have happened to.

use std::fs;

use fuzzing::Target;

use super::abandoned::{image_of, said};
use super::{Abandoned, Said, entries};
use crate::model::ImageId;

/// Names of files that may be entries.
const NAMES: [&str; 3] = [
    "71c675ab-d94f-49cd-a114-e12490b328d9.0123456789abcdef",
    "71c675abd94f49cda114e12490b328d9.0123456789ABCDEF",
    "x.y",
];

#[test]
fn what_an_entry_says_can_be_said_again() {
    let target = Target::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/journal"));
    let words =
        ["\"work\":", "\"upload\"", "\"stage\"", "\"remove\"", "\"locations\":", "[\"x\"]", "\"repeatable\":", "true"];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAMES[0]);
    // Files cost time.
    target.words(words).rounds(1500).run(|input| {
        fs::write(&path, input).unwrap();
        let claimed = runtime.block_on(Abandoned::claim(path.clone())).unwrap().unwrap();
        assert!(runtime.block_on(Abandoned::claim(path.clone())).unwrap().is_none(), "claimed twice");
        match claimed.said {
            Said::Work(note) => {
                let text = serde_json::to_vec(&note).unwrap();
                assert_eq!(said(&text), Said::Work(note.clone()));
                let cut = text.len() * input.len() % 97 % text.len();
                assert_eq!(said(&text[..cut]), Said::Nothing, "half an entry");
                Some((format!("{:?}", note.work), note.repeatable, note.locations.len()))
            }
            Said::Unknown => None,
            Said::Nothing => Some((String::new(), false, 0)),
        }
    });
    assert_eq!(runtime.block_on(entries(dir.path())).unwrap().len(), 1, "an entry stays until it is settled");
}

#[test]
fn names_of_entries_have_an_image() {
    let target = Target::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/journal"));
    target.and(NAMES.map(|name| name.as_bytes().to_vec())).words([".", "{", "}", "urn:", "uuid:", "-", "..", "/"]).run(
        |input| {
            let name = String::from_utf8_lossy(input);
            let id = image_of(&name);
            if let Some(id) = &id {
                assert!(name.starts_with(id.as_str()));
                // It becomes a part of paths.
                assert!(!id.as_str().contains(['/', '.', '\0']) && ImageId::parse(id.as_str()).as_ref() == Some(id));
            }
            id.is_some()
        },
    );
}

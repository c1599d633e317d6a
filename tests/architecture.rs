//! The arrows of `docs/ARCHITECTURE.md` are the arrows of the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Room → rooms it may use, from the table of the document; `None`: everything.
fn documented() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let table =
        text.lines().skip_while(|line| !line.starts_with("| room ")).skip(2).take_while(|line| line.starts_with('|'));
    table
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let uses = cells[2];
            let rooms = uses.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            (cells[0].trim_matches('`').to_owned(), (uses != "everything").then_some(rooms))
        })
        .collect()
}

/// Room → rooms that its files name behind `crate::`.
fn actual() -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms = BTreeMap::new();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if room != "main" && room != "lib" {
            names_in(&path, rooms.entry(room).or_default());
        }
    }
    rooms
}

fn names_in(path: &Path, names: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            names_in(&entry.unwrap().path(), names);
        }
        return;
    }
    let text = fs::read_to_string(path).unwrap();
    for after in text.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(group) => {
                names.extend(group.split('}').next().unwrap().split(',').map(|item| first_word(item.trim())))
            }
            None => {
                names.insert(first_word(after));
            }
        }
    }
    names.remove("");
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_room_is_documented_and_keeps_to_its_arrows() {
    let documented = documented();
    let mut faults = Vec::new();
    for (room, uses) in actual() {
        let Some(allowed) = documented.get(&room) else {
            faults.push(format!("{room} is not in the table"));
            continue;
        };
        let Some(allowed) = allowed else { continue };
        for used in uses.iter().filter(|used| **used != room && !allowed.contains(*used)) {
            faults.push(format!("{room} uses {used}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_documented_room_exists() {
    let actual = actual();
    let missing: Vec<_> = documented().into_keys().filter(|room| !actual.contains_key(room)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use osloconf::{Given, Kind, Overrides};

use super::{Loaded, Program, all_options};

/// Every setting that holds a number, in text.
fn numbers(file: &Path, content: &str) -> String {
    fs::write(file, content).unwrap();
    let given = [Given::File(file.to_owned())];
    let loaded = Loaded::read(Program::Api, &given, Overrides::new(), Path::new("/nonexistent")).unwrap();
    let listener = (loaded.listener(9292).unwrap(), loaded.workers().unwrap());
    let metadata = (loaded.database().unwrap(), loaded.registry_or_default().unwrap());
    let data = (loaded.images().unwrap(), loaded.stores().unwrap(), loaded.cache().unwrap());
    format!("{listener:#?} {metadata:#?} {data:#?} {:#?}", loaded.scrubber().unwrap())
}

#[test]
fn an_empty_number_is_its_default() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("glance-api.conf");
    let unset = "[DEFAULT]\nimage_cache_dir = /cache\ndaemon = True\ncleanup_scrubber = True\n".to_owned();
    let mut empty = unset.clone();
    for option in all_options().iter().filter(|option| matches!(option.kind, Kind::Int | Kind::Port)) {
        write!(empty, "[{}]\n{} =\n", option.group, option.name).unwrap();
    }
    assert!(empty.contains("image_size_cap =") && empty.contains("api_limit_max ="), "{empty}");
    assert_eq!(numbers(&file, &empty), numbers(&file, &unset));
}

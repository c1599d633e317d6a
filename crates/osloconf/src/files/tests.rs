//! Which files are read, in which order, and what is refused (configuration §1.1).

use std::fs::{create_dir_all, write};

use super::*;

/// A search place with the files named, each empty.
fn place(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(path, "").unwrap();
    }
    dir
}

fn search(places: &[&tempfile::TempDir]) -> Search {
    Search::in_dirs(places.iter().map(|place| place.path().to_owned()))
}

const NAMES: &[&str] = &["glance", "glance-api"];

fn file(dir: &tempfile::TempDir, name: &str) -> Given {
    Given::File(dir.path().join(name))
}

#[test]
fn each_default_name_comes_from_the_first_place_that_has_it() {
    let one = place(&["glance-api.conf", "glance-api.conf.d/b.conf"]);
    let two = place(&["glance.conf", "glance-api.conf", "glance.conf.d/a.conf", "glance-api.conf.d/c.conf"]);
    let found = ConfigFiles::resolve(search(&[&one, &two]), &[], NAMES).unwrap();
    let (one, two) = (one.path(), two.path());
    let expected = [
        two.join("glance.conf"),
        one.join("glance-api.conf"),
        two.join("glance.conf.d/a.conf"),
        one.join("glance-api.conf.d/b.conf"),
    ];
    assert_eq!(found.paths(), expected);
}

#[test]
fn nothing_found_by_default_is_no_error() {
    let empty = place(&["glance.conf/x", "glance.conf.d"]);
    assert!(ConfigFiles::resolve(search(&[&empty]), &[], NAMES).unwrap().paths().is_empty());
}

#[test]
fn given_files_replace_default_files_but_not_default_directories() {
    let dir = place(&["glance.conf", "glance.conf.d/a.conf", "mine.conf"]);
    let found = ConfigFiles::resolve(search(&[&dir]), &[file(&dir, "mine.conf")], NAMES).unwrap();
    assert_eq!(found.paths(), [dir.path().join("glance.conf.d/a.conf"), dir.path().join("mine.conf")]);
}

#[test]
fn a_given_directory_replaces_default_directories_but_not_default_files() {
    let dir = place(&["glance.conf", "glance.conf.d/a.conf", "mine/a.conf"]);
    let found = ConfigFiles::resolve(search(&[&dir]), &[Given::Dir(dir.path().join("mine"))], NAMES).unwrap();
    assert_eq!(found.paths(), [dir.path().join("glance.conf"), dir.path().join("mine/a.conf")]);
    assert_eq!(found.main_path(), Some(&*dir.path().join("glance.conf")));
}

#[test]
fn given_files_and_directories_are_taken_left_to_right() {
    let dir = place(&["b.conf", "a.conf", "d/z.conf"]);
    let given = [file(&dir, "b.conf"), Given::Dir(dir.path().join("d")), file(&dir, "a.conf")];
    let found = ConfigFiles::resolve(Search::default(), &given, NAMES).unwrap();
    let expected = ["b.conf", "d/z.conf", "a.conf"].map(|name| dir.path().join(name));
    assert_eq!(found.paths(), expected);
}

#[test]
fn a_directory_gives_its_conf_files_in_byte_order() {
    let dir = place(&["d/b.conf", "d/B.conf", "d/a.conf~", "d/.h.conf", "d/é.conf", "d/sub.conf/x.conf", "d/10.conf"]);
    let found = ConfigFiles::resolve(Search::default(), &[Given::Dir(dir.path().join("d"))], &[]).unwrap();
    let expected = ["d/10.conf", "d/B.conf", "d/b.conf", "d/é.conf"].map(|name| dir.path().join(name));
    assert_eq!(found.paths(), expected);
}

#[test]
fn all_missing_files_are_named_at_once() {
    let dir = place(&["there.conf"]);
    let given = [file(&dir, "a"), file(&dir, "there.conf"), file(&dir, "b")];
    let error = ConfigFiles::resolve(Search::default(), &given, NAMES).unwrap_err();
    let path = dir.path().display();
    assert_eq!(error.to_string(), format!("Failed to find some config files: {path}/a,{path}/b"));
}

#[test]
fn what_is_there_but_no_readable_file_is_refused() {
    let dir = place(&["plain.conf"]);
    let path = dir.path().display();
    let refusal = |given| ConfigFiles::resolve(Search::default(), &[given], NAMES).unwrap_err().to_string();
    assert_eq!(refusal(file(&dir, "")), format!("Failed to read config file {path}/: is a directory"));
    let below = refusal(file(&dir, "plain.conf/below"));
    assert!(below.starts_with(&format!("Failed to read config file {path}/plain.conf/below: ")), "{below}");
    let missing = refusal(Given::Dir(dir.path().join("none")));
    assert!(missing.starts_with(&format!("Failed to read config directory {path}/none: ")), "{missing}");
    let no_dir = refusal(Given::Dir(dir.path().join("plain.conf")));
    assert!(no_dir.starts_with(&format!("Failed to read config directory {path}/plain.conf: ")), "{no_dir}");
}

#[test]
fn companions_are_found_near_the_config_before_the_search_places() {
    let places = place(&["all", "standard", "glance.conf.d/x.conf"]);
    let first = place(&["first.conf", "all", "dir", "last", "first"]);
    let last = place(&["last.conf", "all", "dir", "last"]);
    let conf_d = place(&["all", "dir"]);
    let given = [file(&first, "first.conf"), Given::Dir(conf_d.path().to_owned()), file(&last, "last.conf")];
    let files = ConfigFiles::resolve(search(&[&places]), &given, NAMES).unwrap();
    assert_eq!(files.find("all"), Some(conf_d.path().join("all")));
    assert_eq!(files.find("dir"), Some(conf_d.path().join("dir")));
    assert_eq!(files.find("last"), Some(last.path().join("last")));
    assert_eq!(files.find("first"), Some(first.path().join("first")));
    assert_eq!(files.find("standard"), Some(places.path().join("standard")));
    assert_eq!(files.find("nowhere"), None);
    let absolute = places.path().join("all");
    assert_eq!(files.find(&absolute), Some(absolute));
}

#[test]
fn home_comes_before_etc_and_a_tilde_means_it() {
    let home = place(&[".glance/glance.conf", "glance.conf", "glance-api.conf", "x.conf"]);
    let standard = || Search::standard("glance", Some(home.path().to_owned()));
    let found = ConfigFiles::resolve(standard(), &[], NAMES).unwrap();
    assert_eq!(found.paths()[..2], [home.path().join(".glance/glance.conf"), home.path().join("glance-api.conf")]);
    let given = [Given::File("~/x.conf".into()), Given::Dir("~/.glance".into())];
    let found = ConfigFiles::resolve(standard(), &given, NAMES).unwrap();
    assert_eq!(found.paths(), [home.path().join("x.conf"), home.path().join(".glance/glance.conf")]);
    let places = ["/etc/glance", "/etc", "./etc"].map(PathBuf::from);
    assert_eq!(Search::standard("glance", None).dirs, places);
}

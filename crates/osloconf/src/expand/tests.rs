//! What `$name` finds (configuration §1.5), asked through a whole configuration.

use crate::{Conf, ConfigFiles, Opt, Overrides};

const PATH: Opt = Opt::str("DEFAULT", "path").default("${root}/db");
const ROOT: Opt = Opt::str("DEFAULT", "root").default("/var").deprecated(&[("DEFAULT", "old_root")]);
const GROUP_PATH: Opt = Opt::str("g", "path");
const GROUP_PORT: Opt = Opt::int("g", "port").default("$base");
const EMPTY: Opt = Opt::str("g", "empty");
const LIST: Opt = Opt::list("g", "list");
const DICT: Opt = Opt::dict("g", "dict");

/// A configuration from `(group, name, value)`.
fn conf(values: &[(&str, &str, &str)]) -> Conf {
    let overrides: Overrides = values
        .iter()
        .map(|(group, name, value)| ((group.to_string(), name.to_string()), vec![value.to_string()]))
        .collect();
    let registry = [&PATH, &ROOT, &GROUP_PATH, &GROUP_PORT, &EMPTY, &LIST, &DICT];
    Conf::load(&registry, ConfigFiles::default(), [("", ""); 0], overrides).unwrap()
}

fn path(conf: &Conf) -> String {
    conf.str(&PATH).unwrap().unwrap()
}

#[test]
fn defaults_refer_to_defaults_and_to_set_values() {
    assert_eq!(path(&conf(&[])), "/var/db");
    assert_eq!(path(&conf(&[("DEFAULT", "root", "/srv")])), "/srv/db");
    assert_eq!(path(&conf(&[("DEFAULT", "old_root", "/old")])), "/old/db");
}

#[test]
fn the_same_group_comes_before_default() {
    let read = |values: &[_]| conf(values).str(&GROUP_PATH).unwrap().unwrap();
    assert_eq!(read(&[("g", "path", "$root")]), "/var");
    assert_eq!(read(&[("g", "path", "$root"), ("g", "root", "/g")]), "/g");
    assert_eq!(read(&[("g", "path", "${DEFAULT.path}")]), "/var/db");
    assert_eq!(path(&conf(&[("DEFAULT", "path", "${G.path}"), ("g", "path", "x")])), "x");
}

#[test]
fn an_option_without_value_is_empty_and_an_undeclared_one_may_be_used() {
    assert_eq!(path(&conf(&[("DEFAULT", "path", "[${g.empty}]")])), "[]");
    assert_eq!(path(&conf(&[("DEFAULT", "path", "$mine"), ("DEFAULT", "mine", "x$root")])), "x/var");
}

#[test]
fn every_kind_expands_before_it_converts() {
    let conf = conf(&[("DEFAULT", "base", "9191"), ("g", "list", "$root,b"), ("g", "dict", "$root:${base}")]);
    assert_eq!(conf.int(&GROUP_PORT).unwrap(), Some(9191));
    assert_eq!(conf.list(&LIST).unwrap(), ["/var", "b"]);
    assert_eq!(conf.dict(&DICT).unwrap(), [("/var".to_owned(), "9191".to_owned())]);
}

#[test]
fn an_unknown_name_stays_and_is_reported() {
    let conf = conf(&[("DEFAULT", "path", "p$word/${other}")]);
    assert_eq!(path(&conf), "p$word/${other}");
    let references: Vec<_> = conf.unresolved().into_iter().map(|found| (found.name, found.reference)).collect();
    let expected = [("path", "word"), ("path", "other"), ("port", "base")];
    assert_eq!(references, expected.map(|(name, reference)| (name, reference.to_owned())));
}

#[test]
fn a_circle_is_an_error_not_a_hang() {
    for (root, through) in [("$root", "root"), ("${path}", "root"), ("$g.path", "root")] {
        let conf = conf(&[("DEFAULT", "root", root), ("g", "path", "$root")]);
        let message = conf.str(&ROOT).unwrap_err().to_string();
        let expected = format!(
            "Value for option root from the command line is not valid: '{root}' refers back to itself through ${through}"
        );
        assert_eq!(message, expected);
        assert!(conf.validate(&[&ROOT]).is_err());
        assert_eq!(conf.dump()[1].values[0].0, root);
        assert!(conf.unresolved().iter().all(|found| found.name == "port"));
    }
}

#[test]
fn the_same_option_twice_is_no_circle() {
    assert_eq!(path(&conf(&[("DEFAULT", "path", "$root$root")])), "/var/var");
}

//! Which source wins (configuration §1.3, §1.6, §1.7).

use super::*;

/// Two files, the second over the first.
fn sources(first: &str, second: &str, environment: &[(&str, &str)], overrides: &[(Name<'_>, &str)]) -> Sources {
    let dir = tempfile::tempdir().unwrap();
    let paths = [dir.path().join("1.conf"), dir.path().join("2.conf")];
    std::fs::write(&paths[0], first).unwrap();
    std::fs::write(&paths[1], second).unwrap();
    let mut given = Overrides::new();
    for ((group, name), value) in overrides {
        given.entry((group.to_string(), name.to_string())).or_default().push(value.to_string());
    }
    let (sources, faults) = Sources::load(&paths, environment.iter().copied(), given);
    assert!(faults.is_empty(), "{faults:?}");
    sources
}

fn single<'a>(sources: &'a Sources, names: &[Name<'a>]) -> Option<&'a str> {
    sources.single(names).map(|hit| hit.value)
}

fn all<'a>(sources: &'a Sources, names: &[Name<'a>]) -> Vec<&'a str> {
    sources.all(names).into_iter().map(|hit| hit.value).collect()
}

const A: Name<'_> = ("DEFAULT", "a");
const OLD: Name<'_> = ("g", "old");

#[test]
fn the_later_line_and_the_later_file_win() {
    let found = sources("[DEFAULT]\na = 1\na = 2\nb = 3\n", "[DEFAULT]\na = 4\n[x]\n[DEFAULT]\na = 5\n", &[], &[]);
    assert_eq!(single(&found, &[A]), Some("5"));
    assert_eq!(single(&found, &[("DEFAULT", "b")]), Some("3"));
    assert_eq!(single(&found, &[("DEFAULT", "c")]), None);
    assert_eq!(all(&found, &[A]), ["1", "2", "4", "5"]);
}

#[test]
fn command_line_beats_environment_beats_files() {
    let env = [("OS_DEFAULT__A", "env"), ("OS_A", "no"), ("DEFAULT__A", "no")];
    let file = "[DEFAULT]\na = file\n";
    let found = sources(file, "", &env, &[(A, "cli1"), (A, "cli2")]);
    assert_eq!(single(&found, &[A]), Some("cli2"));
    assert_eq!(all(&found, &[A]), ["cli1", "cli2"]);
    let found = sources(file, "", &env, &[]);
    assert_eq!(single(&found, &[A]), Some("env"));
    assert_eq!(all(&found, &[A]), ["env"]);
    assert_eq!(found.single(&[A]).unwrap().origin, Origin::Environment("OS_DEFAULT__A".to_owned()));
}

#[test]
fn the_current_name_wins_within_a_source_only() {
    let both = "[DEFAULT]\na = new\n[g]\nold = former\n";
    assert_eq!(single(&sources(both, "", &[], &[]), &[A, OLD]), Some("new"));
    let later = sources(both, "[g]\nold = later\n", &[], &[]);
    assert_eq!(single(&later, &[A, OLD]), Some("later"));
    assert_eq!(later.single(&[A, OLD]).unwrap().name, OLD);
    assert_eq!(all(&later, &[A, OLD]), ["new", "former", "later"]);
    assert_eq!(single(&sources(both, "", &[("OS_G__OLD", "env")], &[]), &[A, OLD]), Some("env"));
    assert_eq!(single(&sources(both, "", &[("OS_G__OLD", "env")], &[(OLD, "cli")]), &[A, OLD]), Some("cli"));
}

#[test]
fn groups_may_have_any_case_except_default() {
    let found = sources("[Paste_Deploy]\nflavor = x\n[default]\na = 1\n[g]\nA = 2\n", "", &[], &[]);
    assert_eq!(single(&found, &[("paste_deploy", "flavor")]), Some("x"));
    assert_eq!(single(&found, &[A]), None);
    assert_eq!(single(&found, &[("g", "a")]), None);
    assert_eq!(single(&found, &[("g", "A")]), Some("2"));
}

#[test]
fn percent_keys_come_from_the_section_or_default_of_the_same_file() {
    let first = "[DEFAULT]\ndir = /d\nother = o\nlog = %(dir)s/x %% %(asctime)s\nplain = 5%% %(asctime)s\n";
    let second = "[g]\nother = mine\nuse = %(other)s\nfar = %(dir)s\nself = %(self)s\n";
    let found = sources(first, second, &[], &[]);
    assert_eq!(single(&found, &[("DEFAULT", "log")]), Some("/d/x % %(asctime)s"));
    assert_eq!(single(&found, &[("DEFAULT", "plain")]), Some("5%% %(asctime)s"));
    assert_eq!(single(&found, &[("g", "use")]), Some("mine"));
    assert_eq!(single(&found, &[("g", "far")]), Some("%(dir)s"));
    let same = sources("[DEFAULT]\nother = o\n[g]\nuse = %(other)s\nself = <%(self)s>\n", "", &[], &[]);
    assert_eq!(single(&same, &[("g", "use")]), Some("o"));
    assert_eq!(single(&same, &[("g", "self")]), Some("<%(self)s>"));
}

#[test]
fn undecodable_environment_matters_only_for_options() {
    use std::os::unix::ffi::OsStringExt;
    let junk = || OsString::from_vec(vec![0xff]);
    let load = |name: &str| Sources::load(&[], [(OsString::from(name), junk())], Overrides::new()).1;
    assert!(load("PATH").is_empty());
    assert!(Sources::load(&[], [(junk(), junk())], Overrides::new()).1.is_empty());
    let message = load("OS_DEFAULT__A")[0].to_string();
    assert_eq!(message, "Environment variable OS_DEFAULT__A is not valid UTF-8");
}

#[test]
fn origins_read_well_in_a_sentence() {
    assert_eq!(Origin::CommandLine.to_string(), "the command line");
    assert_eq!(Origin::Environment("OS_G__A".into()).to_string(), "environment variable OS_G__A");
    assert_eq!(Origin::File { path: "/etc/x.conf".into(), line: 7 }.to_string(), "/etc/x.conf:7");
    assert_eq!(Origin::Default.to_string(), "its default");
}

//! The configuration as a program sees it: getters, errors and reports.

use super::*;

static PORT: Opt = Opt::port("DEFAULT", "bind_port").default("9292");
static WORKERS: Opt = Opt::int("DEFAULT", "workers").default("4").min(0);
static DEBUG: Opt = Opt::bool("DEFAULT", "debug");
static RATE: Opt = Opt::float("DEFAULT", "rate").default("0.5");
static LOG_FILE: Opt = Opt::str("DEFAULT", "log_file").deprecated(&[("DEFAULT", "logfile")]);
static FLAVOR: Opt = Opt::str("paste_deploy", "flavor").default("plain").empty_is_unset();
static DRIVERS: Opt =
    Opt::multi("notify", "driver").default("noop").deprecated(&[("DEFAULT", "notifier")]).empty_is_unset();
static LANGS: Opt = Opt::list("DEFAULT", "langs");
static STORES: Opt = Opt::dict("DEFAULT", "stores");
static PASSWORD: Opt = Opt::str("db", "password").secret();
static URL: Opt = Opt::str("db", "url").choices(&["x"]);
static KEY: Opt = Opt::int("db", "key").secret();

const ALL: [&Opt; 12] =
    [&PORT, &WORKERS, &DEBUG, &RATE, &LOG_FILE, &FLAVOR, &DRIVERS, &LANGS, &STORES, &PASSWORD, &URL, &KEY];

struct Fixture {
    dir: tempfile::TempDir,
    conf: Conf,
}

/// A configuration read from one file per text, named 0.conf and up.
fn fixture(texts: &[&str]) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let mut given = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = dir.path().join(format!("{index}.conf"));
        std::fs::write(&path, text).unwrap();
        given.push(crate::Given::File(path));
    }
    let files = ConfigFiles::resolve(crate::Search::default(), &given, &[]).unwrap();
    Fixture { conf: Conf::load(&ALL, files, [("", ""); 0], Overrides::new()).unwrap(), dir }
}

fn conf(text: &str) -> Conf {
    fixture(&[text]).conf
}

#[test]
fn nothing_set_gives_the_defaults() {
    let conf = conf("");
    assert_eq!(conf.port(&PORT).unwrap(), Some(9292));
    assert_eq!(conf.int(&WORKERS).unwrap(), Some(4));
    assert!(!conf.bool(&DEBUG).unwrap());
    assert_eq!(conf.float(&RATE).unwrap(), Some(0.5));
    assert_eq!(conf.str(&LOG_FILE).unwrap(), None);
    assert_eq!(conf.multi(&DRIVERS).unwrap(), ["noop"]);
    assert!(conf.list(&LANGS).unwrap().is_empty());
    assert!(conf.dict(&STORES).unwrap().is_empty());
    assert!(ALL.iter().all(|opt| !conf.is_set(opt)));
    assert!(conf.validate(&ALL).is_ok());
}

#[test]
fn set_values_replace_the_defaults() {
    let conf = conf(
        "[DEFAULT]\nbind_port = 1\nworkers = 2\ndebug = on\nrate = 3\nlangs = a,b\nstores = a:file\nlog_file =\n\
         [notify]\ndriver = one,two\ndriver = three\n",
    );
    assert_eq!(conf.port(&PORT).unwrap(), Some(1));
    assert_eq!(conf.int(&WORKERS).unwrap(), Some(2));
    assert!(conf.bool(&DEBUG).unwrap());
    assert_eq!(conf.float(&RATE).unwrap(), Some(3.0));
    assert_eq!(conf.str(&LOG_FILE).unwrap().as_deref(), Some(""));
    assert_eq!(conf.multi(&DRIVERS).unwrap(), ["one,two", "three"]);
    assert_eq!(conf.list(&LANGS).unwrap(), ["a", "b"]);
    assert_eq!(conf.dict(&STORES).unwrap(), [("a".to_owned(), "file".to_owned())]);
    assert!(conf.is_set(&DRIVERS) && conf.is_set(&PORT) && !conf.is_set(&FLAVOR));
}

#[test]
fn an_empty_number_is_null_and_counts_as_set() {
    let conf = conf("[DEFAULT]\nworkers =\nbind_port =\nrate =\n");
    assert_eq!(conf.int(&WORKERS).unwrap(), None);
    assert_eq!(conf.port(&PORT).unwrap(), None);
    assert_eq!(conf.float(&RATE).unwrap(), None);
    assert!(conf.is_set(&WORKERS));
}

#[test]
fn empty_may_mean_unset_and_then_hides_earlier_files() {
    let conf = fixture(&["[paste_deploy]\nflavor = x\n", "[paste_deploy]\nflavor =\n[notify]\ndriver =\n"]).conf;
    assert_eq!(conf.str(&FLAVOR).unwrap().as_deref(), Some("plain"));
    assert!(!conf.is_set(&FLAVOR) && !conf.is_set(&DRIVERS));
    assert_eq!(conf.multi(&DRIVERS).unwrap(), ["noop"]);
}

#[test]
fn a_bad_value_is_told_with_option_group_origin_and_type() {
    let found = fixture(&["[DEFAULT]\nbind_port = abc\n[db]\nurl = y\n"]);
    let path = found.dir.path().join("0.conf");
    let path = path.display();
    assert_eq!(
        found.conf.port(&PORT).unwrap_err().to_string(),
        format!("Value for option bind_port from {path}:2 is not valid: 'abc' is not an integer")
    );
    assert_eq!(
        found.conf.str(&URL).unwrap_err().to_string(),
        format!("Value for option url in group [db] from {path}:4 is not valid: 'y' is not one of x")
    );
}

#[test]
fn validate_reports_every_bad_value_at_once() {
    let conf = conf("[DEFAULT]\nbind_port = 65536\nworkers = -1\ndebug = maybe\nrate = x\nlangs = [\nstores = a\n");
    let errors = conf.validate(&ALL).unwrap_err();
    let options: Vec<_> = errors.iter().map(|error| error.to_string().split(' ').nth(3).unwrap().to_owned()).collect();
    assert_eq!(options, ["bind_port", "workers", "debug", "rate", "stores"]);
    assert!(conf.validate(&[&LANGS, &FLAVOR]).is_ok());
}

#[test]
fn secrets_stay_out_of_errors_and_dumps() {
    let conf = conf("[db]\nkey = geheim\npassword = geheim\nurl = my://$password\n");
    let errors = conf.validate(&ALL).unwrap_err();
    assert_eq!(errors.len(), 2);
    for error in &errors {
        let text = format!("{error} {error:?}");
        assert!(text.contains("'****'") && !text.contains("geheim"), "{text}");
    }
    let dump = conf.dump();
    assert!(!format!("{dump:?} {conf:?}").contains("geheim"));
    let shown = |name| dump.iter().find(|line| line.name == name).unwrap().values.first().map(|(value, _)| &**value);
    assert_eq!(shown("password"), Some("****"));
    assert_eq!(shown("url"), Some("****"));
    assert_eq!(shown("log_file"), None);
    assert_eq!(shown("bind_port"), Some("9292"));
}

#[test]
fn half_a_password_is_not_reported_as_a_name() {
    let found = conf("[db]\npassword = pa$geheim\nurl = my://$password\n").unresolved();
    assert_eq!(
        found.iter().map(|found| (found.name, &*found.reference)).collect::<Vec<_>>(),
        [("password", "****"), ("url", "****")]
    );
}

#[test]
fn a_dump_covers_the_registry_and_names_the_places() {
    let found = fixture(&["[notify]\ndriver = a\n", "\n[notify]\ndriver = http://u:geheim@h\n"]);
    let dump = found.conf.dump();
    assert_eq!(dump.len(), ALL.len());
    let at = |name, line| Origin::File { path: found.dir.path().join(name), line };
    let values = vec![("a".to_owned(), at("0.conf", 2)), ("http://u:****@h".to_owned(), at("1.conf", 3))];
    assert!(dump.contains(&Dumped { group: "notify", name: "driver", values, ignored: None }), "{dump:?}");
    let default = vec![("9292".to_owned(), Origin::Default)];
    assert!(dump.contains(&Dumped { group: "DEFAULT", name: "bind_port", values: default, ignored: None }), "{dump:?}");
}

#[test]
fn former_names_work_and_are_reported() {
    let found = fixture(&["[DEFAULT]\nlogfile = x\nnotifier = old\nnotifier = older\n[notify]\ndriver = new\n"]);
    assert_eq!(found.conf.str(&LOG_FILE).unwrap().as_deref(), Some("x"));
    assert_eq!(found.conf.multi(&DRIVERS).unwrap(), ["new", "old", "older"]);
    let warnings: Vec<_> = found.conf.deprecations().iter().map(ToString::to_string).collect();
    let path = found.dir.path().join("0.conf");
    let log_file = format!(
        "Option \"logfile\" from group \"DEFAULT\" in {}:2 is deprecated. Use option \"log_file\" from group \"DEFAULT\".",
        path.display()
    );
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert_eq!(warnings[0], log_file);
}

#[test]
fn a_former_name_that_loses_is_not_reported() {
    assert!(conf("[DEFAULT]\nlogfile = x\nlog_file = y\n").deprecations().is_empty());
}

#[test]
fn every_key_in_a_file_is_told_with_its_line() {
    let found = fixture(&["[DEFAULT]\nlogfile = x\nnope = 1\n\nnope = 2\n", "[Other]\nnope = 3\n"]);
    let told: Vec<_> = found.conf.settings().map(|at| (at.path.to_owned(), at.line, at.group, at.name)).collect();
    let path = |name| found.dir.path().join(name);
    let expected = [
        (path("0.conf"), 2, "DEFAULT", "logfile"),
        (path("0.conf"), 3, "DEFAULT", "nope"),
        (path("0.conf"), 5, "DEFAULT", "nope"),
        (path("1.conf"), 2, "Other", "nope"),
    ];
    assert_eq!(told, expected);
    assert_eq!(found.conf.files(), [path("0.conf"), path("1.conf")]);
}

#[test]
fn what_has_no_effect_is_neither_deprecated_nor_unresolved() {
    static IGNORED: Opt = Opt::str("DEFAULT", "a").deprecated(&[("DEFAULT", "b")]).ignored("it is a test");
    let mut conf = conf("[DEFAULT]\nb = $c\n");
    conf.registry = vec![IGNORED];
    assert!(conf.deprecations().is_empty() && conf.unresolved().is_empty());
    assert_eq!(conf.dump()[0].ignored, Some("it is a test"));
}

#[test]
fn a_survey_goes_on_after_what_cannot_be_used() {
    let dir = tempfile::tempdir().unwrap();
    let paths = ["0.conf", "1.conf"].map(|name| dir.path().join(name));
    std::fs::write(&paths[0], "early = 1\n[DEFAULT]\nbroken\nbind_port = 80\n[open\n").unwrap();
    std::fs::write(&paths[1], b"\xff\n").unwrap();
    let given = paths.clone().map(crate::Given::File);
    let files = ConfigFiles::resolve(crate::Search::default(), &given, &[]).unwrap();
    let (conf, faults) = Conf::survey(&ALL, files, [("", ""); 0], Overrides::new());
    assert_eq!(conf.port(&PORT).unwrap(), Some(80));
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let at = |path: &PathBuf, line: usize| format!("{}:{line}: ", path.display());
    let places = [at(&paths[0], 1), at(&paths[0], 3), at(&paths[0], 5), at(&paths[1], 1)];
    assert_eq!(told.len(), places.len(), "{told:?}");
    assert!(told.iter().zip(&places).all(|(told, place)| told.starts_with(place)), "{told:?}");
}

#[test]
fn companions_lie_beside_the_files() {
    let found = fixture(&[""]);
    let policy = found.dir.path().join("policy.json");
    assert_eq!(found.conf.find_file("policy.json"), None);
    std::fs::write(&policy, "{}").unwrap();
    assert_eq!(found.conf.find_file("policy.json"), Some(policy));
}

#[test]
fn an_option_can_move_to_a_group_named_at_run_time() {
    let conf = conf("[Fast]\ndatadir = /fast\n");
    static DATADIR: Opt = Opt::str("glance_store", "datadir");
    assert_eq!(conf.str(&DATADIR).unwrap(), None);
    assert_eq!(conf.str(&DATADIR.in_group("Fast")).unwrap().as_deref(), Some("/fast"));
}

#[test]
fn a_file_that_breaks_the_syntax_stops_the_load() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.conf");
    std::fs::write(&path, "[DEFAULT]\nbroken\n").unwrap();
    let files = ConfigFiles::resolve(crate::Search::default(), &[crate::Given::File(path)], &[]).unwrap();
    let message = Conf::load(&ALL, files, [("", ""); 0], Overrides::new()).unwrap_err().to_string();
    assert!(message.ends_with("x.conf:2: no ':' or '=' found in assignment"), "{message}");
}

//! The PasteDeploy dialect (configuration §2.1, v1-cache §9).

use super::*;

fn read(text: &str) -> (tempfile::TempDir, Result<PasteFile>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x-paste.ini");
    std::fs::write(&path, text).unwrap();
    let file = PasteFile::read(&path);
    (dir, file)
}

fn good(text: &str) -> PasteFile {
    read(text).1.unwrap()
}

const ESSEX: &str = "\
# Use this pipeline for no auth
[pipeline:glance-api]
pipeline = versionnegotiation context
    # cache
    cache

    apiv1app

[app:apiv1app]
paste.app_factory = glance.common.wsgi:app_factory
glance.app_factory =
    glance.api.v1.router:API

[filter:authtoken]
paste.filter_factory = keystone.middleware.auth_token:filter_factory
auth_port: 35357
url = http://h:%(auth_port)s/100%%/%7Ex
";

#[test]
fn pipelines_apps_and_filters_are_found_by_kind_and_name() {
    let file = good(ESSEX);
    let pipeline = file.section("pipeline", "glance-api").unwrap();
    let names: Vec<_> = pipeline.get("pipeline").unwrap().split_whitespace().collect();
    assert_eq!(names, ["versionnegotiation", "context", "cache", "apiv1app"]);
    let app = file.section("app", "apiv1app").unwrap();
    assert_eq!(app.get("glance.app_factory"), Some("glance.api.v1.router:API"));
    let keys: Vec<_> = file.section("filter", "authtoken").unwrap().iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["paste.filter_factory", "auth_port", "url"]);
    assert_eq!(file.section("filter", "authtoken").unwrap().get("url"), Some("http://h:35357/100%/%7Ex"));
    assert!(file.section("app", "authtoken").is_none());
    let order: Vec<_> = file.sections().iter().map(|section| section.kind.as_str()).collect();
    assert_eq!(order, ["pipeline", "app", "filter"]);
}

#[test]
fn a_section_inherits_default_and_may_set_over_it() {
    let file =
        good("[filter:f]\nset level = 2\nown = 3\n[DEFAULT]\nlevel = 0\nlevel = 1\nown = 0\n[app:a]\nx = %(level)s\n");
    let filter = file.section("filter", "f").unwrap();
    assert_eq!(filter.get("level"), Some("2"));
    assert_eq!(filter.get("own"), Some("3"));
    assert_eq!(filter.iter().collect::<Vec<_>>(), [("own", "3")]);
    let app = file.section("app", "a").unwrap();
    assert_eq!((app.get("level"), app.get("x"), app.get("none")), (Some("1"), Some("1"), None));
}

#[test]
fn here_is_the_directory_of_the_file() {
    let (dir, file) = read("[DEFAULT]\nbase = %(here)s/b\n[app:a]\nconf = %(base)s/c\nuse = config:%(here)s/o.ini\n");
    let file = file.unwrap();
    let app = file.section("app", "a").unwrap();
    let here = dir.path().display();
    assert_eq!(app.get("conf").unwrap(), format!("{here}/b/c"));
    assert_eq!(app.get("use").unwrap(), format!("config:{here}/o.ini"));
    assert_eq!(app.get("here").unwrap(), here.to_string());
    assert_eq!(file.path(), dir.path().join("x-paste.ini"));
}

#[test]
fn a_percent_sign_in_the_directory_is_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("50%(x)s");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("p.ini"), "[app:a]\nv = %(here)s\n").unwrap();
    let file = PasteFile::read(path.join("p.ini")).unwrap();
    assert_eq!(file.section("app", "a").unwrap().get("v").unwrap(), path.display().to_string());
}

#[test]
fn headers_may_have_blanks_or_no_name_or_come_twice() {
    let file =
        good("[composite: api ]\nuse = egg:Paste#urlmap\n/: root\n/v2: one\n[composite: api ]\n/v2: two\n[app]\na=b\n");
    let api = file.section("composite", "api").unwrap();
    let pairs: Vec<_> = api.iter().collect();
    assert_eq!(pairs, [("use", "egg:Paste#urlmap"), ("/", "root"), ("/v2", "two")]);
    assert_eq!(file.section("app", "main").unwrap().get("a"), Some("b"));
    assert_eq!(file.sections().len(), 2);
}

#[test]
fn a_reference_to_nothing_or_itself_is_refused_by_name() {
    for (text, section, key, reason) in [
        ("[app:a]\nx = %(y)s\n", "app:a", "x", "there is no key for %(y)s"),
        ("[DEFAULT]\nx = %(x)s\n", "DEFAULT", "x", "%(x)s leads back to itself"),
        ("[DEFAULT]\nx = 1\n[app:a]\nx = %(x)s\n", "app:a", "x", "%(x)s leads back to itself"),
    ] {
        let (dir, file) = read(text);
        let path = dir.path().join("x-paste.ini");
        let expected = format!("Value for {key} in section [{section}] of {} is not valid: {reason}", path.display());
        assert_eq!(file.unwrap_err().to_string(), expected);
    }
}

#[test]
fn bad_syntax_and_a_missing_file_are_refused() {
    let (dir, file) = read("[app:a]\nnonsense\n");
    let message = file.unwrap_err().to_string();
    assert!(message.ends_with("x-paste.ini:2: no ':' or '=' found in assignment"), "{message}");
    assert!(matches!(PasteFile::read(dir.path().join("none")), Err(Error::ReadFile { .. })));
}

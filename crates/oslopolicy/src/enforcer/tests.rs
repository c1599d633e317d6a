use std::thread;

use tempfile::TempDir;

use super::*;
use crate::facts::{Creds, Target};

const DEFAULTS: &[(&str, &str)] = &[("default", "!"), ("get_image", "@"), ("add_image", "!")];

/// A policy file in a directory of its own, and its enforcer.
struct Fixture {
    path: PathBuf,
    enforcer: Enforcer,
    _dir: TempDir,
}

impl Fixture {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policy.yaml");
        fs::write(&path, text).unwrap();
        let enforcer = Enforcer::new(defaults(), Some(path.clone()), Vec::new(), |_| ()).unwrap();
        Self { path, enforcer, _dir: dir }
    }

    fn ask(&self, rule: &str) -> Result<bool, Error> {
        allowed(&self.enforcer, rule)
    }

    /// Replaces the file by another, so that the inode tells them apart however
    /// coarse the clock of the file system is.
    fn replace(&self, text: &str) {
        let next = self.path.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, &self.path).unwrap();
    }
}

fn allowed(enforcer: &Enforcer, rule: &str) -> Result<bool, Error> {
    let verdict = enforcer.judge(rule, &Target::default(), &Creds::default(), &Answers::default())?;
    Ok(verdict == Verdict::Permitted)
}

fn defaults() -> Rules {
    Rules::new(DEFAULTS, "default")
}

#[test]
fn without_a_file_the_defaults_rule() {
    let enforcer = Enforcer::new(defaults(), None, Vec::new(), |_| ()).unwrap();
    for (rule, expected) in [("get_image", true), ("add_image", false), ("other", false)] {
        let allowed = allowed(&enforcer, rule);
        assert_eq!(allowed.unwrap(), expected, "{rule}");
    }
}

#[test]
fn the_file_overrides_the_defaults() {
    let policy = Fixture::new("get_image: '!'\nnew: '@'\n");
    assert!(!policy.ask("get_image").unwrap());
    assert!(!policy.ask("add_image").unwrap());
    assert!(policy.ask("new").unwrap());
}

#[test]
fn an_edited_file_counts_at_once() {
    let policy = Fixture::new("add_image: '@'\n");
    assert!(policy.ask("add_image").unwrap());
    policy.replace("add_image: '!'\n");
    assert!(!policy.ask("add_image").unwrap());
    policy.replace("get_image: '!'\n");
    assert!(!policy.ask("get_image").unwrap());
    // A rule taken out of the file falls back to its default.
    policy.replace("{}\n");
    assert!(policy.ask("get_image").unwrap());
}

#[test]
fn an_edit_in_place_is_seen_by_its_size() {
    let policy = Fixture::new("add_image: '@'\n");
    assert!(policy.ask("add_image").unwrap());
    fs::write(&policy.path, "add_image: '!' # closed\n").unwrap();
    assert!(!policy.ask("add_image").unwrap());
}

#[test]
fn an_unchanged_file_is_not_read_again() {
    let policy = Fixture::new("get_image: '@'\n");
    let before = policy.enforcer.rules().unwrap();
    let after = policy.enforcer.rules().unwrap();
    assert!(Arc::ptr_eq(&before, &after));
}

#[test]
fn a_file_gone_bad_is_an_error_until_mended() {
    let policy = Fixture::new("get_image: '@'\n");
    policy.replace("get_image: [\n");
    for _ in 0..2 {
        let error = policy.ask("get_image").unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error}");
        assert!(error.to_string().contains("policy.yaml"), "{error}");
    }
    fs::remove_file(&policy.path).unwrap();
    let error = policy.ask("get_image").unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
    policy.replace("get_image: '!'\n");
    assert!(!policy.ask("get_image").unwrap());
}

#[test]
fn a_bad_file_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("policy.json");
    let start = || Enforcer::new(defaults(), Some(path.clone()), Vec::new(), |_| ()).unwrap_err();
    assert!(matches!(start(), Error::Read { .. }));
    for bytes in [&b"["[..], b"[]", b"{\"a\": 1}"] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(start(), Error::Format { .. }), "{bytes:?}");
    }
    fs::write(&path, b"\xff\xfe").unwrap();
    assert!(matches!(start(), Error::Read { .. }));
}

#[test]
fn faults_are_told_whenever_rules_are_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("policy.yaml");
    let put = |text: &str| {
        fs::write(path.with_extension("next"), text).unwrap();
        fs::rename(path.with_extension("next"), &path).unwrap();
    };
    put("a: foo\n");
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&told);
    let tell = move |warning: &Warning| hears.lock().unwrap().push(warning.rule.clone());
    let enforcer = Enforcer::new(defaults(), Some(path.clone()), Vec::new(), tell).unwrap();
    assert_eq!(*told.lock().unwrap(), ["a"]);
    put("b: bar\n");
    enforcer.rules().unwrap();
    enforcer.rules().unwrap();
    assert_eq!(*told.lock().unwrap(), ["a", "b"]);
}

#[test]
fn a_directory_may_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let later = dir.path().join("policy.d");
    let enforcer = Enforcer::new(defaults(), None, vec![later.clone()], |_| ()).unwrap();
    assert!(!allowed(&enforcer, "add_image").unwrap());
    fs::create_dir(&later).unwrap();
    fs::write(later.join("10.yaml"), "add_image: '@'\n").unwrap();
    assert!(allowed(&enforcer, "add_image").unwrap());
    fs::remove_dir_all(&later).unwrap();
    assert!(!allowed(&enforcer, "add_image").unwrap());
}

#[test]
fn threads_share_one_enforcer() {
    let policy = Fixture::new("add_image: '@'\n");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert!(policy.ask("add_image").unwrap());
                }
            });
        }
        for _ in 0..20 {
            policy.replace("add_image: '@'\n");
        }
    });
}

#[test]
fn directories_lie_on_top_of_the_file_and_are_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
    fs::create_dir_all(path("policy.d/deeper")).unwrap();
    write("policy.yaml", "get_image: '!'\nadd_image: '@'\n");
    write("policy.d/20.yaml", "get_image: '@'\n");
    write("policy.d/10.yaml", "get_image: '!'\nmore: '@'\n");
    write("policy.d/.hidden", "no policy");
    write("policy.d/deeper/30.yaml", "get_image: '!'\n");
    let enforcer = Enforcer::new(defaults(), Some(path("policy.yaml")), vec![path("policy.d")], |_| ()).unwrap();
    let ask = |rule: &str| allowed(&enforcer, rule).unwrap();
    assert_eq!((ask("get_image"), ask("add_image"), ask("more")), (true, true, true));
    write("policy.d/next", "get_image: '!'\n");
    fs::rename(path("policy.d/next"), path("policy.d/20.yaml")).unwrap();
    assert!(!ask("get_image"));
    write("policy.d/40.yaml", "get_image: '@'\n");
    assert!(ask("get_image"));
    fs::remove_file(path("policy.d/40.yaml")).unwrap();
    fs::remove_file(path("policy.d/20.yaml")).unwrap();
    assert!(!ask("get_image"));
    std::os::unix::fs::symlink(path("nowhere"), path("policy.d/45.yaml")).unwrap();
    assert!(!ask("get_image"));
    write("policy.d/50.yaml", "[no policy");
    assert!(allowed(&enforcer, "more").is_err());
}

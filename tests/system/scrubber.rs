//! `glance-scrubber` (v1-system §8).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::harness::{Conf, Gander, Setup, execute, five_kb};

/// An API that leaves deletion to the scrubber, and the registry that the scrubber asks.
struct Scene {
    api: Gander,
    _registry: Gander,
    conf: PathBuf,
}

fn scene(scrub_time: u64) -> Scene {
    let registry = Setup::registry().start();
    let setup = Setup::api("").unset("sql_connection").set("registry_host", "127.0.0.1");
    let setup = setup.set("registry_port", registry.port()).set("delayed_delete", "True").set("scrub_time", scrub_time);
    let api = setup.start();
    let mut conf = Conf::default();
    conf.set("log_file", api.path("scrubber.log").display());
    conf.set("scrubber_datadir", api.path("scrubber").display());
    conf.set("registry_host", "127.0.0.1");
    conf.set("registry_port", registry.port());
    let file = api.path("glance-scrubber.conf");
    fs::write(&file, conf.text()).unwrap();
    Scene { api, _registry: registry, conf: file }
}

#[track_caller]
fn scrub(conf: &Path) {
    let outcome = execute(&format!("bin/glance-scrubber --config-file {}", conf.display()));
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

/// Adds and deletes an image; its id.
fn deleted(api: &Gander) -> String {
    let id = api.client().add_image("Image1");
    api.client().delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(api.client().meta(&id, "status").as_deref(), Some("pending_delete"));
    id
}

#[test]
fn one_run_deletes_what_is_due() {
    let scene = scene(0);
    let id = deleted(&scene.api);
    scrub(&scene.conf);
    assert!(!scene.api.path("images").join(&id).exists());
    assert!(!scene.api.path("scrubber").join(&id).exists());
    assert_eq!(scene.api.client().meta(&id, "status").as_deref(), Some("deleted"));
}

#[test]
fn what_is_not_due_stays() {
    let scene = scene(1000);
    let id = deleted(&scene.api);
    scrub(&scene.conf);
    assert_eq!(fs::read(scene.api.path("images").join(&id)).unwrap(), five_kb());
    assert!(scene.api.path("scrubber").join(&id).exists());
    assert_eq!(scene.api.client().meta(&id, "status").as_deref(), Some("pending_delete"));
}

#[test]
fn lost_data_does_not_stop_a_run() {
    let scene = scene(0);
    let (lost, there) = (deleted(&scene.api), deleted(&scene.api));
    fs::remove_file(scene.api.path("images").join(&lost)).unwrap();
    scrub(&scene.conf);
    for id in [&lost, &there] {
        assert_eq!(scene.api.client().meta(id, "status").as_deref(), Some("deleted"));
    }
    assert!(!scene.api.path("images").join(there).exists());
}

#[test]
fn an_order_of_another_server_is_carried_out() {
    let scene = scene(1000);
    let id = deleted(&scene.api);
    let order = scene.api.path("scrubber").join(&id);
    let due = SystemTime::now() - Duration::from_secs(60);
    let seconds = due.duration_since(UNIX_EPOCH).unwrap().as_secs();
    fs::write(&order, format!("file://{}\n{seconds}", scene.api.path("images").join(&id).display())).unwrap();
    fs::File::options().write(true).open(&order).unwrap().set_modified(due).unwrap();
    scrub(&scene.conf);
    assert!(!scene.api.path("images").join(&id).exists());
    assert!(!order.exists());
}

#[test]
fn a_malformed_order_does_not_stop_a_run() {
    let scene = scene(0);
    let id = deleted(&scene.api);
    fs::create_dir_all(scene.api.path("scrubber")).unwrap();
    fs::write(scene.api.path("scrubber/00000000-0000-0000-0000-000000000000"), "nonsense").unwrap();
    scrub(&scene.conf);
    assert!(!scene.api.path("images").join(&id).exists());
}

#[test]
fn with_nothing_to_do_a_run_succeeds() {
    let scene = scene(0);
    scrub(&scene.conf);
}

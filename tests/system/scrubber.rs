//! `glance-scrubber` (v1-system §8).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::harness::{Conf, Gander, Origin, Outcome, Setup, eventually, execute, five_kb, gander_command};

/// An API that leaves deletion to the scrubber, and whom the scrubber asks for metadata.
struct Scene {
    api: Gander,
    _registry: Option<Gander>,
    conf: PathBuf,
}

/// API and scrubber ask a registry.
fn scene(scrub_time: u64) -> Scene {
    scene_with(Setup::registry(), scrub_time, &[])
}

fn scene_with(registry: Setup, scrub_time: u64, options: &[(&str, &str)]) -> Scene {
    let registry = registry.start();
    let setup = Setup::api("").unset("sql_connection").set("registry_host", "127.0.0.1");
    let api = delaying(setup.set("registry_port", registry.port()), scrub_time);
    let port = registry.port().to_string();
    let mut all = vec![("registry_host", "127.0.0.1"), ("registry_port", port.as_str())];
    all.extend(options);
    let conf = write_conf(&api, &all);
    Scene { api, _registry: Some(registry), conf }
}

/// API and scrubber share a database, which knows several locations of an image.
fn scene_on_a_database() -> Scene {
    let api = delaying(Setup::api(""), 0);
    let conf = write_conf(&api, &[("sql_connection", api.database().url())]);
    Scene { api, _registry: None, conf }
}

fn delaying(setup: Setup, scrub_time: u64) -> Gander {
    setup.set("delayed_delete", "True").set("scrub_time", scrub_time).start()
}

fn write_conf(api: &Gander, options: &[(&str, &str)]) -> PathBuf {
    let mut conf = Conf::default();
    conf.set("log_file", api.path("scrubber.log").display());
    conf.set("scrubber_datadir", api.path("scrubber").display());
    for (name, value) in options {
        conf.set(name, value);
    }
    let file = api.path("glance-scrubber.conf");
    fs::write(&file, conf.text()).unwrap();
    file
}

impl Scene {
    fn status(&self, id: &str) -> Option<String> {
        self.api.client().meta(id, "status")
    }

    fn data(&self, id: &str) -> PathBuf {
        self.api.path("images").join(id)
    }

    fn order(&self, id: &str) -> PathBuf {
        self.api.path("scrubber").join(id)
    }

    /// One run that reports these numbers.
    #[track_caller]
    fn scrubs(&self, images: usize, failed: usize) {
        let before = self.log().len();
        scrub(&self.conf);
        let log = self.log().split_off(before);
        assert!(log.contains(&format!("scrubbed {images} images, {failed} failed")), "{log}");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.api.path("scrubber.log")).unwrap_or_default()
    }
}

fn run_scrubber(conf: &Path) -> Outcome {
    execute(&format!("bin/glance-scrubber --config-file {}", conf.display()))
}

#[track_caller]
fn scrub(conf: &Path) {
    let outcome = run_scrubber(conf);
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

#[test]
fn data_that_cannot_be_removed_stays_in_the_queue() {
    let scene = scene(0);
    let (stuck, free) = (deleted(&scene.api), deleted(&scene.api));
    // A directory cannot be removed as a file, not even by root.
    fs::remove_file(scene.data(&stuck)).unwrap();
    fs::create_dir(scene.data(&stuck)).unwrap();
    scene.scrubs(1, 1);
    assert_eq!(scene.status(&stuck).as_deref(), Some("pending_delete"));
    assert_eq!(scene.status(&free).as_deref(), Some("deleted"));
    assert!(scene.order(&stuck).exists() && !scene.order(&free).exists());

    fs::remove_dir(scene.data(&stuck)).unwrap();
    fs::write(scene.data(&stuck), five_kb()).unwrap();
    scene.scrubs(1, 0);
    assert_eq!(scene.status(&stuck).as_deref(), Some("deleted"));
    assert!(!scene.order(&stuck).exists() && !scene.data(&stuck).exists());
}

#[test]
fn an_order_for_a_store_without_a_driver_is_kept() {
    let scene = scene(0);
    let id = "71c675ab-d94f-49cd-a114-e12490b328d9";
    fs::create_dir_all(scene.api.path("scrubber")).unwrap();
    fs::write(scene.order(id), "s3://key:secret@host/bucket/object\n1").unwrap();
    scene.scrubs(0, 1);
    assert!(scene.order(id).exists());
    assert!(!scene.log().contains("secret"), "{}", scene.log());
}

#[test]
fn data_of_a_read_only_store_is_left_where_it_is() {
    let scene = scene(0);
    let origin = Origin::serving(&five_kb());
    let http = scene.api.client();
    let id = http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    http.delete(&format!("/v1/images/{id}")).expect(200);
    assert_eq!(scene.status(&id).as_deref(), Some("pending_delete"));
    scene.scrubs(1, 0);
    assert_eq!(scene.status(&id).as_deref(), Some("deleted"));
    assert!(!scene.order(&id).exists());
}

#[test]
fn all_locations_of_an_image_are_scrubbed() {
    let scene = scene_on_a_database();
    let id = scene.api.client().add_image("Image1");
    let second = scene.api.path("images").join(format!("{id}.second"));
    fs::write(&second, five_kb()).unwrap();
    scene.api.rows(&format!(
        "INSERT INTO image_locations (image_id, value, created_at, updated_at, deleted, meta_data, status)
         SELECT image_id, 'file://{}', created_at, updated_at, deleted, meta_data, status FROM image_locations",
        second.display()
    ));
    scene.api.client().delete(&format!("/v1/images/{id}")).expect(200);
    scene.scrubs(1, 0);
    assert_eq!(scene.status(&id).as_deref(), Some("deleted"));
    assert!(!scene.data(&id).exists() && !second.exists());
}

#[test]
fn what_only_the_database_tells_of_is_scrubbed_when_it_is_due() {
    let scene = scene_on_a_database();
    let [old, young] = [(); 2].map(|()| deleted(&scene.api));
    // Glance gives no orders.
    for id in [&old, &young] {
        fs::remove_file(scene.order(id)).unwrap();
    }
    let ordered = deleted(&scene.api);
    fs::write(scene.order(&ordered), format!("file://{}\n{}", scene.data(&ordered).display(), u64::MAX)).unwrap();
    scene.api.rows(&format!("UPDATE images SET deleted_at = '2026-01-01 00:00:00.000000' WHERE id <> '{young}'"));
    let conf = write_conf(&scene.api, &[("sql_connection", scene.api.database().url()), ("scrub_time", "1000")]);
    assert_eq!(conf, scene.conf);
    scene.scrubs(1, 0);
    assert_eq!(scene.status(&old).as_deref(), Some("deleted"));
    assert!(!scene.data(&old).exists());
    assert_eq!(scene.api.rows(&format!("SELECT status FROM image_locations WHERE image_id = '{old}'")), ["deleted"]);
    for waiting in [&young, &ordered] {
        assert_eq!(scene.status(waiting).as_deref(), Some("pending_delete"));
        assert!(scene.data(waiting).exists());
    }
}

#[test]
fn an_order_for_an_image_in_use_is_not_carried_out() {
    let scene = scene(0);
    let id = scene.api.client().add_image("Image1");
    fs::create_dir_all(scene.api.path("scrubber")).unwrap();
    fs::write(scene.order(&id), format!("file://{}\n1", scene.data(&id).display())).unwrap();
    scene.scrubs(0, 1);
    assert_eq!(scene.api.client().download(&id), five_kb());
}

#[test]
fn orders_that_cannot_be_read_do_not_stop_a_run() {
    let scene = scene(0);
    let id = deleted(&scene.api);
    fs::create_dir_all(scene.order("00000000-0000-0000-0000-000000000001/folder")).unwrap();
    fs::write(scene.order("00000000-0000-0000-0000-000000000002"), [0xff, b'\n', b'1']).unwrap();
    let never = scene.order("00000000-0000-0000-0000-000000000003");
    fs::write(&never, format!("file:///x\n{}", u64::MAX)).unwrap();
    scene.scrubs(1, 0);
    assert!(!scene.data(&id).exists() && never.exists());
}

#[test]
fn an_image_whose_order_was_lost_is_found_by_the_clean_up() {
    let options = [("cleanup_scrubber", "True"), ("cleanup_scrubber_time", "0")];
    // Pages shorter than what is asked for are not the last.
    let scene = scene_with(Setup::registry().set("api_limit_max", 1), 1000, &options);
    let lost: Vec<_> = (0..3).map(|_| deleted(&scene.api)).collect();
    let waiting = deleted(&scene.api);
    for id in &lost {
        fs::remove_file(scene.order(id)).unwrap();
    }
    // The first run only takes note.
    scene.scrubs(0, 0);
    scene.scrubs(3, 0);
    for id in &lost {
        assert_eq!(scene.status(id).as_deref(), Some("deleted"));
        assert!(!scene.data(id).exists());
    }
    assert_eq!(scene.status(&waiting).as_deref(), Some("pending_delete"));
    assert!(scene.data(&waiting).exists() && scene.order(&waiting).exists());
}

#[test]
fn a_daemon_outlives_a_failed_run() {
    let scene = scene(0);
    let (queue, aside) = (scene.api.path("scrubber"), scene.api.path("aside"));
    let id = deleted(&scene.api);
    fs::rename(&queue, &aside).unwrap();
    fs::write(&queue, "not a directory").unwrap();
    let outcome = run_scrubber(&scene.conf);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains(queue.to_str().unwrap()), "{outcome:?}");

    let conf = write_daemon_conf(&scene);
    let mut command = gander_command();
    let _daemon = Daemon(command.args(["scrubber", "--config-file"]).arg(conf).stderr(Stdio::null()).spawn().unwrap());
    let log = || fs::read_to_string(scene.api.path("daemon.log")).unwrap_or_default();
    let limit = Duration::from_secs(10);
    eventually("a run fails", limit, || log().contains("Unable to use the scrubber's queue"));
    fs::remove_file(&queue).unwrap();
    fs::rename(&aside, &queue).unwrap();
    eventually("the next run does the work", limit, || scene.status(&id).as_deref() == Some("deleted"));
}

/// A scrubber that runs again and again; dropped, it is killed.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The configuration of a scene, for a daemon with a log of its own.
fn write_daemon_conf(scene: &Scene) -> PathBuf {
    let text = fs::read_to_string(&scene.conf).unwrap().replace("scrubber.log", "daemon.log");
    let file = scene.api.path("daemon.conf");
    fs::write(&file, text.replacen("[DEFAULT]", "[DEFAULT]\ndaemon = True\nwakeup_time = 1", 1)).unwrap();
    file
}

#[test]
fn several_images_at_the_same_time() {
    let scene = scene_with(Setup::registry(), 0, &[("scrub_pool_size", "3")]);
    let ids: Vec<String> = (0..5).map(|_| deleted(&scene.api)).collect();
    scene.scrubs(5, 0);
    for id in &ids {
        assert_eq!(scene.status(id).as_deref(), Some("deleted"));
        assert!(!scene.data(id).exists() && !scene.order(id).exists());
    }
}

#[test]
fn an_image_can_be_brought_back_before_its_data_is_gone() {
    let scene = scene_on_a_database();
    let id = deleted(&scene.api);
    let restore =
        |id: &str| execute(&format!("bin/glance-scrubber --config-file {} --restore {id}", scene.conf.display()));
    assert_eq!(restore(&id).code, Some(0));
    assert!(!scene.order(&id).exists());
    scene.scrubs(0, 0);
    let http = scene.api.client();
    assert_eq!(http.get(&format!("/v1/images/{id}")).expect(200).body, five_kb());
    assert!(http.ids("/v1/images").contains(&id));
    let again = restore(&id);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("cannot restore the image from active to active"), "{again:?}");
    // It can be deleted and scrubbed as any other.
    http.delete(&format!("/v1/images/{id}")).expect(200);
    scene.scrubs(1, 0);
    assert!(!scene.data(&id).exists());
    assert!(restore(&id).stderr.contains("cannot restore the image from deleted to active"));
}

#[test]
fn nobody_is_brought_back_while_a_scrubber_is_at_work() {
    let scene = scene_on_a_database();
    let id = deleted(&scene.api);
    let lock = fs::File::create(scene.api.path("scrubber").join(".lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockShared).unwrap();
    let outcome = execute(&format!("bin/glance-scrubber --config-file {} --restore {id}", scene.conf.display()));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("while a scrubber is at work"), "{outcome:?}");
    assert!(scene.order(&id).exists());
}

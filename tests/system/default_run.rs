//! `gander` without a configuration file: embedded defaults below one data directory.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::harness::{Client, answers, eventually, gander_command, is_open, skipped};

/// A server on port 9292; dropped, it is killed.
struct Default(Child);

impl Drop for Default {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it with everything below this directory; its first line.
fn start(home: &Path) -> (Default, String) {
    let mut command = gander_command();
    command.env("HOME", home).env("XDG_DATA_HOME", home.join("data")).current_dir(home);
    let log = home.join("stderr");
    command.stderr(fs::File::create(&log).unwrap());
    let mut server = Default(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(fs::read_to_string(log).unwrap(), "", "the line is the first that somebody sees");
    (server, line)
}

/// The port is fixed, so there is one test for everything.
#[test]
fn without_configuration_it_serves_and_caches_on_port_9292() {
    if is_open(9292) {
        skipped("somebody else serves port 9292");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (server, line) = start(home.path());
    assert!(line.contains("9292"), "{line}");
    eventually("it accepts connections", Duration::from_secs(10), || answers(9292));
    let http = Client::new("127.0.0.1", 9292);
    let id = http.add_image("Image1");
    http.download(&id);
    http.download(&id);
    assert_eq!(http.cached(), [(id.clone(), 1)]);

    // Everybody is the admin of the one project there is; tokens mean nothing.
    let http = http.with("X-Auth-Token", "notused");
    let image = http.get(&format!("/v2/images/{id}")).expect(200).json();
    assert_eq!((&image["owner"], &image["status"]), (&"admin".into(), &"active".into()));
    http.get(&format!("/v2/images/{id}/file")).expect(200);
    http.delete("/v2/cache").expect(204);
    assert_eq!(http.cached(), []);
    drop(server);

    // What was stored is there after a restart, and all of it below the home directory.
    let (_server, _) = start(home.path());
    eventually("it accepts connections", Duration::from_secs(10), || answers(9292));
    assert_eq!(http.ids("/v1/images"), [id]);
    assert!(fs::read_dir(home.path()).unwrap().count() > 0);
}

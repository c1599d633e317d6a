//! `TestRespawn`: `glance-control --respawn` keeps a server alive, unless it dies at birth.

use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::harness::{Servers, answers, eventually, is_open};

/// A launcher in the foreground; dropped, it is killed.
struct Launcher(Child);

impl Drop for Launcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(servers: &Servers) -> Launcher {
    servers.write_files();
    Launcher(servers.control_command("api", "start", "--respawn").spawn().unwrap())
}

const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn test_respawn() {
    let servers = Servers::new("127.0.0.1");
    let mut launcher = start(&servers);
    eventually("the API accepts connections", LIMIT, || answers(servers.api_port));
    eventually("the pid file is written", LIMIT, || servers.pid("api").is_some());
    let first = servers.pid("api").unwrap();
    // A server that dies within a second is not respawned.
    let born = std::fs::metadata(servers.pid_file("api")).unwrap().modified().unwrap();
    eventually("the server is no newborn", LIMIT, || born.elapsed().unwrap() > Duration::from_millis(1100));

    kill_process_group(Pid::from_raw(first).unwrap(), Signal::KILL).unwrap();
    eventually("another server is there", LIMIT, || servers.pid("api").is_some_and(|pid| pid != first));
    eventually("it accepts connections", LIMIT, || answers(servers.api_port));
    servers.client().get("/").expect(300);

    let outcome = servers.control("api", "stop", "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    eventually("the server is gone", LIMIT, || !is_open(servers.api_port));
    eventually("the launcher gives up", LIMIT, || launcher.0.try_wait().unwrap().is_some());
    assert!(!is_open(servers.api_port));
}

#[test]
fn test_bouncing() {
    let servers = Servers::new("127.0.0.1").set("default_store", "shouldnotexist");
    let mut launcher = start(&servers);
    eventually("the launcher gives up", LIMIT, || launcher.0.try_wait().unwrap().is_some());
    assert!(servers.pid_file("api").exists());
    assert!(!is_open(servers.api_port));
}

//! `TestLogging`: what the log files hold, and their rotation.

use std::fs;

use crate::harness::Servers;

#[test]
fn test_verbose_debug() {
    let servers = Servers::new("127.0.0.1").start();
    assert!(servers.log("api").contains("DEBUG [glance-api]"), "{}", servers.log("api"));
    assert!(servers.log("registry").contains("DEBUG [glance-registry]"), "{}", servers.log("registry"));
    servers.stop();
}

#[test]
fn test_no_verbose_no_debug() {
    let servers = Servers::new("127.0.0.1").set("debug", "False").set("verbose", "False").start();
    for server in ["api", "registry"] {
        assert!(servers.path(&format!("{server}.log")).exists());
        assert!(!servers.log(server).contains("DEBUG"), "{}", servers.log(server));
    }
    servers.stop();
}

#[test]
fn test_logrotate() {
    let servers = Servers::new("127.0.0.1").start();
    assert!(!servers.log("api").is_empty());
    fs::rename(servers.path("api.log"), servers.path("api.log.1")).unwrap();
    servers.client().get("/").expect(300);
    assert!(!servers.log("api").is_empty());
    servers.stop();
}

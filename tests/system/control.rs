//! `glance-control` (v1-system §4).

use std::fs;
use std::time::Duration;

use crate::harness::{Servers, answers, eventually, execute, free_port, is_open};

const LIMIT: Duration = Duration::from_secs(5);

/// Servers of which only the registry is started: it needs nobody else.
fn registry() -> Servers {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    servers.start_one("registry");
    eventually("it accepts connections", LIMIT, || answers(servers.registry_port));
    servers
}

#[test]
fn the_launcher_tells_what_it_starts_with_which_file() {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    let outcome = servers.control("registry", "start", "");
    let conf = servers.path("etc/registry.conf");
    assert!(outcome.stdout.contains(&format!("Starting glance-registry with {}", conf.display())), "{outcome:?}");
    eventually("it accepts connections", LIMIT, || answers(servers.registry_port));
}

#[test]
fn the_pid_file_holds_the_leader_of_a_process_group() {
    let servers = registry();
    let pid = servers.pid("registry").unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // State, parent, group, session (proc(5)).
    assert_eq!((fields[2], fields[3]), (pid.to_string().as_str(), pid.to_string().as_str()));
    assert_eq!(fs::read_to_string(servers.pid_file("registry")).unwrap(), format!("{pid}\n"));
}

#[test]
fn what_runs_is_not_started_twice() {
    let servers = registry();
    let pid = servers.pid("registry");
    let outcome = servers.control("registry", "start", "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let expected = format!("glance-registry appears to already be running: {}", servers.pid_file("registry").display());
    assert!(outcome.stdout.contains(&expected), "{outcome:?}");
    assert_eq!(servers.pid("registry"), pid);
}

#[test]
fn a_stale_pid_file_is_replaced() {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    // Beyond the largest process id of Linux.
    fs::write(servers.pid_file("registry"), "4194305\n").unwrap();
    let outcome = servers.control("registry", "start", "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let expected = format!("Removing stale pid file {}", servers.pid_file("registry").display());
    assert!(outcome.stdout.contains(&expected), "{outcome:?}");
    eventually("it accepts connections", LIMIT, || answers(servers.registry_port));
    assert_ne!(servers.pid("registry"), Some(4_194_305));
}

#[test]
fn stop_says_whom_it_signals_and_removes_the_pid_file() {
    let servers = registry();
    let pid = servers.pid("registry").unwrap();
    let outcome = servers.control("registry", "stop", "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains(&format!("Stopping glance-registry  pid: {pid}  signal: 15")), "{outcome:?}");
    assert!(!servers.pid_file("registry").exists());
    eventually("it is gone", LIMIT, || !is_open(servers.registry_port));
}

#[test]
fn stopping_what_does_not_run_succeeds() {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    let outcome = servers.control("registry", "stop", "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("No glance-registry running"), "{outcome:?}");
    fs::write(servers.pid_file("registry"), "4194305\n").unwrap();
    let outcome = servers.control("registry", "stop", "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("Process 4194305 not running"), "{outcome:?}");
}

#[test]
fn a_shutdown_is_graceful() {
    let servers = registry();
    let outcome = servers.control("registry", "shutdown", "");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("signal: 1"), "{outcome:?}");
    eventually("it is gone", LIMIT, || !is_open(servers.registry_port));
}

#[test]
fn restart_and_reload_bring_another_process() {
    let servers = registry();
    for command in ["restart", "reload", "force-reload"] {
        let before = servers.pid("registry");
        let outcome = servers.control("registry", command, "");
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_ne!(servers.pid("registry"), before, "{command}");
        eventually("it answers", LIMIT, || answers(servers.registry_port));
    }
}

#[test]
fn the_name_of_a_server_may_be_long_and_upper_case() {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    let (conf, pid) = (servers.path("etc/registry.conf"), servers.pid_file("registry"));
    for name in ["glance-registry", "REGISTRY"] {
        let line = |command: &str| {
            format!("./bin/glance-control --pid-file={} {name} {command} {}", pid.display(), conf.display())
        };
        let outcome = execute(&line("start"));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.contains("Starting glance-registry with"), "{outcome:?}");
        eventually("it accepts connections", LIMIT, || answers(servers.registry_port));
        assert_eq!(execute(&line("stop")).code, Some(0));
        eventually("it is gone", LIMIT, || !is_open(servers.registry_port));
    }
}

#[test]
fn unknown_servers_and_commands_are_errors() {
    let outcome = execute("./bin/glance-control foo start");
    assert_eq!(outcome.code, Some(1));
    let expected =
        "Unknown server 'glance-foo' specified. Please specify all, or one of the servers: api, registry, scrubber";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    let outcome = execute("./bin/glance-control api foo");
    assert_eq!(outcome.code, Some(1));
    let expected = "Unknown command foo specified. Please specify a command in this list: \
                    start, stop, shutdown, restart, reload, force-reload";
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
    let outcome = execute("./bin/glance-control api");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stdout.to_lowercase().contains("usage"), "{outcome:?}");
}

#[test]
fn waiting_and_respawning_exclude_each_other() {
    let outcome = execute("./bin/glance-control api start --await-child=1 --respawn");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("--await-child and --respawn are mutually exclusive"), "{outcome:?}");
}

#[test]
fn the_directory_of_the_pid_file_is_made() {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    let pid_file = servers.path("run/deep/registry.pid");
    let conf = servers.path("etc/registry.conf");
    let line = |command: &str| {
        format!("./bin/glance-control registry {command} {} --pid-file={}", conf.display(), pid_file.display())
    };
    assert_eq!(execute(&line("start")).code, Some(0));
    assert!(pid_file.exists());
    assert_eq!(execute(&line("stop")).code, Some(0));
    let blocked =
        execute(&format!("./bin/glance-control registry start {} --pid-file=/dev/null/x/pid", conf.display()));
    assert_eq!(blocked.code, Some(1));
    assert!(blocked.stderr.contains("Unable to create /dev/null/x."), "{blocked:?}");
}

#[test]
fn a_server_that_lives_is_not_waited_for_to_die() {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    let outcome = servers.control("registry", "start", "--await-child=1");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(is_open(servers.registry_port));
    assert!(!is_open(free_port()));
}

#[test]
fn the_common_options_reach_the_server() {
    let servers = Servers::new("127.0.0.1");
    servers.write_files();
    let (logging, further) = (servers.path("logging.conf"), servers.path("further"));
    fs::write(&logging, "[loggers]\nkeys = root\n").unwrap();
    fs::create_dir(&further).unwrap();
    let log = servers.path("further.log");
    fs::write(further.join("log.conf"), format!("[DEFAULT]\nlog_file = {}\n", log.display())).unwrap();
    let line = format!(
        "./bin/glance-control registry start --pid-file={} --config-file={} --config-dir={} --log-config={} --data-dir={}",
        servers.pid_file("registry").display(),
        servers.path("etc/registry.conf").display(),
        further.display(),
        logging.display(),
        servers.path("data").display(),
    );
    let outcome = execute(&line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    eventually("it accepts connections", LIMIT, || answers(servers.registry_port));
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains(&format!("{} is not interpreted", logging.display())), "{log}");
}

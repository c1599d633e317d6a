//! Configuration errors are told in one line, with exit code 1, before a port opens (v1-system §2, §5).

use std::fs;

use crate::harness::{Outcome, Setup, gander_command, is_open, run};

/// One line on stderr that contains these words, and exit code 1.
#[track_caller]
fn one_line(outcome: &Outcome, words: &[&str]) {
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let lines: Vec<_> = outcome.stderr.trim_end().lines().collect();
    assert_eq!(lines.len(), 1, "{outcome:?}");
    assert!(lines[0].starts_with("ERROR: "), "{outcome:?}");
    for word in words {
        assert!(lines[0].contains(word), "{word}: {outcome:?}");
    }
}

#[test]
fn a_missing_file_is_named() {
    for program in ["api", "registry", "scrubber"] {
        let outcome = run(gander_command().args([program, "--config-file", "/nonexistent/glance.conf"]));
        one_line(&outcome, &["/nonexistent/glance.conf"]);
    }
}

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_option() {
    for (option, value) in [("bind_port", "many"), ("workers", "two"), ("delayed_delete", "perhaps"), ("backlog", "-x")]
    {
        let setup = Setup::api("").set(option, value);
        let port = setup.port();
        one_line(&setup.run_to_end(), &[option, value]);
        assert!(!is_open(port));
    }
}

#[test]
fn a_port_out_of_range_is_an_error() {
    for port in ["65536", "-1"] {
        one_line(&Setup::api("").set("bind_port", port).run_to_end(), &["bind_port"]);
    }
}

#[test]
fn a_line_that_is_no_option_is_named() {
    let setup = Setup::api("");
    let file = setup.path("broken.conf");
    fs::write(&file, "[DEFAULT]\nthis is not an option\n").unwrap();
    let outcome = run(gander_command().arg("api").arg("--config-file").arg(&file));
    one_line(&outcome, &["broken.conf"]);
}

#[test]
fn a_key_of_the_wrong_length_is_an_error() {
    one_line(&Setup::api("").set("metadata_encryption_key", "short").run_to_end(), &["metadata_encryption_key"]);
}

#[test]
fn an_unknown_flavor_is_named() {
    let outcome = Setup::api("nonsense").run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("glance-api-nonsense"), "{outcome:?}");
}

#[test]
fn a_cache_without_a_directory_is_an_error() {
    let outcome = Setup::api("caching").unset("image_cache_dir").run_to_end();
    one_line(&outcome, &["image_cache_dir"]);
}

#[test]
fn an_unknown_store_ends_with_255() {
    let setup = Setup::api("").set("default_store", "shed");
    let outcome = setup.run_to_end();
    assert_eq!(outcome.code, Some(255), "{outcome:?}");
    assert_eq!(outcome.stderr.trim(), "Default store shed not available on this Glance server");
    assert!(!is_open(setup.port()));
}

#[test]
fn one_half_of_tls_is_an_error() {
    let outcome = Setup::api("").set("cert_file", "/etc/hostname").run_to_end();
    one_line(&outcome, &["cert_file", "key_file"]);
}

#[test]
fn an_unknown_notifier_is_an_error() {
    let outcome = Setup::api("").set("notifier_strategy", "pigeon").run_to_end();
    one_line(&outcome, &["pigeon"]);
}

#[test]
fn an_unknown_digest_is_an_error() {
    let setup = Setup::api("").set("hashing_algorithm", "crc32");
    one_line(&setup.run_to_end(), &["hashing_algorithm", "'crc32'", "sha512"]);
    assert!(!is_open(setup.port()));
}

#[test]
fn options_that_nobody_knows_are_ignored() {
    let gander = Setup::api("").set("colour", "green").start();
    gander.client().get("/v1/images").expect(200);
}

#[test]
fn an_empty_value_is_no_value() {
    let setup = Setup::api("").set("key_file", "").set("cert_file", "").set("swift_store_user", "");
    setup.start().client().get("/v1/images").expect(200);
}

#[test]
fn one_option_may_refer_to_another() {
    let setup = Setup::api("").set("base", "$filesystem_store_datadir/deeper");
    let images = setup.path("images");
    let gander = setup.set("where", images.display()).set("filesystem_store_datadir", "%(where)s").start();
    let id = gander.client().add_image("Image1");
    assert!(images.join(id).is_file());
}

#[test]
fn a_later_file_wins() {
    let setup = Setup::api("");
    let override_file = setup.path("override.conf");
    let elsewhere = setup.path("elsewhere.log");
    fs::write(&override_file, format!("[DEFAULT]\nlog_file = {}\ndefault_store = shed\n", elsewhere.display()))
        .unwrap();
    let outcome = run(setup.command().arg("--config-file").arg(&override_file));
    assert_eq!(outcome.code, Some(255), "{outcome:?}");
}

#[test]
fn secrets_are_not_written_to_the_log() {
    let secret = "0123456789abcdef";
    let setup = Setup::api("").set("metadata_encryption_key", secret).set("s3_store_secret_key", "grandmother");
    let gander = setup.set("swift_store_key", "grandfather").start();
    gander.client().add_image("Image1");
    let log = gander.log();
    assert!(log.contains("DEBUG [glance-api]"), "{log}");
    for secret in [secret, "grandmother", "grandfather"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn an_empty_number_is_its_default() {
    let setup = Setup::api("").set("image_size_cap", "").set("api_limit_max", "").set("limit_param_default", "");
    let http = setup.start();
    let id = http.client().add_image("Image1");
    assert_eq!(http.client().ids("/v1/images"), [id]);
}

#[test]
fn a_logging_configuration_that_is_missing_is_named() {
    let expected = "Unable to locate specified logging config file: /nonexistent/logging.conf";
    for name in ["log_config", "log_config_append"] {
        one_line(&Setup::api("").set(name, "/nonexistent/logging.conf").run_to_end(), &[expected]);
        let option = format!("--{}=/nonexistent/logging.conf", name.replace('_', "-"));
        one_line(&run(Setup::api("").command().arg(option)), &[expected]);
    }
}

#[test]
fn a_logging_configuration_that_exists_is_warned_about() {
    let setup = Setup::api("");
    let file = setup.path("logging.conf");
    fs::write(&file, "[loggers]\nkeys = root\n").unwrap();
    let gander = setup.set("log_config", file.display()).start();
    let log = gander.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("is not interpreted")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("WARNING") && warnings[0].contains("logging.conf"), "{log}");
}

#[test]
fn a_failure_is_told_once_and_logged_where_the_log_is_elsewhere() {
    let setup = Setup::api("").set("default_store", "shed");
    assert_eq!(setup.run_to_end().stderr.lines().count(), 1);
    let log = fs::read_to_string(setup.path("server.log")).unwrap();
    assert_eq!(log.matches("Default store shed not available").count(), 1, "{log}");
    let outcome = setup.unset("log_file").set("debug", "False").run_to_end();
    assert_eq!(outcome.stderr.matches("Default store shed not available").count(), 1, "{outcome:?}");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let outcome = run(Setup::api("").unset("sql_connection").command().args(["--data-dir", "/dev/null/gander"]));
    one_line(&outcome, &["/dev/null/gander"]);
}

/// As Glance under a web server, which is given no command line (configuration §1.1).
#[test]
fn the_environment_may_name_the_directory_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let show = |dir: &str| run(gander_command().args(["config", "show"]).env("OS_GLANCE_CONFIG_DIR", dir));
    let spaced = format!(" {} ", dir.path().display());
    let missing = format!("{}/glance-api.conf", dir.path().display());
    one_line(&show(&spaced), &["Failed to find some config files", &missing]);
    fs::write(&missing, "[DEFAULT]\nbind_port = 1\n").unwrap();
    let import = dir.path().join("glance-image-import.conf");
    fs::write(&import, "[DEFAULT]\nbind_port = 2\nbacklog = 3\n").unwrap();
    let shown = show(&spaced).stdout;
    assert!(shown.contains(&format!("# from {missing}:2\nbind_port = 1\n")), "{shown}");
    assert!(shown.contains(&format!("# from {}:3\nbacklog = 3\n", import.display())), "{shown}");
    // Whoever names a file means it.
    let other = dir.path().join("other.conf");
    fs::write(&other, "[DEFAULT]\nbacklog = 4\n").unwrap();
    let mut command = gander_command();
    command.args(["config", "show", "--config-file"]).arg(&other).env("OS_GLANCE_CONFIG_DIR", dir.path());
    let shown = run(&mut command).stdout;
    assert!(shown.contains("backlog = 4") && !shown.contains("bind_port"), "{shown}");
}

#[test]
fn of_the_database_only_the_password_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("glance-api.conf");
    fs::write(&file, "[database]\nconnection = mysql+pymysql://glance:ge@h/eim@db/glance?charset=utf8&password=x\n")
        .unwrap();
    let shown = run(gander_command().args(["config", "show", "--config-file"]).arg(&file)).stdout;
    assert!(
        shown.contains("connection = mysql+pymysql://glance:****@db/glance?charset=utf8&password=****\n"),
        "{shown}"
    );
}

#[test]
fn without_keepalive_each_request_has_a_connection_of_its_own() {
    use std::io::{Read, Write};
    let setup = Setup::api("").set("http_keepalive", "False").start();
    let mut connection = setup.client().connect();
    connection.write_all(b"GET /versions HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.to_lowercase().contains("connection: close"), "{answer}");
}

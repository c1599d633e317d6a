//! `gander config`: what it tells is what the server does with its configuration (configuration §1, §3).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Outcome, Setup, gander_command, run};

/// A directory with configuration files.
struct Deployment(tempfile::TempDir);

impl Deployment {
    fn new(conf: &str) -> Self {
        let deployment = Self(tempfile::tempdir().unwrap());
        deployment.write("glance-api.conf", conf);
        deployment
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn run(&self, words: &[&str]) -> Outcome {
        run(gander_command().arg("config").args(words).current_dir(self.0.path()))
    }

    /// Exit code and lines of a check, the directory of the files left out.
    fn check(&self, words: &[&str]) -> (Option<i32>, Vec<String>) {
        let outcome = self.run(&[&["check"], words].concat());
        assert_eq!(outcome.stderr, "", "{outcome:?}");
        let here = format!("{}/", self.0.path().display());
        (outcome.code, outcome.stdout.lines().map(|line| line.replace(&here, "")).collect())
    }

    #[track_caller]
    fn finds(&self, code: i32, lines: &[&str]) {
        let expected: Vec<String> = lines.iter().map(|line| format!("glance-api.conf:{line}")).collect();
        assert_eq!(self.check(&["glance-api.conf"]), (Some(code), expected));
    }

    /// What is shown as JSON.
    fn shown(&self, words: &[&str]) -> Vec<Value> {
        let outcome = self.run(&[&["show", "--format", "json", "--config-file", "glance-api.conf"], words].concat());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
        serde_json::from_str(&outcome.stdout).unwrap()
    }
}

fn named<'a>(shown: &'a [Value], group: &str, name: &str) -> Option<&'a Value> {
    shown.iter().find(|option| option["group"] == group && option["name"] == name)
}

fn names_in(dir: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn unknown_options_are_found_with_what_may_be_meant() {
    let deployment = Deployment::new(
        "[DEFAULT]\nbind_prot = 80\ncolour = green\ncolour = blue\nimage-cache-dir = /c\nconnection = x\n\
         [default]\ndebug = true\n[glance_stor]\na = b\n[Database]\nmax_pool_siz = 5\n[heating]\na = b\n",
    );
    deployment.finds(
        0,
        &[
            "2: warning: [DEFAULT] bind_prot: there is no such option; did you mean bind_port?",
            "3: warning: [DEFAULT] colour: there is no such option",
            "5: warning: [DEFAULT] image-cache-dir: there is no such option; did you mean image_cache_dir?",
            "6: warning: [DEFAULT] connection: there is no such option; did you mean [database] connection?",
            "8: warning: [default] debug: there is no such group; did you mean [DEFAULT]?",
            "10: warning: [glance_stor] a: there is no such group; did you mean [glance_store]?",
            "12: warning: [Database] max_pool_siz: there is no such option; did you mean max_pool_size?",
            "14: warning: [heating] a: there is no such group",
        ],
    );
}

#[test]
fn options_without_effect_say_why() {
    let deployment = Deployment::new(
        "[DEFAULT]\nmetadata_source_path = /defs\nuse_stderr = False\npublish_errors = TRUE\n\
         enabled_backends = fast:file, slow:rbd\n[slow]\nrbd_store_pool = p\nstore_description = s\n\
         [keystone_authtoken]\nmemcached_servers = m:11211\ninterface = internal\nregion_name = r\n\
         [oslo_messaging_rabbit]\nssl = true\n[glance_store]\ns3_store_host = h\ndefault_backend = fast\n[oslo_messaging_rabbit]\nheartbeat_rate = 3\n",
    );
    deployment.finds(
        0,
        &[
            "2: warning: [DEFAULT] metadata_source_path: has no effect: metadata definitions are not built yet",
            "4: warning: [DEFAULT] publish_errors: has no effect: this part of logging is not built yet",
            "7: warning: [slow] rbd_store_pool: has no effect: the rbd store is not built yet",
            "10: warning: [keystone_authtoken] memcached_servers: has no effect: each server remembers tokens by itself",
            "14: warning: [oslo_messaging_rabbit] ssl, heartbeat_rate: has no effect: notifying through a message broker is \
             not built yet",
            "16: warning: [glance_store] s3_store_host: has no effect: the s3 store is not built yet",
        ],
    );
}

#[test]
fn each_of_several_stores_has_a_group_of_its_own() {
    let deployment = Deployment::new(
        "[DEFAULT]\nenabled_backends = fast:file, cloud:s3\nnode_staging_uri = file:///s\n\
         [glance_store]\ndefault_backend = fast\nfilesystem_store_datadir = /old\n\
         [fast]\nfilesystem_store_datadri = /x\nweight = 1\nstore_description = d\n[Cloud]\ns3_store_secret_key = canary\n\
         [backend_defaults]\nfilesystem_thin_provisioning = true\nrbd_store_pool = p\nwieght = 2\n\
         [os_glance_staging_store]\nfilesystem_store_datadir = /t\nfilesystem_store_datadirs = /u\n\
         [fast]\nfilesystem_store_timeout = 3\n[backend_defaults]\nhttp_proxy_information = http:h:1\n[glance_store]\nstores = file\n",
    );
    deployment.finds(
        0,
        &[
            "3: warning: [DEFAULT] node_staging_uri: has no effect: with enabled_backends there are groups for it",
            "6: warning: [glance_store] filesystem_store_datadir: has no effect: with enabled_backends there are groups for it",
            "8: warning: [fast] filesystem_store_datadri: there is no such option; did you mean filesystem_store_datadir?",
            "12: warning: [Cloud] s3_store_secret_key: has no effect: the s3 store is not built yet",
            "15: warning: [backend_defaults] rbd_store_pool: has no effect: the rbd store is not built yet",
            "16: warning: [backend_defaults] wieght: there is no such option",
            "19: warning: [os_glance_staging_store] filesystem_store_datadirs: there is no such option; did you mean \
             filesystem_store_datadir?",
            "25: warning: [glance_store] stores: has no effect: with enabled_backends there are groups for it",
        ],
    );
    let shown = deployment.shown(&["--all"]);
    let value = |group, name| named(&shown, group, name).unwrap()["values"].clone();
    assert_eq!(value("cloud", "s3_store_secret_key")[0]["value"], "****");
    assert_eq!(value("fast", "weight")[0]["line"], 9);
    // What counts there stands where it was set.
    assert_eq!(value("fast", "filesystem_thin_provisioning"), json!([]));
    assert_eq!(value("backend_defaults", "filesystem_thin_provisioning")[0]["value"], "true");
    let deployment = Deployment::new(
        "[glance_store]\ndefault_backend = fast\n[fast]\nweight = 1\n[backend_defaults]\nweight = 1\n\
         [os_glance_tasks_store]\nfilesystem_store_datadir = /t\n",
    );
    deployment.finds(
        0,
        &[
            "2: warning: [glance_store] default_backend: has no effect: enabled_backends is not set",
            "4: warning: [fast] weight: there is no such group",
            "6: warning: [backend_defaults] weight: has no effect: enabled_backends is not set",
            "8: warning: [os_glance_tasks_store] filesystem_store_datadir: has no effect: enabled_backends is not set",
        ],
    );
}

#[test]
fn stores_that_cannot_be_are_found() {
    for (conf, finding) in [
        (
            "[DEFAULT]\nenabled_backends = fast:file\n[glance_store]\ndefault_backend = slow\n",
            "4: error: [glance_store] default_backend: Store for identifier slow not found",
        ),
        (
            "[DEFAULT]\nenabled_backends = fast:shed\n[glance_store]\ndefault_backend = fast\n",
            "2: error: [DEFAULT] enabled_backends: 'fast' is of the kind 'shed', of which there is no store",
        ),
        (
            "[DEFAULT]\nenabled_backends = fast:file\n[glance_store]\ndefault_backend = fast\n[fast]\nweight = x\n",
            "6: error: [fast] weight: 'x' is not an integer",
        ),
    ] {
        Deployment::new(conf).finds(1, &[finding]);
    }
}

/// What installers write, and what stood there in 2012.
#[test]
fn files_of_the_field_hold_nothing_unknown() {
    let today = "[DEFAULT]\ndebug = False\nlog_file = /var/log/glance-api.log\nuse_forwarded_for = true\nbind_host = ::\n\
                 bind_port = 9292\nworkers = 5\nenabled_backends = file:file, http:http\ncinder_catalog_info = a:b:c\n\
                 transport_url = rabbit://u:p@h:5672//\nenabled_import_methods = [web-download]\n\
                 [database]\nconnection = sqlite:///x\nconnection_recycle_time = 10\nmax_retries = -1\n\
                 [keystone_authtoken]\nservice_type = image\nwww_authenticate_uri = http://k\nauth_url = http://k\n\
                 auth_type = password\nproject_domain_id = default\nuser_domain_id = default\nproject_name = service\n\
                 username = glance\npassword = p\ncafile =\nregion_name = R\nmemcache_security_strategy = ENCRYPT\n\
                 memcache_secret_key = k\nmemcached_servers = h:11211\nauth_section = service_auth\n\
                 [service_auth]\nauth_url = http://k\nadmin_user = u\n\
                 [paste_deploy]\nflavor =\n[glance_store]\ndefault_backend = file\nstores = file,http\n\
                 [file]\nfilesystem_store_datadir = /v\n[os_glance_tasks_store]\nfilesystem_store_datadir = /v\n\
                 [os_glance_staging_store]\nfilesystem_store_datadir = /s\n[oslo_middleware]\n\
                 enable_proxy_headers_parsing = True\n[oslo_concurrency]\nlock_path = /l\n\
                 [oslo_messaging_notifications]\ntransport_url = rabbit://\ndriver = noop\n\
                 [oslo_messaging_rabbit]\nrabbit_quorum_queue = true\n[cors]\nallowed_origin = *\n\
                 [image_import_opts]\nimage_import_plugins = []\n[oslo_limit]\nauth_url = http://k\nendpoint_id = e\n\
                 [barbican]\nauth_endpoint = http://k\n[oslo_policy]\nenforce_scope = false\n\
                 [taskflow_executor]\nmax_workers = 2\n[profiler]\nenabled = false\n[oslo_reports]\nlog_dir = /l\n";
    let of_2012 = "[DEFAULT]\nverbose = True\nsql_connection = sqlite:///x\nsql_idle_timeout = 3600\n\
                   registry_host = h\nnotifier_strategy = noop\nrabbit_host = h\nrabbit_password = p\nqpid_port = 5672\n\
                   swift_store_auth_address = a\nswift_store_key = k\ns3_store_secret_key = s\nrbd_store_pool = r\n\
                   swift_enable_snet = False\nscrubber_datadir = /s\ncleanup_scrubber = False\nwakeup_time = 300\n\
                   eventlet_hub = poll\nimage_cache_invalid_entry_grace_period = 3600\nadmin_user = u\n";
    for text in [today, of_2012] {
        let (code, lines) = Deployment::new(text).check(&["glance-api.conf"]);
        let unknown: Vec<_> = lines.iter().filter(|line| line.contains("there is no such")).collect();
        let errors: Vec<_> = lines.iter().filter(|line| line.contains(": error: ")).collect();
        // An option of Nova's.
        let foreign = lines.iter().filter(|line| line.contains("use_forwarded_for")).count();
        assert_eq!((code, errors.len(), unknown.len()), (Some(0), 0, foreign), "{lines:#?}");
    }
}

#[test]
fn all_errors_are_told_at_once() {
    let deployment = Deployment::new(
        "stray = 1\n[DEFAULT]\nbind_port = many\nno option\nhashing_algorithm = crc32\ncert_file = /c\n\
         metadata_encryption_key = short\nworkers = -1\ndefault_store = shed\n[database]\nconnection = nonsense://x\n\
         [paste_deploy]\nflavor = shouting\n",
    );
    let (code, lines) = deployment.check(&["glance-api.conf"]);
    assert_eq!(code, Some(1), "{lines:#?}");
    for (start, word) in [
        ("glance-api.conf:1: error: ", "section"),
        ("glance-api.conf:4: error: ", "no ':' or '='"),
        ("glance-api.conf:3: error: [DEFAULT] bind_port: 'many' ", "integer"),
        ("glance-api.conf:8: error: [DEFAULT] workers: '-1' ", "minimum"),
        ("glance-api.conf:5: error: [DEFAULT] hashing_algorithm: ", "crc32"),
        ("glance-api.conf:6: error: [DEFAULT] cert_file: ", "key_file"),
        ("glance-api.conf:7: error: [DEFAULT] metadata_encryption_key: ", "16"),
        ("glance-api.conf:9: error: [glance_store] default_store: ", "shed"),
        ("glance-api.conf:11: error: [database] connection: ", "nonsense"),
        ("(built in): error: ", "shouting"),
    ] {
        let told = lines.iter().filter(|line| line.starts_with(start) && line.contains(word)).count();
        assert_eq!(told, 1, "{start} {word}: {lines:#?}");
    }
    assert_eq!(lines.iter().filter(|line| line.contains(": error: ")).count(), 10, "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("short")), "{lines:#?}");
}

#[test]
fn an_option_that_is_missing_is_told_with_its_group() {
    let deployment = Deployment::new("[oslo_limit]\nauth_url = http://k\n[paste_deploy]\nflavor = keystone\n");
    let (code, lines) = deployment.check(&["glance-api.conf"]);
    let start = "error: [keystone_authtoken] auth_url: must be set";
    assert!(code == Some(1) && lines.len() == 1 && lines[0].starts_with(start), "{lines:?}");
}

#[test]
fn later_files_directories_and_the_environment_are_checked_too() {
    let deployment = Deployment::new("[DEFAULT]\nbind_port = 80\n");
    deployment.write("more.conf", "[DEFAULT]\nbind_port = x\n");
    fs::create_dir(deployment.path("d")).unwrap();
    deployment.write("d/10.conf", "[DEFAULT]\n\ncolour = green\n");
    let (code, lines) = deployment.check(&["glance-api.conf", "more.conf", "--config-dir", "d"]);
    let expected = [
        "more.conf:2: error: [DEFAULT] bind_port: 'x' is not an integer",
        "d/10.conf:3: warning: [DEFAULT] colour: there is no such option",
    ];
    assert_eq!((code, lines), (Some(1), expected.map(str::to_owned).to_vec()));
    let mut command = gander_command();
    command.args(["config", "check"]).arg(deployment.path("glance-api.conf")).env("OS_DEFAULT__BACKLOG", "y");
    let outcome = run(&mut command);
    let expected = "environment variable OS_DEFAULT__BACKLOG: error: [DEFAULT] backlog: 'y' is not an integer\n";
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), expected), "{outcome:?}");
    let (code, lines) = deployment.check(&["gone.conf", "lost.conf"]);
    assert_eq!((code, lines.len()), (Some(1), 1), "{lines:?}");
    assert!(lines[0].starts_with("error: ") && lines[0].contains("gone.conf") && lines[0].contains("lost.conf"));
}

#[test]
fn what_two_parts_do_not_allow_together_is_an_error() {
    let deployment = Deployment::new("[DEFAULT]\nregistry_host = 127.0.0.1\nuser_storage_quota = 1GB\n");
    let reason = "a v1 registry cannot tell how much is stored, only a database can";
    deployment.finds(1, &[&format!("3: error: [DEFAULT] user_storage_quota: {reason}")]);

    let deployment = Deployment::new("[DEFAULT]\nbind_port = 80\n");
    for (definition, told) in [
        (r#"{"id": {"type": "string"}}"#, "'id' is a property that every image has"),
        (r#"{"colour": 1}"#, "the definition of 'colour' is not an object"),
    ] {
        deployment.write("schema-image.json", definition);
        let (code, lines) = deployment.check(&["glance-api.conf"]);
        assert!(code == Some(1) && lines.len() == 1, "{lines:?}");
        assert!(
            lines[0].contains("error: ") && lines[0].contains("schema-image.json") && lines[0].contains(told),
            "{lines:?}"
        );
    }
}

#[test]
fn a_check_leaves_nothing_behind() {
    let deployment = Deployment::new("");
    let at = |name: &str| deployment.path(name).display().to_string();
    deployment.write(
        "glance-api.conf",
        &format!(
            "[DEFAULT]\nlog_file = {}\nimage_cache_dir = {}\nnode_staging_uri = file://{}\n[glance_store]\n\
             filesystem_store_datadir = {}\n[database]\nconnection = sqlite:///{}\n[paste_deploy]\nflavor = caching\n",
            at("server.log"),
            at("cache"),
            at("staging"),
            at("images"),
            at("glance.sqlite")
        ),
    );
    let before = names_in(deployment.0.path());
    let home = at("data");
    assert_eq!(deployment.check(&["--data-dir", &home, "glance-api.conf"]), (Some(0), vec![]));
    assert_eq!(deployment.check(&["--data-dir", &home]), (Some(0), vec![]));
    assert!(!deployment.shown(&["--all", "--data-dir", &home]).is_empty());
    assert_eq!(names_in(deployment.0.path()), before);
}

#[test]
fn former_names_are_told() {
    let deployment = Deployment::new("[DEFAULT]\nsql_idle_timeout = 5\n");
    deployment
        .finds(0, &["2: warning: [DEFAULT] sql_idle_timeout: is called [database] connection_recycle_time today"]);
}

#[test]
fn values_are_shown_with_where_they_come_from() {
    let deployment = Deployment::new("[DEFAULT]\nbind_port = 80\nworkers = 3\npublic_endpoint = http://$bind_host/\n");
    deployment.write("more.conf", "[DEFAULT]\n\nworkers = 4\n[oslo_policy]\npolicy_dirs = a\npolicy_dirs = b\n");
    let file = |name: &str, line: usize, value: &str| json!({"value": value, "from": "file", "file": deployment.path(name).display().to_string(), "line": line});
    let shown = deployment.shown(&["--config-file", "more.conf", "--debug"]);
    let values = |group: &str, name: &str| named(&shown, group, name).map(|option| option["values"].clone());
    assert_eq!(values("DEFAULT", "bind_port"), Some(json!([file("glance-api.conf", 2, "80")])));
    assert_eq!(values("DEFAULT", "workers"), Some(json!([file("more.conf", 3, "4")])));
    assert_eq!(values("DEFAULT", "public_endpoint"), Some(json!([file("glance-api.conf", 4, "http://0.0.0.0/")])));
    assert_eq!(
        values("oslo_policy", "policy_dirs"),
        Some(json!([file("more.conf", 5, "a"), file("more.conf", 6, "b")]))
    );
    assert_eq!(values("DEFAULT", "debug"), Some(json!([{"value": "true", "from": "command line"}])));
    assert_eq!(values("DEFAULT", "backlog"), None);
    let all = deployment.shown(&["--all"]);
    let expected = json!([{"value": "4096", "from": "default"}]);
    assert_eq!(named(&all, "DEFAULT", "backlog").unwrap()["values"], expected);
    assert_eq!(named(&all, "DEFAULT", "log_file").unwrap()["values"], json!([]));
    let ignored = &named(&all, "keystone_authtoken", "memcached_servers").unwrap()["ignored"];
    assert_eq!(ignored, "each server remembers tokens by itself");
}

#[test]
fn values_are_shown_as_a_file_that_can_be_read_again() {
    let deployment = Deployment::new("[DEFAULT]\nbind_port = 80\n[cors]\nallowed_origin = http://a,\n  http://b\n");
    let outcome = run(gander_command()
        .args(["config", "show", "--config-file", "glance-api.conf"])
        .env("OS_DATABASE__MAX_RETRIES", "7")
        .current_dir(deployment.0.path()));
    let conf = deployment.path("glance-api.conf");
    let conf = conf.display();
    let expected = format!(
        "[DEFAULT]\n# from {conf}:2\nbind_port = 80\n\n[cors]\n# from {conf}:4\nallowed_origin = http://a,\n    http://b\n\n\
         [database]\n# from environment variable OS_DATABASE__MAX_RETRIES\nmax_retries = 7\n"
    );
    assert_eq!(outcome.stdout, expected, "{outcome:?}");
    deployment.write("again.conf", &outcome.stdout);
    assert_eq!(deployment.check(&["again.conf"]), (Some(0), vec![]));
}

#[test]
fn no_secret_is_shown() {
    let deployment = Deployment::new(
        "[DEFAULT]\ntransport_url = rabbit://u:geheim@h\nadmin_token = geheim\npublic_endpoint = http://u:geheim@h/\n\
         s3_store_secret_key = geheim\nqpid_password = geheim\nuser_storage_quota = 0\n\
         [database]\nconnection = mysql://u:geheim@h/d\nslave_connection = mysql://u:geheim@h/d\n\
         [keystone_authtoken]\npassword = geheim\nadmin_password = geheim\nmemcache_secret_key = geheim\n\
         identity_uri = http://u:geheim@k\nregion_name = $password\n\
         [oslo_messaging_notifications]\ntransport_url = rabbit://u:geheim@h\n[vault]\nroot_token_id = geheim\n",
    );
    for words in [&["show"][..], &["show", "--all"], &["show", "--format", "json"], &["check"]] {
        let outcome = deployment.run(&[words, &["--config-file", "glance-api.conf"]].concat());
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(!format!("{outcome:?}").contains("geheim"), "{outcome:?}");
    }
    let shown = deployment.shown(&[]);
    assert_eq!(named(&shown, "DEFAULT", "public_endpoint").unwrap()["values"][0]["value"], "http://u:****@h/");
    assert_eq!(named(&shown, "database", "connection").unwrap()["values"][0]["value"], "mysql://u:****@h/d");
    assert_eq!(named(&shown, "keystone_authtoken", "admin_password").unwrap()["values"][0]["value"], "****");
}

#[test]
fn what_is_there_without_a_file_is_a_default() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = gander_command();
    command.args(["config", "show", "--all", "--format", "json", "--data-dir"]).arg(dir.path()).current_dir(dir.path());
    let shown: Vec<Value> = serde_json::from_str(&run(&mut command).stdout).unwrap();
    let expected = json!([{"value": "127.0.0.1", "from": "default"}]);
    assert_eq!(named(&shown, "DEFAULT", "bind_host").unwrap()["values"], expected);
}

#[test]
fn a_configuration_that_cannot_be_used_is_not_shown() {
    let outcome = Deployment::new("[DEFAULT]\nbind_port = x\n").run(&["show", "--config-file", "glance-api.conf"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("glance-api.conf:2"), "{outcome:?}");
}

#[test]
fn words_that_are_no_command_are_refused() {
    let deployment = Deployment::new("");
    for words in [&["mend"][..], &[], &["check", "--format", "json"], &["show", "--format", "xml"]] {
        assert_eq!(deployment.run(words).code, Some(2), "{words:?}");
    }
    assert!(deployment.run(&["--help"]).stdout.contains("check"));
}

#[test]
fn a_server_warns_once_of_what_is_odd_when_it_starts() {
    let setup =
        Setup::api("").set("bind_prot", "80").set("metadata_source_path", "/defs").set("rpc_response_timeout", "60");
    let gander = setup.start();
    let log = gander.log();
    for told in [
        "[DEFAULT] bind_prot: there is no such option; did you mean bind_port?",
        "[DEFAULT] metadata_source_path: has no effect: metadata definitions are not built yet",
    ] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(told)).collect();
        assert_eq!(lines.len(), 1, "{told}: {log}");
        assert!(lines[0].contains("WARNING [glance-api]") && lines[0].contains("glance-api.conf:"), "{lines:?}");
    }
    assert!(!log.contains("rpc_response_timeout"), "{log}");
}

#[test]
fn every_program_with_a_configuration_warns() {
    let deployment = Deployment::new("[DEFAULT]\nbind_prot = 80\nimage_cache_dir = cache\n");
    for words in [&["cache-cleaner"][..], &["manage", "db", "version"], &["scrubber"]] {
        let (program, rest) = words.split_first().unwrap();
        let data = deployment.path("data");
        let mut command = gander_command();
        command.args([program, "--config-file", "glance-api.conf", "--data-dir"]).arg(data).args(rest);
        let outcome = run(command.current_dir(deployment.0.path()));
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(told.matches("did you mean bind_port?").count(), 1, "{program}: {outcome:?}");
    }
}

/// Parts that lie in one another do not hide what is wrong with each.
#[test]
fn every_error_is_told_with_its_place() {
    let deployment = Deployment::new(
        "[DEFAULT]\nhashing_algorithm = crc\nuser_storage_quota = 5XB\nnode_staging_uri = /tmp\n\
         property_protection_file = /none\nsyslog_log_facility = LOG_MOON\nnotifier_strategy = pigeon\n\
         log_file = l\nbacklog = x\n\
         [oslo_policy]\npolicy_file = /none\nremote_ssl_ca_crt_file = /none/ca\n\
         [oslo_messaging_notifications]\ndriver = owl\n\
         [glance_store]\nhttps_ca_certificates_file = /none/store\n\
         [healthcheck]\nbackends = wish\n[oslo_middleware]\nmax_request_body_size = -1\n\
         [oslo_policy]\nremote_ssl_verify_server_crt = true\n",
    );
    let (code, found) = deployment.check(&["glance-api.conf"]);
    assert_eq!(code, Some(1));
    for (line, option) in [
        (2, "[DEFAULT] hashing_algorithm"),
        (3, "[DEFAULT] user_storage_quota"),
        (4, "[DEFAULT] node_staging_uri"),
        (5, "[DEFAULT] property_protection_file"),
        (6, "[DEFAULT] syslog_log_facility"),
        (7, "[DEFAULT] notifier_strategy"),
        (9, "[DEFAULT] backlog"),
        (11, "[oslo_policy] policy_file"),
        (12, "[oslo_policy] remote_ssl_ca_crt_file"),
        (14, "[oslo_messaging_notifications] driver"),
        (16, "[glance_store] https_ca_certificates_file"),
        (18, "[healthcheck] backends"),
        (20, "[oslo_middleware] max_request_body_size"),
    ] {
        let expected = format!("glance-api.conf:{line}: error: {option}: ");
        let told = found.iter().filter(|told| told.starts_with(&expected)).count();
        assert_eq!(told, 1, "{expected} in {found:#?}");
    }
}

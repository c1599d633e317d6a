//! API, registry and scrubber as the functional suites of 2012 start them: by `glance-control`, in the background, each
//! on its own configuration file (v1-essex-tests §0).

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio_rustls::rustls::ClientConfig;

use super::certificates::Certificates;
use super::conf::Conf;
use super::gander::write_cache_conf;
use super::http::Client;
use super::net::{answers, eventually, free_port, is_open};
use super::paste;
use super::process::{Outcome, run, shell};

/// Length of an AES-256 key.
const ENCRYPTION_KEY: &str = "012345678901234567890123456789ab";

/// The three servers of one test.
#[derive(Debug)]
pub(crate) struct Servers {
    dir: TempDir,
    /// The name by which clients call the servers.
    host: &'static str,
    pub(crate) api_port: u16,
    pub(crate) registry_port: u16,
    api: Conf,
    registry: Conf,
    scrubber: Conf,
    /// How clients speak TLS with the API.
    tls: Option<Arc<ClientConfig>>,
}

impl Servers {
    /// Prepared, not started. The founding test binds and calls `0.0.0.0`; all others stay on the loopback.
    pub(crate) fn new(host: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (api_port, registry_port) = (free_port(), free_port());
        let mut servers = Self {
            dir,
            host,
            api_port,
            registry_port,
            api: Conf::default(),
            registry: Conf::default(),
            scrubber: Conf::default(),
            tls: None,
        };
        servers.write_defaults();
        servers
    }

    fn write_defaults(&mut self) {
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        for (conf, port, log) in
            [(&mut self.api, self.api_port, "api.log"), (&mut self.registry, self.registry_port, "registry.log")]
        {
            conf.set("verbose", "True");
            conf.set("debug", "True");
            conf.set("bind_host", self.host);
            conf.set("bind_port", port);
            conf.set("log_file", at(log));
            conf.set("owner_is_tenant", "True");
        }
        let api = &mut self.api;
        for (name, value) in [
            ("default_store", "file"),
            ("metadata_encryption_key", ENCRYPTION_KEY),
            ("delayed_delete", "False"),
            ("workers", "0"),
            ("scrub_time", "5"),
            ("image_cache_driver", "sqlite"),
            ("policy_default_rule", "default"),
        ] {
            api.set(name, value);
        }
        // Credentials and certificates that a test does not have are written all the same, empty.
        for name in ["key_file", "cert_file", "s3_store_host", "s3_store_access_key", "s3_store_secret_key"] {
            api.set(name, "");
        }
        for name in ["s3_store_bucket", "swift_store_auth_address", "swift_store_user", "swift_store_key"] {
            api.set(name, "");
        }
        for name in ["swift_store_container", "rbd_store_pool", "rbd_store_user", "rbd_store_ceph_conf"] {
            api.set(name, "");
        }
        api.set("swift_store_large_object_size", 5 * 1024);
        api.set("swift_store_large_object_chunk_size", 200);
        api.set("registry_host", self.host);
        api.set("registry_port", self.registry_port);
        api.set("filesystem_store_datadir", at("images"));
        api.set("scrubber_datadir", at("scrubber"));
        api.set("image_cache_dir", at("cache"));
        api.set("policy_file", at("policy.json"));
        api.set("node_staging_uri", format!("file://{}", at("staging")));

        let registry = &mut self.registry;
        registry.set("sql_connection", "sqlite:///");
        registry.set("sql_idle_timeout", 3600);
        registry.set("api_limit_max", 1000);
        registry.set("limit_param_default", 25);

        let scrubber = &mut self.scrubber;
        scrubber.set("verbose", "True");
        scrubber.set("debug", "True");
        scrubber.set("log_file", at("scrubber.log"));
        scrubber.set("daemon", "False");
        scrubber.set("wakeup_time", 2);
        scrubber.set("scrubber_datadir", at("scrubber"));
        scrubber.set("registry_host", self.host);
        scrubber.set("registry_port", self.registry_port);
    }

    /// Replaces a value wherever it means something, as an attribute of a test class did.
    pub(crate) fn set(mut self, name: &str, value: impl Display) -> Self {
        match name {
            "deployment_flavor" => self.api.set_flavor(&value.to_string()),
            "daemon" | "wakeup_time" => self.scrubber.set(name, value),
            "sql_connection" => self.registry.set(name, value),
            "debug" | "verbose" => {
                self.api.set(name, &value);
                self.registry.set(name, &value);
                self.scrubber.set(name, value);
            }
            _ => self.api.set(name, value),
        }
        self
    }

    /// The API behind TLS.
    pub(crate) fn tls(mut self, certificates: &Certificates) -> Self {
        self.api.set("cert_file", certificates.file("good.pem").display());
        self.api.set("key_file", certificates.file("good.key").display());
        self.tls = Some(certificates.client(&[], None));
        self
    }

    /// Writes the files and starts API, registry and scrubber, in this order.
    pub(crate) fn start(self) -> Self {
        self.write_files();
        for server in ["api", "registry", "scrubber"] {
            self.start_one(server);
        }
        let limit = Duration::from_secs(3);
        eventually("the API accepts connections", limit, || answers(self.api_port));
        eventually("the registry accepts connections", limit, || answers(self.registry_port));
        self
    }

    pub(crate) fn write_files(&self) {
        let etc = self.path("etc");
        fs::create_dir_all(&etc).unwrap();
        fs::write(self.path("policy.json"), r#"{"default": []}"#).unwrap();
        for (name, conf, paste) in [
            ("api", &self.api, paste::API),
            ("registry", &self.registry, paste::REGISTRY),
            ("scrubber", &self.scrubber, paste::SCRUBBER),
        ] {
            fs::write(etc.join(format!("{name}.conf")), conf.text()).unwrap();
            fs::write(etc.join(format!("{name}-paste.ini")), paste).unwrap();
        }
    }

    /// Starts one server with the options of the functional tests.
    pub(crate) fn start_one(&self, server: &str) {
        let options = if server == "scrubber" { "" } else { "--capture-output" };
        let outcome = self.control(server, "start", options);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.contains(&format!("Starting glance-{server} with")), "{outcome:?}");
    }

    /// Runs `glance-control` as the functional tests do.
    pub(crate) fn control(&self, server: &str, command: &str, options: &str) -> Outcome {
        run(&mut self.control_command(server, command, options))
    }

    /// As [`Servers::control`], not yet run.
    pub(crate) fn control_command(&self, server: &str, command: &str, options: &str) -> Command {
        shell(&format!(
            "exec ./bin/glance-control {server} {command} {} --pid-file={} {options}",
            self.path("etc").join(format!("{server}.conf")).display(),
            self.pid_file(server).display(),
        ))
    }

    /// Stops all three; each stop succeeds, that of the finished scrubber too.
    pub(crate) fn stop(&self) {
        for server in ["api", "registry", "scrubber"] {
            let outcome = self.control(server, "stop", "");
            assert_eq!(outcome.code, Some(0), "{outcome:?}");
        }
        let limit = Duration::from_secs(10);
        eventually("the servers are gone", limit, || !is_open(self.api_port) && !is_open(self.registry_port));
    }

    pub(crate) fn client(&self) -> Client {
        let plain = Client::new(self.host, self.api_port);
        self.tls.as_ref().map_or(plain.clone(), |tls| plain.over_tls(tls))
    }

    /// Asks the registry directly.
    pub(crate) fn registry_client(&self) -> Client {
        Client::new(self.host, self.registry_port)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.path("cache")
    }

    pub(crate) fn pid_file(&self, server: &str) -> PathBuf {
        self.path(&format!("{server}.pid"))
    }

    /// The number in a pid file.
    pub(crate) fn pid(&self, server: &str) -> Option<i32> {
        read_pid(&self.pid_file(server))
    }

    pub(crate) fn log(&self, server: &str) -> String {
        fs::read_to_string(self.path(&format!("{server}.log"))).unwrap_or_default()
    }

    /// Writes `etc/glance-cache.conf` with exactly the options of the founding test.
    pub(crate) fn cache_conf(&self) -> PathBuf {
        let mut conf = Conf::default();
        conf.set("debug", "True");
        conf.set("verbose", "True");
        for name in ["image_cache_dir", "image_cache_driver", "registry_host", "registry_port"] {
            conf.set(name, self.api.get(name).unwrap());
        }
        conf.set("metadata_encryption_key", ENCRYPTION_KEY);
        conf.set("log_file", self.path("cache.log").display());
        write_cache_conf(&self.path("etc"), &conf)
    }
}

fn read_pid(file: &Path) -> Option<i32> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

impl Drop for Servers {
    fn drop(&mut self) {
        for server in ["api", "registry", "scrubber"] {
            // A server is the leader of its own process group (v1-system §4).
            if let Some(group) = self.pid(server).and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            if std::thread::panicking() {
                println!("log of the {server}:\n{}", self.log(server));
            }
        }
    }
}

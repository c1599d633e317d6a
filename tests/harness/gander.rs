//! One program in the foreground, on one configuration file: lighter than [`super::Servers`].

use std::fmt::Display;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_rustls::rustls::ClientConfig;

use super::certificates::Certificates;
use super::conf::Conf;
use super::databases::Database;
use super::faults;
use super::http::Client;
use super::net::{answers, eventually, free_port};
use super::paste;
use super::process::{Outcome, gander_command, run};

/// A server about to be started: its directory exists, its configuration can still change.
#[derive(Debug)]
pub(crate) struct Setup {
    program: &'static str,
    dir: TempDir,
    port: u16,
    conf: Conf,
    database: Database,
    /// Further words of the command line.
    words: Vec<String>,
    /// Its calls can be made to fail.
    breakable: bool,
    /// How clients speak TLS with it.
    tls: Option<Arc<ClientConfig>>,
}

impl Setup {
    /// The beginning of the names of the pipes at which libfiu takes orders.
    pub(super) const PIPES: &'static str = "fiu";

    fn new(program: &'static str, flavor: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut conf = Conf::default();
        let at = |name: &str| dir.path().join(name).display().to_string();
        conf.set("debug", "True");
        conf.set("verbose", "True");
        conf.set("bind_host", "127.0.0.1");
        conf.set("bind_port", port);
        conf.set("log_file", at("server.log"));
        let database = Database::chosen(&dir.path().join("glance.sqlite"));
        conf.set("sql_connection", database.url());
        if program == "api" {
            conf.set("default_store", "file");
            conf.set("filesystem_store_datadir", at("images"));
            conf.set("image_cache_dir", at("cache"));
            conf.set("scrubber_datadir", at("scrubber"));
            conf.set("policy_file", at("policy.json"));
            conf.set("node_staging_uri", format!("file://{}", at("staging")));
            conf.set_flavor(flavor);
        }
        let setup = Self { program, dir, port, conf, database, words: Vec::new(), breakable: false, tls: None };
        setup.policy(r#"{"default": []}"#);
        setup
    }

    /// The API, with its own database and the built-in pipeline of this flavor.
    pub(crate) fn api(flavor: &str) -> Self {
        Self::new("api", flavor)
    }

    /// The registry, with its own database.
    pub(crate) fn registry() -> Self {
        Self::new("registry", "")
    }

    /// The API behind a proxy that says who is asking.
    pub(crate) fn behind_proxy() -> Self {
        Self::api("").paste(paste::TRUSTED_HEADERS)
    }

    pub(crate) fn set(mut self, name: &str, value: impl Display) -> Self {
        self.conf.set(name, value);
        self
    }

    /// Sets one more value of an option that may have several.
    pub(crate) fn add(mut self, name: &str, value: impl Display) -> Self {
        self.conf.add(name, value);
        self
    }

    /// One more word for the command line.
    pub(crate) fn arg(mut self, word: impl Display) -> Self {
        self.words.push(word.to_string());
        self
    }

    /// The index of its cache is of this driver, which gets what it needs.
    pub(crate) fn index(mut self, driver: &str) -> Self {
        self.conf.set("image_cache_driver", driver);
        if driver == "centralized_db" {
            self.conf.set("worker_self_reference_url", format!("http://127.0.0.1:{}", self.port));
        }
        self
    }

    /// Its calls can be made to fail ([`Gander::break_all`]). `None`, said loudly, where libfiu is not installed.
    pub(crate) fn breakable(mut self) -> Option<Self> {
        self.breakable = faults::libfiu();
        self.breakable.then_some(self)
    }

    /// Behind TLS, with this certificate.
    pub(crate) fn tls(mut self, certificates: &Certificates, name: &str) -> Self {
        self.conf.set("cert_file", certificates.file(&format!("{name}.pem")).display());
        self.conf.set("key_file", certificates.file(&format!("{name}.key")).display());
        self.tls = Some(certificates.client(&[], None));
        self
    }

    /// On this database, and not one of its own.
    pub(crate) fn on(mut self, database: &Database) -> Self {
        self.conf.set("sql_connection", database.url());
        self.database = database.clone();
        self
    }

    /// Its database.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn unset(mut self, name: &str) -> Self {
        self.conf.remove(name);
        self
    }

    /// Writes a paste file next to the configuration; without one the built-in pipelines serve.
    pub(crate) fn paste(self, text: &str) -> Self {
        fs::write(self.path(&format!("glance-{}-paste.ini", self.program)), text).unwrap();
        self
    }

    /// Without a policy file: the rules that are built in.
    pub(crate) fn built_in_rules(self) -> Self {
        fs::remove_file(self.path("policy.json")).unwrap();
        self.unset("policy_file")
    }

    /// Writes the policy file.
    pub(crate) fn policy(&self, json: &str) {
        fs::write(self.path("policy.json"), json).unwrap();
    }

    /// A path in the directory of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn conf_file(&self) -> PathBuf {
        self.path(&format!("glance-{}.conf", self.program))
    }

    /// The command line that serves this configuration.
    pub(crate) fn command(&self) -> Command {
        fs::write(self.conf_file(), self.conf.text()).unwrap();
        let mut command = gander_command();
        command.arg(self.program).arg("--config-file").arg(self.conf_file()).args(&self.words);
        command.current_dir(self.dir.path());
        if self.breakable { faults::under_libfiu(&command, &self.path(Self::PIPES)) } else { command }
    }

    /// Runs a server that is expected to refuse its configuration.
    pub(crate) fn run_to_end(&self) -> Outcome {
        run(&mut self.command())
    }

    /// Starts the server and waits until it can be asked.
    pub(crate) fn start(self) -> Gander {
        let child = self.spawn();
        let mut gander = Gander { setup: self, child };
        gander.wait_until_open();
        gander
    }

    fn spawn(&self) -> Child {
        let output = File::create(self.path("output.txt")).unwrap();
        let errors = output.try_clone().unwrap();
        self.command().stdin(Stdio::null()).stdout(output).stderr(errors).spawn().unwrap()
    }
}

/// A running server; dropped, it is killed and its directory removed.
#[derive(Debug)]
pub(crate) struct Gander {
    setup: Setup,
    child: Child,
}

impl Gander {
    /// The API with plain pipeline and default options.
    pub(crate) fn plain() -> Self {
        Setup::api("").start()
    }

    /// The API with cache and cache management.
    pub(crate) fn caching() -> Self {
        Setup::api("cachemanagement").start()
    }

    fn wait_until_open(&mut self) {
        let port = self.setup.port;
        let child = &mut self.child;
        eventually("the server accepts connections", Duration::from_secs(10), || {
            assert!(child.try_wait().unwrap().is_none(), "the server ended");
            answers(port)
        });
    }

    pub(crate) fn client(&self) -> Client {
        let plain = Client::new("127.0.0.1", self.setup.port);
        self.setup.tls.as_ref().map_or(plain.clone(), |tls| plain.over_tls(tls))
    }

    /// A path in the directory of this test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.setup.path(name)
    }

    pub(crate) fn port(&self) -> u16 {
        self.setup.port
    }

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its database.
    pub(crate) fn database(&self) -> &Database {
        &self.setup.database
    }

    /// Makes sure that these images are of different ages, the first the oldest: MySQL's times tell whole seconds.
    pub(crate) fn oldest_first(&self, ids: &[String]) {
        if self.database().kind() == testdb::Kind::Mysql {
            for (place, id) in ids.iter().rev().enumerate() {
                let older = |column: &str| format!("{column} = {column} - INTERVAL {place} SECOND");
                let (created, updated) = (older("created_at"), older("updated_at"));
                self.rows(&format!("UPDATE images SET {created}, {updated} WHERE id = '{id}'"));
            }
        }
    }

    /// The rows of a query on its database, each with its columns as text joined by `|`.
    pub(crate) fn rows(&self, query: &str) -> Vec<String> {
        self.database().rows(query)
    }

    /// Replaces the policy file under the running server.
    pub(crate) fn set_policy(&self, json: &str) {
        // A rename, so that the server never sees half a file.
        let fresh = self.path("policy.json.new");
        fs::write(&fresh, json).unwrap();
        fs::rename(fresh, self.path("policy.json")).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("server.log")).unwrap_or_default()
    }

    /// What the server has open or mapped, a line each; of a file that was removed the line still tells its name.
    pub(crate) fn held_files(&self) -> Vec<String> {
        let process = PathBuf::from(format!("/proc/{}", self.pid()));
        let descriptors = fs::read_dir(process.join("fd")).unwrap().flatten();
        let open = descriptors.flat_map(|entry| fs::read_link(entry.path())).map(|path| path.display().to_string());
        let maps = fs::read_to_string(process.join("maps")).unwrap();
        open.chain(maps.lines().map(str::to_owned)).collect()
    }

    /// Bytes of the files in a directory of its own, and of those without a name there that the server has open.
    pub(crate) fn bytes_in(&self, dir: &str) -> u64 {
        let dir = self.path(dir);
        let open = fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().flatten().map(|entry| entry.path());
        let unnamed = open.filter(|path| {
            let file = fs::read_link(path).unwrap_or_default();
            file.starts_with(&dir) && file.to_string_lossy().ends_with(" (deleted)")
        });
        // What goes meanwhile takes nothing.
        super::entries(&dir).into_iter().chain(unnamed).filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum()
    }

    /// The most memory that the server ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let mut status = None;
        eventually("the server ends", Duration::from_secs(20), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Changes an option for the next start.
    pub(crate) fn configure(&mut self, name: &str, value: impl Display) {
        self.setup.conf.set(name, value);
    }

    /// The same server again, after [`Gander::end`].
    pub(crate) fn start_again(&mut self) {
        self.child = self.setup.spawn();
        self.wait_until_open();
    }

    /// Writes `glance-cache.conf` for the cache tools; they share the cache directory and the database.
    pub(crate) fn cache_conf(&self, options: &[(&str, &str)]) -> PathBuf {
        let mut conf = Conf::default();
        for name in [
            "image_cache_dir",
            "image_cache_driver",
            "worker_self_reference_url",
            "sql_connection",
            "metadata_encryption_key",
        ] {
            if let Some(value) = self.setup.conf.get(name) {
                conf.set(name, value);
            }
        }
        conf.set("log_file", self.path("cache.log").display());
        for (name, value) in options {
            conf.set(name, value);
        }
        write_cache_conf(self.setup.dir.path(), &conf)
    }
}

/// Writes `glance-cache.conf` and its paste file.
pub(crate) fn write_cache_conf(dir: &Path, conf: &Conf) -> PathBuf {
    let file = dir.join("glance-cache.conf");
    fs::write(&file, conf.text()).unwrap();
    fs::write(dir.join("glance-cache-paste.ini"), paste::CACHE).unwrap();
    file
}

impl Drop for Gander {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let output = fs::read_to_string(self.path("output.txt")).unwrap_or_default();
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            let tail: Vec<_> = tail.into_iter().rev().collect();
            println!("output of the server:\n{output}\nend of its log:\n{}", tail.join("\n"));
        }
    }
}

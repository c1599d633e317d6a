//! A real Keystone, from PyPI (`tests/services/keystone` installs and serves it), and people known to it.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::gander::Setup;
use super::http::{Client, Response};
use super::net::{answers, free_port};
use super::skip::skipped;

/// For the first start, with the installation of all packages before it.
const PATIENCE: Duration = Duration::from_secs(600);
/// With which the script ends when Python or its packages cannot be had.
const UNAVAILABLE: i32 = 77;
/// Of everybody.
pub(crate) const PASSWORD: &str = "secret";

/// A running Keystone; dropped, it is killed and its data removed.
#[derive(Debug)]
pub(crate) struct Keystone {
    process: Mutex<Child>,
    dir: TempDir,
    port: u16,
    /// Life of its tokens.
    seconds: u32,
    admin: Mutex<Option<String>>,
}

/// The one that tests share as long as any of them holds it.
static SHARED: Mutex<Weak<Keystone>> = Mutex::new(Weak::new());

impl Keystone {
    /// One that others use as well; `None` where it cannot be had, which has been told then.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(keystone) = shared.upgrade() {
            return Some(keystone);
        }
        let keystone = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&keystone);
        Some(keystone)
    }

    /// One of the test's own, to be stopped or halted.
    pub(crate) fn start() -> Option<Self> {
        Self::with_tokens_for(3600)
    }

    /// The same, whose tokens live for so many seconds.
    pub(crate) fn with_tokens_for(seconds: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut process = serve(dir.path(), port, seconds);
        let deadline = Instant::now() + PATIENCE;
        while !answers(port) {
            if let Some(status) = process.try_wait().unwrap() {
                let said = std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
                assert_eq!(status.code(), Some(UNAVAILABLE), "Keystone ended: {said}");
                skipped(&format!("no Keystone: {}", said.lines().last().unwrap_or_default()));
                return None;
            }
            assert!(Instant::now() < deadline, "Keystone does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(Self { process: Mutex::new(process), dir, port, seconds, admin: Mutex::default() })
    }

    /// Ends it; [`Keystone::start_again`] continues with the same data.
    pub(crate) fn stop(&self) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        process.wait().unwrap();
    }

    /// Serves the same data at the same port.
    pub(crate) fn start_again(&self) {
        *self.process.lock().unwrap() = serve(self.dir.path(), self.port, self.seconds);
        super::net::eventually("Keystone is back", PATIENCE, || answers(self.port));
    }

    /// Makes it answer nobody (`STOP`), or go on (`CONT`).
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.lock().unwrap().id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v3", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn client(&self) -> Client {
        Client::new("127.0.0.1", self.port)
    }

    /// Asks Keystone with an admin's token.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Response {
        let request = self.client().request(method, &format!("/v3/{path}")).header("X-Auth-Token", &self.admin());
        if body.is_null() { request.send() } else { request.json(body).send() }
    }

    /// A token of the admin of everything.
    pub(crate) fn admin(&self) -> String {
        let mut admin = self.admin.lock().unwrap();
        // One that lives so short may be dead when it is needed again.
        let kept = admin.take().filter(|_| self.seconds > 60);
        let token = kept.unwrap_or_else(|| self.token(&password("admin"), &in_project("admin")));
        admin.insert(token).clone()
    }

    /// A token for what proves somebody's identity, and a scope (null: none).
    #[track_caller]
    pub(crate) fn token(&self, identity: &Value, scope: &Value) -> String {
        let mut auth = json!({ "identity": identity });
        if !scope.is_null() {
            auth["scope"] = scope.clone();
        }
        let answer = self.client().post("/v3/auth/tokens").json(&json!({ "auth": auth })).send().expect(201);
        answer.header("x-subject-token").unwrap().to_owned()
    }

    /// Makes a project; its id.
    pub(crate) fn add_project(&self, name: &str) -> String {
        let body = json!({"project": {"name": name, "domain_id": "default"}});
        self.ask("POST", "projects", &body).expect(201).json()["project"]["id"].as_str().unwrap().to_owned()
    }

    /// Makes a user without roles; its id.
    pub(crate) fn add_user(&self, name: &str) -> String {
        let body = json!({"user": {"name": name, "domain_id": "default", "password": PASSWORD}});
        self.ask("POST", "users", &body).expect(201).json()["user"]["id"].as_str().unwrap().to_owned()
    }

    /// Gives a user a role in what `target` names (`projects/ID`, `domains/ID`, or `system`).
    pub(crate) fn grant(&self, target: &str, user: &str, role: &str) {
        let role = self.role(role);
        self.ask("PUT", &format!("{target}/users/{user}/roles/{role}"), &Value::Null).expect(204);
    }

    /// The id of a role, which is made if there is none.
    fn role(&self, name: &str) -> String {
        let found = self.ask("GET", &format!("roles?name={name}"), &Value::Null).expect(200).json();
        if let Some(id) = found["roles"][0]["id"].as_str() {
            return id.to_owned();
        }
        let made = self.ask("POST", "roles", &json!({"role": {"name": name}}));
        // Another test may have been faster.
        match made.status {
            201 => made.json()["role"]["id"].as_str().unwrap().to_owned(),
            _ => self.role(name),
        }
    }

    /// Makes a user with these roles in a project; its id.
    pub(crate) fn add_member(&self, name: &str, project: &str, roles: &[&str]) -> String {
        let user = self.add_user(name);
        roles.iter().for_each(|role| self.grant(&format!("projects/{project}"), &user, role));
        user
    }

    /// Makes a user as above, and its token for that project.
    pub(crate) fn member(&self, name: &str, project: &str, roles: &[&str]) -> String {
        let user = self.add_member(name, project, roles);
        self.token(&password_of(&user), &json!({"project": {"id": project}}))
    }

    /// The API in this flavor, which has its tokens validated here, by a user of its own.
    pub(crate) fn setup(&self, flavor: &str) -> Setup {
        let setup = Setup::api(flavor);
        let service = unique("service");
        let user = self.add_user(&service);
        let found = self.ask("GET", "projects?name=admin", &Value::Null).expect(200).json();
        let project = found["projects"][0]["id"].as_str().unwrap().to_owned();
        self.grant(&format!("projects/{project}"), &user, "admin");
        setup
            .built_in_rules()
            .set("keystone_authtoken.auth_type", "password")
            .set("keystone_authtoken.auth_url", self.url())
            .set("keystone_authtoken.username", service)
            .set("keystone_authtoken.password", PASSWORD)
            .set("keystone_authtoken.project_name", "admin")
            .set("keystone_authtoken.user_domain_name", "Default")
            .set("keystone_authtoken.project_domain_name", "Default")
    }
}

impl Drop for Keystone {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A name that no other test uses.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4().simple())
}

/// The admin's and others' identity, by name.
fn password(user: &str) -> Value {
    json!({"methods": ["password"], "password": {
        "user": {"name": user, "domain": {"id": "default"}, "password": PASSWORD}}})
}

/// The same by id.
pub(crate) fn password_of(user: &str) -> Value {
    json!({"methods": ["password"], "password": {"user": {"id": user, "password": PASSWORD}}})
}

fn in_project(name: &str) -> Value {
    json!({"project": {"name": name, "domain": {"id": "default"}}})
}

fn serve(dir: &Path, port: u16, seconds: u32) -> Child {
    let log = File::options().create(true).append(true).open(dir.join("log")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/keystone");
    let mut command = Command::new(script);
    command.arg(dir.join("data")).arg(port.to_string()).arg(seconds.to_string());
    let errors = log.try_clone().unwrap();
    command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().unwrap()
}

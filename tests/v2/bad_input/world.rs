//! A server with images in several states, all its routes, and what must not change.

use std::cell::RefCell;

use regex::Regex;
use serde_json::{Value, json};

use crate::harness::{Client, Gander, Request, Response, Setup, TRUSTED_CACHING, entries, five_kb};

/// What a request of a route brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brings {
    /// No body, and one is refused.
    Nothing,
    /// No body, and nobody looks whether there is one.
    Whatever,
    /// An object.
    Object,
    /// Any list or object, or nothing.
    Json,
    /// A list of operations.
    Patch,
    /// An image's data.
    Data,
}

/// A path of v2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    /// `{id}`: an image's.
    pub(super) path: &'static str,
    /// What `Allow` says; `None`: other methods find nothing.
    pub(super) allow: Option<&'static str>,
    /// Its methods.
    pub(super) methods: &'static [(&'static str, Brings)],
}

use Brings::{Data, Json, Nothing, Object, Patch, Whatever};

const fn route(path: &'static str, allow: Option<&'static str>, methods: &'static [(&'static str, Brings)]) -> Route {
    Route { path, allow, methods }
}

/// All of them (v2-images §3), but for imports and tasks.
pub(super) const ROUTES: [Route; 31] = [
    route("/images", Some("GET, POST"), &[("GET", Whatever), ("POST", Object)]),
    route("/images/{id}", Some("GET, PATCH, DELETE"), &[("GET", Nothing), ("PATCH", Patch), ("DELETE", Nothing)]),
    route("/images/{id}/file", Some("GET, PUT"), &[("GET", Nothing), ("PUT", Data)]),
    route("/images/{id}/stage", Some("PUT"), &[("PUT", Data)]),
    route("/images/{id}/actions/deactivate", Some("POST"), &[("POST", Nothing)]),
    route("/images/{id}/actions/reactivate", Some("POST"), &[("POST", Nothing)]),
    route("/images/{id}/locations", Some("POST"), &[("GET", Nothing), ("POST", Object)]),
    route("/images/{id}/tags/red", Some("PUT, DELETE"), &[("PUT", Nothing), ("DELETE", Nothing)]),
    route("/images/{id}/members", Some("GET, POST"), &[("GET", Nothing), ("POST", Object)]),
    route(
        "/images/{id}/members/project-b",
        Some("GET, PUT, DELETE"),
        &[("GET", Nothing), ("PUT", Object), ("DELETE", Nothing)],
    ),
    route("/schemas/image", Some("GET"), &[("GET", Nothing)]),
    route("/schemas/images", Some("GET"), &[("GET", Nothing)]),
    route("/schemas/member", Some("GET"), &[("GET", Nothing)]),
    route("/schemas/members", Some("GET"), &[("GET", Nothing)]),
    route("/schemas/task", Some("GET"), &[("GET", Whatever)]),
    route("/schemas/tasks", Some("GET"), &[("GET", Whatever)]),
    route("/info/import", Some("GET"), &[("GET", Nothing)]),
    route("/info/stores", Some("GET"), &[("GET", Nothing)]),
    route("/info/stores/detail", Some("GET"), &[("GET", Nothing)]),
    route("/info/usage", None, &[("GET", Whatever)]),
    route("/stores/file/{id}", Some("DELETE"), &[("DELETE", Nothing)]),
    route("/cache", Some("GET, DELETE"), &[("GET", Nothing), ("DELETE", Whatever)]),
    route("/cache/{id}", Some("DELETE, PUT"), &[("DELETE", Whatever), ("PUT", Whatever)]),
    route("/cache/nodes/{id}", Some("GET"), &[("GET", Nothing)]),
    route("/cache/clean", Some("POST"), &[("POST", Whatever)]),
    route("/cache/prune", Some("POST"), &[("POST", Json)]),
    route("/cached_images", None, &[("GET", Whatever), ("DELETE", Whatever)]),
    route("/cached_images/{id}", None, &[("DELETE", Whatever)]),
    route("/queued_images", None, &[("GET", Whatever), ("DELETE", Whatever)]),
    route("/queued_images/{id}", None, &[("PUT", Whatever), ("DELETE", Whatever)]),
    route("/", None, &[]),
];

/// The rows that clients can change.
const ROWS: [&str; 5] = [
    "SELECT id, name, status, size, owner, visibility, disk_format, checksum, min_ram, min_disk, protected, updated_at,
     deleted_at, os_hidden FROM images ORDER BY id",
    "SELECT image_id, name, value, deleted FROM image_properties ORDER BY id",
    "SELECT image_id, value, deleted FROM image_tags ORDER BY id",
    "SELECT image_id, member, status, updated_at, deleted FROM image_members ORDER BY id",
    "SELECT image_id, value, status, deleted FROM image_locations ORDER BY id",
];

/// A server that has an image of each kind, and somebody who may do everything there.
pub(super) struct World {
    gander: Gander,
    pub(super) admin: Client,
    /// With data, a property, a tag and a member.
    pub(super) active: String,
    /// Waits for its data.
    pub(super) queued: String,
    before: RefCell<Vec<String>>,
    faults: RefCell<Vec<String>>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::of(Setup::api(""))
    }

    pub(super) fn of(setup: Setup) -> Self {
        let gander = setup.paste(TRUSTED_CACHING).start();
        let plain = gander.client().acting_as("u-root", "project-a", "admin,member,reader");
        let active = plain.add_raw(&five_kb());
        let admin = plain.with("Accept", "application/json");
        admin.put(&format!("/v2/images/{active}/tags/red")).send().expect(204);
        let members = format!("/v2/images/{active}/members");
        admin.post(&members).json(&json!({"member": "project-b"})).send().expect(200);
        let change = json!([{"op": "add", "path": "/colour", "value": "green"}]);
        let patch = admin.request("PATCH", &format!("/v2/images/{active}"));
        patch.header("Content-Type", V2_1).json(&change).send().expect(200);
        let queued = admin.register("raw", "bare");
        // Asked for again it is cached no more than it was.
        admin.get_file(&active).expect(200);
        let world = Self { gander, admin, active, queued, before: RefCell::default(), faults: RefCell::default() };
        world.remember();
        world
    }

    /// A request of a path of v2. Data goes to the image that waits for it, everything else is of the one that has it.
    pub(super) fn request(&self, method: &str, path: &str, brings: Brings) -> Request {
        let id = if brings == Data { &self.queued } else { &self.active };
        let request = self.admin.request(method, &format!("/v2{}", path.replace("{id}", id)));
        match brings {
            Patch => request.header("Content-Type", V2_1),
            Data => request.header("Content-Type", "application/octet-stream"),
            _ => request,
        }
    }

    /// The answer has to be of this status, one that clients can read, and say this.
    pub(super) fn refuses(&self, answer: &Response, status: u16, said: &str, what: &str) {
        let shown = what.chars().take(120).collect::<String>();
        let text: String = answer.text().chars().take(300).collect();
        self.check(answer.status == status, || format!("{shown}: {} in place of {status}: {text}", answer.status));
        if answer.status != status {
            return;
        }
        let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let told = json.as_ref().is_some_and(|json| {
            let is = |name: &str, told: &dyn Fn(&str) -> bool| json[name].as_str().is_some_and(told);
            is("code", &|code| code.starts_with(&status.to_string())) && is("message", &|text| text.contains(said))
        });
        let whole = answer.complete && answer.header("x-openstack-request-id").is_some();
        let labelled = answer.header("content-type") == Some("application/json");
        self.check(told && whole && labelled, || format!("{shown}: not {said:?}: {:?} {text}", answer.headers));
    }

    /// Notes a fault unless all is well.
    pub(super) fn check(&self, well: bool, fault: impl FnOnce() -> String) {
        if !well {
            self.faults.borrow_mut().push(fault());
        }
    }

    /// From here on nothing may change.
    pub(super) fn remember(&self) {
        self.before.replace(self.state());
    }

    /// Nothing was wrong, and nothing has changed.
    #[track_caller]
    pub(super) fn judge(self) {
        self.judge_by(str::to_owned);
    }

    /// The same, but that the images were tried to be changed can be told from their times.
    #[track_caller]
    pub(super) fn judge_but_for_times(self) {
        let time = Regex::new(r"\d{4}-\d\d-\d\d.\d\d:\d\d:\d\d(\.\d+)?").unwrap();
        self.judge_by(|line| time.replace_all(line, "then").into_owned());
    }

    #[track_caller]
    fn judge_by(self, told: impl Fn(&str) -> String) {
        let faults = self.faults.take();
        assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
        let told = |state: &[String]| state.iter().map(|line| told(line)).collect::<Vec<_>>();
        assert_eq!(told(&self.state()), told(&self.before.borrow()));
    }

    /// Everything that a client could have changed: records, rows and files.
    fn state(&self) -> Vec<String> {
        let rows = ROWS.into_iter().flat_map(|query| self.gander.rows(query));
        let shown = [&self.active, &self.queued].map(|id| self.admin.image(id).to_string());
        let dirs =
            ["images", "images/.journal", "staging", "cache", "cache/queue", "cache/incomplete", "cache/invalid"];
        let files = dirs.map(|dir| format!("{dir}: {:?}", entries(&self.gander.path(dir))));
        rows.chain(shown).chain(files).collect()
    }
}

/// The media type of patches.
pub(super) const V2_1: &str = "application/openstack-images-v2.1-json-patch";

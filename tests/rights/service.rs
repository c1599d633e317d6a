//! Calls that are about no image that exists: new images, this node's cache, and what stores there are.

use serde_json::{Value, json};

use super::model::{
    ADD_IMAGE, CACHE, COMMUNITIZE_IMAGE, Caller, OWNER, PUBLICIZE_IMAGE, STORES_INFO_DETAIL, Target, callers,
};
use super::scene::{OTHER_DATA, Scene};

const VISIBILITIES: [Option<&str>; 5] = [None, Some("public"), Some("community"), Some("shared"), Some("private")];

/// What becomes of a new image of this owner (policy-and-auth §3.5, v2-images §6.1).
fn created(caller: &Caller, owner: Option<&'static str>, visibility: Option<&'static str>) -> u16 {
    let target = Target { project: owner, owner, member: None, visibility: visibility.unwrap_or("private") };
    let more = match visibility {
        Some("public") => Some(PUBLICIZE_IMAGE),
        Some("community") => Some(COMMUNITIZE_IMAGE),
        _ => None,
    };
    let lets = more.into_iter().chain([ADD_IMAGE]).all(|rule| caller.passes(rule, &target));
    if lets { 201 } else { 403 }
}

/// Everybody makes new images, by both APIs, manages the cache, and asks for the stores; what is not as it should be, and how many cells that
/// were.
pub(super) fn compare(scene: &Scene) -> (usize, Vec<String>) {
    let mut table = Table { scene, cells: 0, deviations: Vec::new() };
    for caller in callers() {
        for visibility in VISIBILITIES {
            table.register(&caller, visibility, json!({}), caller.project);
            table.register(&caller, visibility, json!({"owner": OWNER}), Some(OWNER));
            table.register(&caller, visibility, json!({"owner": null}), None);
        }
        if scene.is_gander() {
            table.add(&caller, None);
            table.add(&caller, Some("public"));
        }
        table.manage_cache(&caller);
        table.ask_for_stores(&caller);
    }
    (table.cells, table.deviations)
}

struct Table<'a> {
    scene: &'a Scene,
    cells: usize,
    deviations: Vec<String>,
}

impl Table<'_> {
    /// By v2.
    fn register(
        &mut self,
        caller: &Caller,
        visibility: Option<&'static str>,
        mut fields: Value,
        owner: Option<&'static str>,
    ) {
        let name = self.next_name();
        fields["name"] = json!(name);
        if let Some(visibility) = visibility {
            fields["visibility"] = json!(visibility);
        }
        let answer = self.scene.client(caller).post("/v2/images").json(&fields).send();
        let expected = if caller.nobody { 401 } else { created(caller, owner, visibility) };
        self.compare(&format!("v2 create {fields}"), caller, expected, answer.status);
        self.look_for(&format!("v2 create {fields}"), caller, &name, expected, owner);
    }

    /// By v1, with data. Who is not admin names no owner, and an image that is not public is shared.
    fn add(&mut self, caller: &Caller, visibility: Option<&'static str>) {
        let name = self.next_name();
        let public = if visibility.is_some() { "True" } else { "False" };
        let request = self.scene.client(caller).post("/v1/images").header("X-Image-Meta-Name", &name);
        let request = request.header("X-Image-Meta-Disk-Format", "raw").header("X-Image-Meta-Container-Format", "bare");
        let request = request.header("X-Image-Meta-Is-Public", public).header("X-Image-Meta-Owner", OWNER);
        let answer = request.data(OTHER_DATA).send();
        let owner = if caller.is_admin() { Some(OWNER) } else { caller.project };
        let expected = if caller.nobody { 403 } else { created(caller, owner, visibility) };
        let call = format!("v1 create, public: {public}");
        self.compare(&call, caller, expected, answer.status);
        self.look_for(&call, caller, &name, expected, owner);
    }

    /// Only what is allowed is there, and whose it should be.
    fn look_for(&mut self, call: &str, caller: &Caller, name: &str, expected: u16, owner: Option<&str>) {
        let found = self.scene.admin.get(&format!("/v2/images?visibility=all&name={name}")).expect(200).json();
        let owners: Vec<&Value> = found["images"].as_array().unwrap().iter().map(|image| &image["owner"]).collect();
        let wanted: &[Value] = if expected == 201 { &[json!(owner)] } else { &[] };
        if owners != wanted.iter().collect::<Vec<_>>() {
            self.deviations.push(format!("{call:<70}{caller}: images of {owners:?} instead of {wanted:?}"));
        }
    }

    /// All of it is for admins (policy-and-auth §4.2, §4.3).
    fn manage_cache(&mut self, caller: &Caller) {
        let unknown = "71c675ab-d94f-49cd-a114-e12490b328d9";
        let admin = caller.passes(CACHE, &Target::default());
        let calls = [
            ("GET", "/v2/cache".to_owned(), 200, 403),
            ("DELETE", "/v2/cache".to_owned(), 204, 403),
            ("POST", "/v2/cache/clean".to_owned(), 200, 403),
            ("POST", "/v2/cache/prune".to_owned(), 200, 403),
            // The image is looked for before the rule is asked (policy-and-auth §5.3).
            ("PUT", format!("/v2/cache/{unknown}"), 404, 404),
            ("DELETE", format!("/v2/cache/{unknown}"), 404, 404),
            ("GET", "/v2/cached_images".to_owned(), 200, 403),
            ("DELETE", "/v2/cached_images".to_owned(), 200, 403),
            ("DELETE", format!("/v2/cached_images/{unknown}"), 200, 403),
            ("GET", "/v2/queued_images".to_owned(), 200, 403),
            ("PUT", format!("/v2/queued_images/{unknown}"), 200, 403),
            ("DELETE", format!("/v2/queued_images/{unknown}"), 200, 403),
            ("DELETE", "/v2/queued_images".to_owned(), 200, 403),
            ("GET", "/v1/cached_images".to_owned(), 200, 403),
            ("DELETE", "/v1/cached_images".to_owned(), 200, 403),
            ("GET", "/v1/queued_images".to_owned(), 200, 403),
            ("DELETE", "/v1/queued_images".to_owned(), 200, 403),
        ];
        let asked = calls.into_iter().filter(|(_, path, ..)| self.scene.is_gander() || path.starts_with("/v2"));
        for (method, path, allowed, denied) in asked {
            let expected = match (caller.nobody && path.starts_with("/v2"), admin) {
                (true, _) => 401,
                (false, true) => allowed,
                (false, false) => denied,
            };
            let answer = self.scene.client(caller).request(method, &path).send();
            self.compare(&format!("{method} {path}"), caller, expected, answer.status);
        }
    }

    /// How they are configured is for admins and services (policy-and-auth §4.3).
    fn ask_for_stores(&mut self, caller: &Caller) {
        let detailed = if caller.passes(STORES_INFO_DETAIL, &Target::default()) { 200 } else { 403 };
        for (path, known) in [("/v2/info/stores", 200), ("/v2/info/stores/detail", detailed)] {
            let answer = self.scene.client(caller).get(path);
            self.compare(&format!("GET {path}"), caller, if caller.nobody { 401 } else { known }, answer.status);
        }
    }

    fn compare(&mut self, call: &str, caller: &Caller, expected: u16, got: u16) {
        self.cells += 1;
        if got != expected {
            self.deviations.push(format!("{call:<70}{:<44}{got} instead of {expected}", caller.to_string()));
        }
    }

    fn next_name(&self) -> String {
        format!("new-{}", self.cells)
    }
}

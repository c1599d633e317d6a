//! What everybody finds in lists: of one gallery of images, those that v2-images §6.3 and v1-api §9.2 name, if the rule of
//! seeing an image lets them, too.

use std::collections::BTreeSet;

use super::model::{
    ACCEPTED, Caller, GET_IMAGE, GET_IMAGES, GET_SHARED_IMAGES, PENDING, REJECTED, Subject, callers, subjects,
};
use super::scene::Scene;
use crate::harness::Response;

/// What is asked of v2: a query, and the filters that it stands for.
#[derive(Debug, Clone, Copy)]
struct Query {
    text: &'static str,
    visibility: Option<&'static str>,
    members: &'static [&'static str],
    hidden: bool,
}

const ACCEPTED_ONLY: &[&str] = &[ACCEPTED];

const QUERIES: [Query; 11] = [
    query("", None, ACCEPTED_ONLY),
    query("&visibility=public", Some("public"), ACCEPTED_ONLY),
    query("&visibility=community", Some("community"), ACCEPTED_ONLY),
    query("&visibility=shared", Some("shared"), ACCEPTED_ONLY),
    query("&visibility=private", Some("private"), ACCEPTED_ONLY),
    query("&visibility=all", Some("all"), ACCEPTED_ONLY),
    query("&member_status=all", None, &[PENDING, ACCEPTED, REJECTED]),
    query("&member_status=pending", None, &[PENDING]),
    query("&member_status=rejected&visibility=shared", Some("shared"), &[REJECTED]),
    Query { hidden: true, ..query("&os_hidden=true", None, ACCEPTED_ONLY) },
    Query { hidden: true, ..query("&os_hidden=true&visibility=all", Some("all"), ACCEPTED_ONLY) },
];

const fn query(text: &'static str, visibility: Option<&'static str>, members: &'static [&'static str]) -> Query {
    Query { text, visibility, members, hidden: false }
}

impl Query {
    /// Whether the image is in the list of this caller.
    fn finds(&self, caller: &Caller, image: &Subject) -> bool {
        // What is nobody's is as good as public to those who have no project.
        let own = image.owner == caller.project;
        let community = matches!(self.visibility, Some("community" | "all"));
        let reached = match image.visibility {
            "community" => caller.owns(image) || community,
            _ if caller.is_admin() => true,
            "public" => true,
            "shared" => own || caller.project.is_some_and(|project| self.members.contains(&project)),
            _ => own,
        };
        let wanted = self.visibility.is_none_or(|wanted| wanted == "all" || wanted == image.visibility);
        reached && wanted && image.hidden == self.hidden && caller.passes_on(GET_IMAGE, image)
    }
}

/// What is asked of v1: a query, and whether images that are (not) public are wanted.
const OF_V1: [(&str, Option<bool>); 4] =
    [("", None), ("&is_public=true", Some(true)), ("&is_public=false", Some(false)), ("&is_public=none", None)];

/// Whether v1 lists the image: what one may see of one's own, and only admins choose (v1-api §9.2).
fn v1_finds(text: &str, public: Option<bool>, caller: &Caller, image: &Subject) -> bool {
    let is_public = image.visibility == "public";
    let shared = image.visibility == "shared" && caller.is_member();
    let mine = is_public || caller.owns(image) || shared;
    let reached = match (caller.is_admin(), public) {
        (false, _) => mine,
        (true, Some(true)) => mine,
        (true, Some(false)) => !is_public,
        (true, None) => text.ends_with("none") || mine,
    };
    // It has no word for those that are hidden, and so nobody finds them.
    reached && !image.hidden && caller.passes_on(GET_IMAGE, image)
}

/// Everybody asks for all lists; what is not as it should be, and how many cells that were.
pub(super) fn compare(scene: &Scene) -> (usize, Vec<String>) {
    let hidden = subjects("active").into_iter().map(|image| Subject { hidden: true, ..image });
    let all = subjects("active").into_iter().chain(subjects("queued")).chain(subjects("deactivated")).chain(hidden);
    let gallery: Vec<(Subject, String)> = all.map(|image| (image, scene.image(&image, "gallery"))).collect();
    let mut table = Table { scene, gallery, cells: 0, deviations: Vec::new() };
    for caller in callers() {
        for query in QUERIES {
            table.list("v2", "/v2/images?limit=1000&name=gallery", query.text, &caller, |image| {
                query.finds(&caller, image)
            });
        }
        if !scene.is_gander() {
            continue;
        }
        for (text, public) in OF_V1 {
            for path in ["/v1/images?limit=1000&name=gallery", "/v1/images/detail?limit=1000&name=gallery"] {
                table.list("v1", path, text, &caller, |image| v1_finds(text, public, &caller, image));
            }
        }
        table.shared_images(&caller);
    }
    (table.cells, table.deviations)
}

struct Table<'a> {
    scene: &'a Scene,
    gallery: Vec<(Subject, String)>,
    cells: usize,
    deviations: Vec<String>,
}

impl Table<'_> {
    fn list(&mut self, api: &str, path: &str, query: &str, caller: &Caller, finds: impl Fn(&Subject) -> bool) {
        let answer = self.scene.client(caller).get(&format!("{path}{query}"));
        // The target of the rule is the caller's own project (policy-and-auth §3.5).
        let status = match (caller.nobody, api) {
            (true, "v2") => 401,
            _ if caller.passes(GET_IMAGES, &caller.own_project()) => 200,
            _ => 403,
        };
        let call = format!("{api} {}{query}", path.split('?').next().unwrap());
        self.compare(&call, caller, status, &answer, finds);
    }

    fn compare(
        &mut self,
        call: &str,
        caller: &Caller,
        status: u16,
        answer: &Response,
        finds: impl Fn(&Subject) -> bool,
    ) {
        self.cells += 1;
        if answer.status != status {
            self.deviations.push(format!("{call:<70}{:<44}{} instead of {status}", caller.to_string(), answer.status));
        } else if status == 200 {
            let json = answer.json();
            let images = json["images"].as_array().unwrap();
            let listed: BTreeSet<&str> = images.iter().map(|image| image["id"].as_str().unwrap()).collect();
            for (image, id) in &self.gallery {
                self.cells += 1;
                let verdict = match (listed.contains(id.as_str()), finds(image)) {
                    (true, false) => "is listed",
                    (false, true) => "is not listed",
                    _ => continue,
                };
                let (caller, image) = (caller.to_string(), image.to_string());
                self.deviations.push(format!("{call:<70}{caller:<44}{image} {verdict}"));
            }
        }
    }

    /// Of whose memberships these are, nobody is asked (v1-api §14), but a project's are not for a whole deployment.
    fn shared_images(&mut self, caller: &Caller) {
        self.cells += 1;
        let status = if caller.passes(GET_SHARED_IMAGES, &caller.own_project()) { 200 } else { 403 };
        let answer = self.scene.client(caller).get(&format!("/v1/shared-images/{ACCEPTED}"));
        if answer.status != status {
            self.deviations.push(format!("v1 shared-images {caller}: {} instead of {status}", answer.status));
        }
    }
}

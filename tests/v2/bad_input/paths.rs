//! Methods that a path does not have, and paths that lead nowhere.

use regex::{Captures, Regex};
use serde_json::json;

use super::world::{Brings, ROUTES, World};

#[test]
fn another_method_is_405_and_hears_which_there_are() {
    let world = World::new();
    for route in ROUTES {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "BREW"] {
            if route.methods.iter().any(|(known, _)| *known == method) {
                continue;
            }
            let what = format!("{method} {}", route.path);
            let answer = world.request(method, route.path, Brings::Nothing).send();
            let (status, said) = match (route.allow, method) {
                (Some(_), _) => (405, format!("The method {method} is not allowed for this resource.")),
                (None, "BREW") => (501, "BREW".to_owned()),
                (None, _) => (404, String::new()),
            };
            world.check(answer.header("allow") == route.allow, || format!("{what}: {:?}", answer.headers));
            match method {
                "HEAD" => world.check(answer.status == status && answer.body.is_empty(), || what),
                _ => world.refuses(&answer, status, &said, &what),
            }
        }
    }
    world.judge();
}

#[test]
fn there_is_nothing_behind_a_path() {
    let world = World::new();
    for route in ROUTES.iter().filter(|route| route.path != "/") {
        for (method, brings) in route.methods {
            let answer = |path: &str| world.request(method, path, *brings).send();
            for behind in ["/", "%2F", "%2f%2F", "/red/x/y"] {
                let path = format!("{}{behind}", route.path);
                world.refuses(&answer(&path), 404, "", &format!("{method} {path}"));
            }
            for broken in ["%FF", "/%C3%28", "%ED%A0%80"] {
                let path = format!("{}{broken}", route.path);
                world.refuses(&answer(&path), 400, "Error decoding your request.", &format!("{method} {path}"));
            }
        }
    }
    world.judge();
}

/// Names in paths that are no image's.
fn no_ids() -> Vec<String> {
    let short = "x .. . %2e%2e - {} %20 %0a %00 %25 % * null %F0%9F%A6%A2 '%20OR%201=1%20-- ;rm \
                 71c675ab-d94f-49cd-a114-e12490b328d 71c675ab-d94f-49cd-a114-e12490b328d9%0A \
                 71c675ab-d94f-49cd-a114-e12490b328d9%00 71c675ab-d94f-49cd-a114-e12490b328dg \
                 71c675ab-d94f-49cd-a114-e12490b328d9 urn:uuid:71c675abd94f49cda114e12490b328d9 \
                 {71c675abd94f49cda114e12490b328d9}";
    short.split(' ').map(str::to_owned).chain(["1".repeat(37), "a".repeat(5000)]).collect()
}

#[test]
fn a_name_that_is_no_images_is_404() {
    let world = World::new();
    // Of that one nobody is asked which nodes cache it.
    for route in ROUTES.iter().filter(|route| route.path.contains("{id}") && route.path != "/cache/nodes/{id}") {
        for (method, brings) in route.methods {
            for id in no_ids() {
                let request = world.request(method, &route.path.replace("{id}", &id), *brings);
                let object = json!({"member": "m", "status": "accepted", "url": "http://127.0.0.1/x"});
                let answer = match brings {
                    Brings::Nothing | Brings::Whatever => request.send(),
                    Brings::Object | Brings::Json => request.json(&object).send(),
                    Brings::Patch => request.json(&json!([{"op": "add", "path": "/name", "value": "n"}])).send(),
                    Brings::Data => request.body("data").send(),
                };
                // Those who manage the cache as of old hear that it cannot be a name; what could be one they may use.
                let (status, said) = match (route.allow, answer.status) {
                    (None, 200) if id.contains("b328d9") => continue,
                    (None, 400) => (400, "is not an image id"),
                    _ => (404, ""),
                };
                world.refuses(&answer, status, said, &format!("{method} {} {id}", route.path));
            }
        }
    }
    world.judge();
}

#[test]
fn tags_and_members_of_junk_are_refused() {
    let world = World::new();
    let (long, longest) = ("t".repeat(256), "t".repeat(5000));
    for junk in [&long, &longest, "%00", "a%00b", "%F0%9F%98%80", "%F0%9F%98%80%00"] {
        let tag = format!("/images/{{id}}/tags/{junk}");
        world.refuses(&world.request("PUT", &tag, Brings::Nothing).send(), 400, "", &tag);
        world.refuses(&world.request("DELETE", &tag, Brings::Nothing).send(), 404, "", &tag);
        let member = format!("/images/{{id}}/members/{junk}");
        world.refuses(&world.request("GET", &member, Brings::Nothing).send(), 404, "", &member);
        let accepted = world.request("PUT", &member, Brings::Object).json(&json!({"status": "accepted"})).send();
        world.refuses(&accepted, 404, "", &member);
        world.refuses(&world.request("DELETE", &member, Brings::Nothing).send(), 404, "", &member);
    }
    world.judge();
}

#[test]
fn all_routes_are_tried() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api/v2/routes.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let written = Regex::new(r#"\.route\(\s*"([^"]+)""#).unwrap();
    let named = Regex::new(r"\{(tag|member|store)\}").unwrap();
    for found in written.captures_iter(&source) {
        let path = named.replace_all(&found[1], |name: &Captures<'_>| match &name[1] {
            "tag" => "red",
            "member" => "project-b",
            _ => "file",
        });
        assert!(ROUTES.iter().any(|route| route.path == path), "{path} is not in the table");
    }
}

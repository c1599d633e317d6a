//! Several stores: `enabled_backends` (stores §3, v2-images §8, §10).

use std::fs;
use std::io::Write;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::people::{People, message, patch};
use super::upload::half_an_upload;
use crate::harness::{
    Behaviour, Client, Gander, Origin, Response, Setup, TRUSTED_CACHING, WriteLock, entries, eventually,
    gander_command, names, run,
};

const LIMIT: Duration = Duration::from_secs(15);
const ELSEWHERE: &str = "71c675ab-d94f-49cd-a114-e12490b328d9";

/// These stores in the place of the single one: those of `id` or `id:weight` are file stores in directories of these
/// names, and the first is the default one; `web` is of the web.
fn several(setup: Setup, stores: &[&str]) -> Setup {
    let mut setup = setup.unset("filesystem_store_datadir").unset("default_store").unset("node_staging_uri");
    let ids: Vec<_> = stores.iter().map(|store| store.split(':').next().unwrap()).collect();
    let kinds: Vec<_> = ids.iter().map(|id| format!("{id}:{}", if *id == "web" { "http" } else { "file" })).collect();
    setup = setup.set("enabled_backends", kinds.join(", ")).set("glance_store.default_backend", ids[0]);
    for (store, id) in stores.iter().zip(&ids) {
        if let Some((_, weight)) = store.split_once(':') {
            setup = setup.set(&format!("{id}.weight"), weight);
        }
        if *id != "web" {
            let dir = setup.path(id).display().to_string();
            setup = setup.set(&format!("{id}.filesystem_store_datadir"), dir);
        }
    }
    let staging = setup.path("staging").display().to_string();
    setup.set("os_glance_staging_store.filesystem_store_datadir", staging)
}

/// A server that knows who asks, and tells where data is.
fn people(stores: &[&str]) -> People {
    People::of(several(Setup::behind_proxy().set("show_multiple_locations", "True"), stores))
}

fn put(http: &Client, id: &str, store: &str, data: &[u8]) -> Response {
    http.put(&format!("/v2/images/{id}/file")).header("x-image-meta-store", store).data(data).send()
}

/// An image with data in this store; its id.
fn add_to(http: &Client, store: &str, data: &[u8]) -> String {
    let id = http.register("raw", "bare");
    put(http, &id, store, data).expect(204);
    id
}

/// As if an import had brought the data of an image into another store as well, which is noted as `note` says.
fn copy(gander: &Gander, id: &str, from: &str, to: &str, note: &str) {
    fs::create_dir_all(gander.path(to)).unwrap();
    fs::copy(gander.path(from).join(id), gander.path(to).join(id)).unwrap();
    let uri = format!("file://{}", gander.path(to).join(id).display());
    let row = format!("'{id}', '{uri}', '{note}', 'active', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, FALSE");
    let columns = "image_id, value, meta_data, status, created_at, updated_at, deleted";
    gander.rows(&format!("INSERT INTO image_locations ({columns}) VALUES ({row})"));
}

fn noted(gander: &Gander) -> Vec<String> {
    gander.rows("SELECT meta_data FROM image_locations WHERE deleted = FALSE ORDER BY id")
}

/// What a server refuses to start with.
#[track_caller]
fn refused(setup: Setup) -> String {
    let outcome = setup.run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    outcome.stderr
}

#[test]
fn what_stores_may_not_be_ends_the_start() {
    let plain = || several(Setup::api(""), &["fast", "slow"]);
    let error = refused(plain().set("enabled_backends", "fast:file, os_glance_mine:file"));
    let text = "'os_glance_' prefix should not be used in enabled_backends config option. It is reserved for internal use only.";
    assert!(error.contains(text), "{error}");
    let error = refused(plain().unset("glance_store.default_backend"));
    assert!(error.contains("'default_backend' config option is not set."), "{error}");
    let error = refused(plain().set("glance_store.default_backend", "file"));
    assert!(error.contains("Store for identifier file not found"), "{error}");
    let error = refused(plain().set("enabled_backends", "fast:file, slow:shed"));
    assert!(error.contains("enabled_backends: 'slow' is of the kind 'shed', of which there is no store"), "{error}");
    let staging = plain();
    let dir = staging.path("slow").display().to_string();
    let error = refused(staging.set("os_glance_staging_store.filesystem_store_datadir", dir));
    assert!(
        error.contains("[os_glance_staging_store] filesystem_store_datadir: is the directory of a store"),
        "{error}"
    );
    let error = refused(plain().set("slow.weight", "heavy"));
    assert!(error.contains("weight"), "{error}");
}

#[test]
fn kinds_that_are_not_built_are_known_by_name() {
    let kinds = "fast:file, a:s3, b:swift, c:rbd, d:cinder, e:vmware, f:glance.store.filesystem.Store";
    let gander = several(Setup::api(""), &["fast"]).set("enabled_backends", kinds).start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    put(&http, &id, "c", b"abc").expect(410);
    assert_eq!(http.status(&id), "queued");
    put(&http, &id, "fast", b"abc").expect(204);
    // A file store without a directory is as useless, but what is there is read.
    put(&http, &http.register("raw", "bare"), "f", b"abc").expect(410);
    for useless in ["a", "b", "c", "d", "e", "f"] {
        let told = format!("nothing can be added to the store {useless}");
        assert!(gander.log().lines().any(|line| line.ends_with(&told)), "{told}: {}", gander.log());
    }
}

#[test]
fn data_goes_to_the_default_store_or_the_named_one() {
    let gander = several(Setup::api("").set("show_multiple_locations", "True"), &["fast", "slow"]).start();
    let http = gander.client();
    let first = http.add_raw(b"abc");
    let second = add_to(&http, "slow", b"def");
    for (id, store, data) in [(&first, "fast", b"abc"), (&second, "slow", b"def")] {
        let file = gander.path(store).join(id);
        assert_eq!(fs::read(&file).unwrap(), data);
        let image = http.image(id);
        assert_eq!(image["stores"], store);
        let location = json!([{"url": format!("file://{}", file.display()), "metadata": {"store": store}}]);
        assert_eq!(image["locations"], location);
        assert_eq!(http.get_file(id).expect(200).body, data);
    }
    assert_eq!(noted(&gander), [r#"{"store": "fast"}"#, r#"{"store": "slow"}"#]);
    let id = http.register("raw", "bare");
    for unknown in ["shed", "file", "os_glance_staging_store", ""] {
        let refused = put(&http.with("Accept", "application/json"), &id, unknown, b"abc").expect(400);
        assert_eq!(message(&refused), format!("Store for identifier {unknown} not found"));
    }
    assert_eq!(http.status(&id), "queued");
    http.delete(&format!("/v2/images/{second}")).expect(204);
    assert!(!gander.path("slow").join(&second).exists() && gander.path("fast").join(&first).exists());
    assert!(entries(&gander.path("fast/.journal")).is_empty());
}

#[test]
fn v1_names_stores_by_their_ids_as_well() {
    let gander = several(Setup::api(""), &["fast", "slow"]).start();
    let http = gander.client();
    let id = http.reserve("Image1", &[("X-Image-Meta-Store", "slow")]);
    let path = format!("/v1/images/{id}");
    let upload = |store: &str| {
        let request = http.put(&path).header("Content-Type", "application/octet-stream");
        request.header("X-Image-Meta-Store", store).body("abc").send()
    };
    assert!(upload("file").expect(400).text().contains("Requested store file not available on this Glance server"));
    upload("slow").expect(200);
    assert_eq!(fs::read(gander.path("slow").join(&id)).unwrap(), b"abc");
    assert_eq!(http.download(&id), b"abc");
    let other = http.add_image("Image2");
    assert!(gander.path("fast").join(&other).exists());
    http.delete(&path).expect(200);
    assert!(names(&gander.path("slow")).is_empty());
}

#[test]
fn what_the_driver_notes_stays_beside_the_store() {
    let setup = several(Setup::api(""), &["fast"]);
    let file = setup.path("mountpoints.json");
    let mountpoint = setup.path("fast").display().to_string();
    fs::write(&file, json!({"id": "a", "mountpoint": mountpoint}).to_string()).unwrap();
    let gander = setup.set("fast.filesystem_store_metadata_file", file.display()).start();
    gander.client().add_raw(b"abc");
    assert_eq!(noted(&gander), [format!(r#"{{"id": "a", "mountpoint": "{mountpoint}", "store": "fast"}}"#)]);
}

#[test]
fn options_of_all_stores_are_those_of_each_that_has_none() {
    let setup = several(Setup::behind_proxy(), &["fast", "slow"]);
    let setup = setup.set("backend_defaults.filesystem_store_chunk_size", 1000);
    let setup = setup.set("slow.filesystem_store_chunk_size", 2000).set("slow.store_description", "not so fast");
    let people = People::of(setup.set("backend_defaults.filesystem_thin_provisioning", "True"));
    let stores = people.admin.get("/v2/info/stores/detail").expect(200).json();
    let properties = |dir: &str, chunk_size: u64| {
        let data_dir = people.gander.path(dir).display().to_string();
        json!({"data_dir": data_dir, "chunk_size": chunk_size, "thin_provisioning": true})
    };
    let fast =
        json!({"id": "fast", "default": "true", "type": "file", "properties": properties("fast", 1000), "weight": 0});
    let slow = json!({
        "id": "slow", "description": "not so fast", "type": "file", "properties": properties("slow", 2000), "weight": 0,
    });
    assert_eq!(stores, json!({"stores": [fast, slow]}));
}

#[test]
fn everybody_is_told_of_the_stores_and_admins_of_more() {
    let people = people(&["fast:-5", "web", "slow:9"]);
    let told = json!({"stores": [
        {"id": "fast", "default": "true"}, {"id": "web", "read-only": "true"}, {"id": "slow"},
    ]});
    assert_eq!(people.bob.get("/v2/info/stores").expect(200).json(), told);
    let detail = people.admin.get("/v2/info/stores/detail").expect(200).json();
    let web = json!({"id": "web", "read-only": "true", "type": "http", "properties": {}, "weight": 0});
    assert_eq!((&detail["stores"][1], &detail["stores"][2]["weight"]), (&web, &json!(9)));
    people.bob.get("/v2/info/stores/detail").expect(403);
    people.gander.client().get("/v2/info/stores").expect(401);
    let new = people.alice.post("/v2/images").json(&json!({})).send().expect(201);
    assert_eq!(new.header("OpenStack-image-store-ids"), Some("fast,web,slow"));
}

#[test]
fn versions_tell_of_several_stores() {
    let gander = several(Setup::api(""), &["fast"]).start();
    let list = gander.client().get("/versions").expect(200).json();
    let ids: Vec<_> = list["versions"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect();
    let wanted = "v2.15 v2.13 v2.12 v2.11 v2.10 v2.9 v2.8 v2.17 v2.7";
    assert_eq!(ids[..9].join(" "), wanted);
    gander.client().get("/v2.13/images").expect(200);
    gander.client().get("/v2.14/images").expect(300);
}

#[test]
fn the_heaviest_store_comes_first_and_the_others_stand_in() {
    let people = people(&["light:-1", "heavy:7", "middle"]);
    let http = &people.admin;
    let id = add_to(http, "light", b"abc");
    copy(&people.gander, &id, "light", "middle", r#"{"store": "middle"}"#);
    copy(&people.gander, &id, "light", "heavy", r#"{"store": "heavy"}"#);
    let at = |store: &str| people.gander.path(store).join(&id);
    let image = http.image(&id);
    assert_eq!(image["stores"], "heavy,middle,light");
    assert_eq!(image["locations"][0]["url"], format!("file://{}", at("heavy").display()));
    for store in ["light", "middle", "heavy"] {
        fs::write(at(store), format!("in {store}")).unwrap();
    }
    // The size and the digest are the image's no more, so nothing looks at them.
    people.gander.rows("UPDATE images SET checksum = NULL, size = 0, os_hash_value = NULL, os_hash_algo = NULL");
    let read = |query: &str| http.get(&format!("/v2/images/{id}/file{query}")).expect(200).text();
    assert_eq!(read(""), "in heavy");
    assert_eq!(read("?prefer=light"), "in light");
    assert_eq!(read("?prefer=%20middle%20,light"), "in middle");
    assert_eq!(read("?prefer="), "in heavy");
    fs::remove_file(at("heavy")).unwrap();
    assert_eq!(read(""), "in middle");
    fs::remove_file(at("light")).unwrap();
    assert_eq!(read("?prefer=light"), "in middle");
    fs::remove_file(at("middle")).unwrap();
    http.get_file(&id).expect(204);
    let unknown = http.with("Accept", "application/json").get(&format!("/v2/images/{id}/file?prefer=light,shed"));
    assert_eq!(message(&unknown.expect(400)), "Store 'shed' is not configured.");
}

#[test]
fn where_the_first_store_fails_the_next_one_is_asked() {
    let people = people(&["fast", "web:1"]);
    let http = &people.admin;
    let (id, origin) = (add_to(http, "fast", b"abc"), Origin::serving(b"abc"));
    let value = json!({"url": origin.url("/images/1"), "metadata": {}});
    let added = patch(http, &format!("/v2/images/{id}"), &json!({"op": "add", "path": "/locations/-", "value": value}));
    assert_eq!(added.expect(200).json()["stores"], "web,fast");
    let gets = origin.gets();
    for status in [500, 404, 403] {
        origin.set(Behaviour::Status(status));
        assert_eq!(http.get_file(&id).expect(200).body, b"abc");
    }
    assert_eq!(origin.gets(), gets + 3);
    assert_eq!(http.get(&format!("/v2/images/{id}/file?prefer=fast")).expect(200).body, b"abc");
    assert_eq!(origin.gets(), gets + 3);
    let part = http.request("GET", &format!("/v2/images/{id}/file")).header("Range", "bytes=1-").send().expect(206);
    assert_eq!(part.body, b"bc");
}

#[test]
fn who_may_prefer_stores_is_a_rule() {
    let people = people(&["fast"]);
    people.gander.set_policy(r#"{"download_from_store": "role:admin"}"#);
    let image = add_to(&people.alice, "fast", b"abc");
    let path = format!("/v2/images/{image}/file");
    people.alice.get(&path).expect(200);
    people.alice.get(&format!("{path}?prefer=fast")).expect(403);
    people.alice.get(&format!("{path}?prefer=shed")).expect(403);
    people.admin.get(&format!("{path}?prefer=fast")).expect(200);
}

#[test]
fn stores_that_are_not_noted_are_found_by_the_location() {
    let people = people(&["fast", "slow:1"]);
    let (gander, http) = (&people.gander, &people.bob);
    let id = add_to(&people.alice, "fast", b"abc");
    copy(gander, &id, "fast", "slow", r#"{"store": "of old", "rack": "7"}"#);
    gander.rows("UPDATE image_locations SET meta_data = '{}' WHERE meta_data LIKE '%fast%'");
    let change = json!({"op": "replace", "path": "/visibility", "value": "community"});
    // A list tells it, and changes nothing.
    let listed = people.alice.get("/v2/images").expect(200).json();
    assert_eq!(listed["images"][0]["stores"], "slow,fast");
    assert_eq!(noted(gander), ["{}", r#"{"store": "of old", "rack": "7"}"#]);
    patch(&people.alice, &format!("/v2/images/{id}"), &change).expect(200);
    // Whoever looks, it is noted: it is not the image that changes.
    let image = http.image(&id);
    assert_eq!(image["stores"], "slow,fast");
    assert_eq!(noted(gander), [r#"{"store": "fast"}"#, r#"{"store": "slow", "rack": "7"}"#]);
    assert_eq!(http.image(&id), image);
    assert_eq!(http.get_file(&id).expect(200).body, b"abc");
}

#[test]
fn a_location_that_begins_like_no_store_is_read_and_removed_all_the_same() {
    let people = people(&["fast", "slow"]);
    let (gander, http) = (&people.gander, &people.admin);
    let id = add_to(http, "slow", b"abc");
    let moved = gander.path("elsewhere");
    fs::rename(gander.path("slow").join(&id), &moved).unwrap();
    gander.rows(&format!("UPDATE image_locations SET value = 'file://{}', meta_data = '{{}}'", moved.display()));
    assert_eq!(http.get_file(&id).expect(200).body, b"abc");
    assert_eq!(http.image(&id).get("stores"), None);
    http.delete(&format!("/v2/images/{id}")).expect(204);
    assert!(!moved.exists());
}

#[test]
fn the_data_of_a_store_that_is_not_here_is_left_to_who_has_it() {
    let people = people(&["fast"]);
    let (gander, http) = (&people.gander, &people.admin);
    let id = add_to(http, "fast", b"abc");
    let moved = gander.path("elsewhere");
    fs::rename(gander.path("fast").join(&id), &moved).unwrap();
    let note = format!(r#"value = 'file://{}', meta_data = '{{"store": "remote"}}'"#, moved.display());
    gander.rows(&format!("UPDATE image_locations SET {note}"));
    assert_eq!(http.image(&id)["stores"], "remote");
    http.get_file(&id).expect(503);
    http.delete(&format!("/v2/images/{id}")).expect(204);
    assert!(moved.exists());
    let journal = entries(&gander.path("fast/.journal"));
    assert!(fs::read_to_string(&journal[0]).unwrap().contains(r#""remote""#));
    // A server that has it is a server with such a store, wherever that has its files now.
    let mut gander = people.gander;
    gander.end(Signal::TERM);
    gander.configure("enabled_backends", "fast:file, remote:file");
    gander.start_again();
    assert!(!moved.exists() && entries(&gander.path("fast/.journal")).is_empty());
}

#[test]
fn data_is_taken_out_of_one_store() {
    let people = people(&["fast", "slow", "other", "web"]);
    let (gander, http) = (&people.gander, people.admin.with("Accept", "application/json"));
    let id = add_to(&people.alice, "fast", b"abc");
    let withdraw = |http: &Client, store: &str| http.delete(&format!("/v2/stores/{store}/{id}"));
    let told = |answer: Response, status: u16| message(&answer.expect(status));
    let only = "Cannot delete image data from the only store containing it. Consider deleting the image instead.";
    assert_eq!(told(withdraw(&http, "fast"), 403), only);
    copy(gander, &id, "fast", "slow", r#"{"store": "slow"}"#);
    assert_eq!(told(withdraw(&http, "shed"), 409), "The selected store shed is not available on this node.");
    assert_eq!(told(withdraw(&http, "other"), 404), format!("Image {id} is not stored in store other."));
    let missing = http.delete(&format!("/v2/stores/fast/{ELSEWHERE}"));
    assert_eq!(told(missing, 404), format!("Failed to find image {ELSEWHERE}"));
    assert_eq!(told(http.delete("/v2/stores/fast/x"), 404), "Failed to find image x");
    withdraw(&people.alice, "fast").expect(403);
    withdraw(&people.bob, "fast").expect(404);
    withdraw(&gander.client(), "fast").expect(401);
    let queued = people.alice.register("raw", "bare");
    let text = told(http.delete(&format!("/v2/stores/fast/{queued}")), 409);
    assert_eq!(text, "It's not allowed to remove image data from store if image status is not 'active'");
    withdraw(&http, "fast").expect(204);
    assert!(!gander.path("fast").join(&id).exists());
    let image = people.alice.image(&id);
    assert_eq!((&image["stores"], image["locations"].as_array().unwrap().len()), (&json!("slow"), 1));
    assert_eq!(people.alice.get_file(&id).expect(200).body, b"abc");
    assert_eq!(told(withdraw(&http, "slow"), 403), only);
    assert!(entries(&gander.path("fast/.journal")).is_empty());
}

#[test]
fn data_of_a_store_that_is_not_built_stays_known() {
    let gander = several(Setup::api(""), &["fast"]).set("enabled_backends", "fast:file, ceph:rbd").start();
    let http = gander.client();
    let id = add_to(&http, "fast", b"abc");
    copy(&gander, &id, "fast", "ceph", r#"{"store": "ceph"}"#);
    gander.rows("UPDATE image_locations SET value = 'rbd://f/p/i/s' WHERE meta_data LIKE '%ceph%'");
    http.delete(&format!("/v2/stores/ceph/{id}")).expect(204);
    assert_eq!(http.image(&id)["stores"], "fast");
    let journal = entries(&gander.path("fast/.journal"));
    assert!(fs::read_to_string(&journal[0]).unwrap().contains("rbd://f/p/i/s"));
}

#[test]
fn what_is_cached_stays_so_when_a_store_loses_it() {
    let setup = several(Setup::api("").paste(TRUSTED_CACHING), &["fast", "slow"]);
    let gander = setup.start();
    let http = gander.client().acting_as("a", "a", "admin,member,reader");
    let id = add_to(&http, "fast", b"abc");
    copy(&gander, &id, "fast", "slow", r#"{"store": "slow"}"#);
    assert_eq!(http.get_file(&id).expect(200).body, b"abc");
    assert_eq!(names(&gander.path("cache")), [id.as_str()]);
    http.delete(&format!("/v2/stores/fast/{id}")).expect(204);
    assert_eq!(http.get_file(&id).expect(200).body, b"abc");
    assert_eq!(names(&gander.path("cache")), [id.as_str()]);
    http.delete(&format!("/v2/images/{id}")).expect(204);
    assert!(names(&gander.path("cache")).is_empty() && names(&gander.path("slow")).is_empty());
}

#[test]
fn a_removed_location_takes_the_data_of_its_own_store_along() {
    let people = people(&["fast", "slow:5"]);
    let (gander, http) = (&people.gander, &people.admin);
    let id = add_to(http, "fast", b"abc");
    copy(gander, &id, "fast", "slow", r#"{"store": "slow"}"#);
    // The heaviest is the first, as it is shown.
    let path = format!("/v2/images/{id}");
    let image = patch(http, &path, &json!({"op": "remove", "path": "/locations/0"})).expect(200).json();
    assert_eq!(image["stores"], "fast");
    assert!(!gander.path("slow").join(&id).exists() && gander.path("fast").join(&id).exists());
}

#[test]
fn locations_of_clients_are_noted_as_in_the_store_that_they_are_in() {
    let people = people(&["fast", "web"]);
    let (gander, http) = (&people.gander, &people.alice);
    let origin = Origin::serving(b"abc");
    let add = |id: &str, url: &str, metadata: Value| {
        let value = json!({"url": url, "metadata": metadata});
        patch(http, &format!("/v2/images/{id}"), &json!({"op": "add", "path": "/locations/-", "value": value}))
    };
    let id = http.register("raw", "bare");
    let image = add(&id, &origin.url("/images/1"), json!({"store": "fast", "rack": "7"})).expect(200).json();
    assert_eq!(image["stores"], "web");
    assert_eq!(image["locations"][0]["metadata"], json!({"store": "web", "rack": "7"}));
    assert_eq!(http.get_file(&id).expect(200).body, b"abc");
    add(&id, &format!("file://{}", gander.path("fast/x").display()), json!({})).expect(400);
    // Nor is it said otherwise afterwards.
    let list = json!([{"url": origin.url("/images/1"), "metadata": {"store": "fast"}}]);
    let replaced =
        patch(http, &format!("/v2/images/{id}"), &json!({"op": "replace", "path": "/locations", "value": list}));
    assert_eq!(replaced.expect(200).json()["locations"][0]["metadata"], json!({"store": "web"}));
    let told = http.register("raw", "bare");
    http.post(&format!("/v2/images/{told}/locations"))
        .json(&json!({"url": origin.url("/images/2")}))
        .send()
        .expect(202);
    eventually("the image is active", LIMIT, || http.status(&told) == "active");
    assert_eq!(http.image(&told)["stores"], "web");
}

#[test]
fn without_a_store_of_the_web_nobody_tells_locations() {
    let people = people(&["fast"]);
    let id = people.alice.register("raw", "bare");
    let body = json!({"url": "http://127.0.0.1:1/images/1"});
    people.alice.post(&format!("/v2/images/{id}/locations")).json(&body).send().expect(403);
}

#[test]
fn staged_data_waits_where_the_reserved_store_says() {
    let gander = several(Setup::api(""), &["fast"]).start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    http.put_stage(&id, b"abc").expect(204);
    assert_eq!(fs::read(gander.path("staging").join(&id)).unwrap(), b"abc");
    http.delete(&format!("/v2/images/{id}")).expect(204);
    assert!(names(&gander.path("staging")).is_empty());
}

#[test]
fn what_killed_servers_leave_is_removed_from_the_right_store() {
    let mut gander = several(Setup::api(""), &["slow", "fast"]).start();
    let kept = gander.client().add_raw(b"abc");
    gander.end(Signal::TERM);
    gander.configure("glance_store.default_backend", "fast");
    gander.start_again();
    let (id, mut stream) = half_an_upload(&gander.client());
    let lock = WriteLock::on(gander.database());
    stream.write_all(b"def").unwrap();
    eventually("the data is stored", LIMIT, || gander.path("fast").join(&id).exists());
    gander.end(Signal::KILL);
    drop(lock);
    gander.start_again();
    assert_eq!(gander.client().status(&id), "queued");
    assert_eq!((names(&gander.path("slow")), names(&gander.path("fast"))), (vec![kept], Vec::new()));
    assert!(entries(&gander.path("slow/.journal")).is_empty());
    add_to(&gander.client(), "slow", b"again");
}

#[test]
fn the_scrubber_leaves_the_data_of_a_store_that_is_not_here() {
    let gander = several(Setup::api("").set("delayed_delete", "True"), &["fast"]).start();
    let http = gander.client();
    let id = add_to(&http, "fast", b"abc");
    let moved = gander.path("elsewhere");
    fs::rename(gander.path("fast").join(&id), &moved).unwrap();
    let note = format!(r#"value = 'file://{}', meta_data = '{{"store": "remote"}}'"#, moved.display());
    gander.rows(&format!("UPDATE image_locations SET {note}"));
    http.delete(&format!("/v2/images/{id}")).expect(204);
    let mut scrubber = gander_command();
    run(scrubber.args(["scrubber", "--config-file"]).arg(gander.path("glance-api.conf")));
    assert!(moved.exists());
    assert_eq!(gander.rows("SELECT status FROM images"), ["pending_delete"]);
}

#[test]
fn the_scrubber_removes_data_from_the_right_stores() {
    let setup = several(Setup::api("").set("delayed_delete", "True"), &["fast", "slow"]);
    let gander = setup.start();
    let http = gander.client();
    let id = add_to(&http, "slow", b"abc");
    copy(&gander, &id, "slow", "fast", "{}");
    http.delete(&format!("/v2/images/{id}")).expect(204);
    assert!(gander.path("fast").join(&id).exists() && gander.path("slow").join(&id).exists());
    let mut scrubber = gander_command();
    scrubber.args(["scrubber", "--config-file"]).arg(gander.path("glance-api.conf"));
    let outcome = run(&mut scrubber);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!gander.path("fast").join(&id).exists() && !gander.path("slow").join(&id).exists());
    assert_eq!(gander.rows("SELECT status FROM images"), ["deleted"]);
}

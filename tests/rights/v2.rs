//! v2's calls about one image: how they are made, and what the specification says comes of them.

use serde_json::{Value, json};

use super::model::{
    ACCEPTED, ADD_IMAGE_LOCATION, ADD_MEMBER, CACHE, COMMUNITIZE_IMAGE, Caller, DEACTIVATE, DELETE_IMAGE,
    DELETE_IMAGE_LOCATION, DELETE_MEMBER, DOWNLOAD_IMAGE, FETCH_IMAGE_LOCATION, GET_IMAGE, GET_IMAGE_LOCATION,
    GET_MEMBER, GET_MEMBERS, MODIFY_IMAGE, MODIFY_MEMBER, PENDING, PUBLICIZE_IMAGE, REACTIVATE, Rule,
    SET_IMAGE_LOCATION, Subject, UPLOAD_IMAGE,
};
use super::scene::{OTHER_DATA, STORE, TAG, patch};
use super::table::{Call, Kind, Operation};
use crate::harness::Response;

/// Every call. Members, caches and locations have ways of their own to be judged; the rest is a matter of rules alone.
pub(super) fn operations() -> Vec<Operation> {
    let of = |kind, name, statuses, ask, expected| Operation { api: "v2", kind, name, statuses, ask, expected };
    let read = |name, statuses, ask, expected| of(Kind::Read, name, statuses, ask, expected);
    let change = |name, statuses, ask, expected| of(Kind::Change, name, statuses, ask, expected);
    vec![
        read("show", ANY, |call| call.get(""), |c, i| c.verdict(&[GET_IMAGE], i, 200)),
        read("list members", ACTIVE, |call| call.get("/members"), |c, i| of_members(c, i, GET_MEMBERS, None, 200)),
        read(
            "show member",
            ACTIVE,
            |call| call.get(&format!("/members/{ACCEPTED}")),
            // Who is not to know of a member hears of none (v2-images §9).
            |c, i| {
                Some(of_members(c, i, GET_MEMBER, Some(ACCEPTED), 200)).filter(|status| *status != 403).unwrap_or(404)
            },
        ),
        read(
            "show locations",
            ACTIVE,
            |call| call.get("/locations"),
            |c, i| c.verdict(&[FETCH_IMAGE_LOCATION], i, 200),
        ),
        of(Kind::Cold, "download", ANY, |call| call.get("/file"), downloaded),
        of(Kind::Hit, "download", ACTIVE, |call| call.get("/file"), downloaded),
        change(
            "upload",
            QUEUED,
            |call| call.put("/file").data(OTHER_DATA).send(),
            |c, i| c.verdict_on_change(&[UPLOAD_IMAGE], i, 204),
        ),
        change(
            "stage",
            QUEUED,
            |call| call.put("/stage").data(OTHER_DATA).send(),
            |c, i| c.verdict_on_change(&[MODIFY_IMAGE], i, 204),
        ),
        change("rename", ACTIVE, |call| replace(call, "/name", json!("mine")), modified),
        change("change property", ACTIVE, |call| replace(call, "/kept", json!("mine")), modified),
        change("remove property", ACTIVE, |call| edit(call, json!({"op": "remove", "path": "/kept"})), modified),
        change("replace tags", ACTIVE, |call| replace(call, "/tags", json!([])), modified),
        change("unprotect", PROTECTED, |call| replace(call, "/protected", json!(false)), modified),
        change("hide", ACTIVE, |call| replace(call, "/os_hidden", json!(true)), modified),
        change(
            "make public",
            ACTIVE,
            |call| replace(call, "/visibility", json!("public")),
            |c, i| c.verdict_on_change(&[PUBLICIZE_IMAGE, MODIFY_IMAGE], i, 200),
        ),
        change(
            "make community",
            ACTIVE,
            |call| replace(call, "/visibility", json!("community")),
            |c, i| c.verdict_on_change(&[COMMUNITIZE_IMAGE, MODIFY_IMAGE], i, 200),
        ),
        change("make private", ACTIVE, |call| replace(call, "/visibility", json!("private")), modified),
        change("give away", ACTIVE, |call| replace(call, "/owner", json!("project-new")), given_away),
        change(
            "give away by add",
            ACTIVE,
            |call| edit(call, json!({"op": "add", "path": "/owner", "value": "project-new"})),
            given_away,
        ),
        change("delete", ALSO_PROTECTED, |call| call.client.delete(&call.path("")), deleted),
        change("deactivate", ANY, |call| act(call, "deactivate"), |c, i| acted(c, i, DEACTIVATE, "deactivated")),
        change("reactivate", ANY, |call| act(call, "reactivate"), |c, i| acted(c, i, REACTIVATE, "active")),
        change(
            "tag",
            ACTIVE,
            |call| call.put("/tags/mine").send(),
            |c, i| c.verdict_on_change(&[MODIFY_IMAGE], i, 204),
        ),
        change(
            "untag",
            ACTIVE,
            |call| call.client.delete(&call.path(&format!("/tags/{TAG}"))),
            |c, i| c.verdict_on_change(&[MODIFY_IMAGE], i, 204),
        ),
        change(
            "add member",
            ACTIVE,
            |call| call.client.post(&call.path("/members")).json(&json!({"member": "project-new"})).send(),
            |c, i| of_members(c, i, ADD_MEMBER, None, 200),
        ),
        change(
            "answer for the accepted",
            ACTIVE,
            |call| answer(call, ACCEPTED),
            |c, i| of_members(c, i, MODIFY_MEMBER, Some(ACCEPTED), 200),
        ),
        change(
            "answer for the pending",
            ACTIVE,
            |call| answer(call, PENDING),
            |c, i| of_members(c, i, MODIFY_MEMBER, Some(PENDING), 200),
        ),
        change(
            "remove member",
            ACTIVE,
            |call| call.client.delete(&call.path(&format!("/members/{ACCEPTED}"))),
            |c, i| of_members(c, i, DELETE_MEMBER, Some(ACCEPTED), 204),
        ),
        change(
            "tell location",
            QUEUED,
            |call| call.client.post(&call.path("/locations")).json(&json!({"url": call.elsewhere()})).send(),
            |c, i| c.verdict(&[ADD_IMAGE_LOCATION], i, 202),
        ),
        change(
            "add location by patch",
            QUEUED,
            |call| {
                let place = json!({"url": call.elsewhere(), "metadata": {}});
                edit(call, json!({"op": "add", "path": "/locations/-", "value": place}))
            },
            |c, i| c.verdict_on_change(&[SET_IMAGE_LOCATION], i, 200),
        ),
        change(
            "remove location by patch",
            ACTIVE,
            |call| edit(call, json!({"op": "remove", "path": "/locations/0"})),
            // It is the last one, which stays for those who may as well (v2-images §7).
            |c, i| c.verdict_on_change(&[DELETE_IMAGE_LOCATION], i, 403),
        ),
        change(
            "withdraw from a store",
            ACTIVE,
            |call| call.client.delete(&format!("/v2/stores/{STORE}/{}", call.id)),
            // It is the only one, which keeps it for those who may as well (v2-images §10).
            |c, i| c.verdict_on_change(&[GET_IMAGE_LOCATION, DELETE_IMAGE_LOCATION], i, 403),
        ),
        change("cache", ACTIVE, |call| call.client.put(&call.cache()).send(), |c, i| cached(c, i, 202)),
        change("uncache", ACTIVE, |call| call.client.delete(&call.cache()), |c, i| cached(c, i, 204)),
        read(
            "nodes that cache",
            ACTIVE,
            |call| call.client.get(&call.cache().replace("/cache/", "/cache/nodes/")),
            // No image is looked up for this rule; those whom it lets hear that this node knows of no other.
            |c, _| if c.passes(CACHE, &Default::default()) { 409 } else { 403 },
        ),
    ]
}

const QUEUED: &[&str] = &["queued"];
const ACTIVE: &[&str] = &["active"];
const PROTECTED: &[&str] = &["protected"];
const ANY: &[&str] = &["queued", "active", "deactivated"];
const ALSO_PROTECTED: &[&str] = &["queued", "active", "deactivated", "protected"];

fn edit(call: &Call<'_>, change: Value) -> Response {
    patch(call.client, call.id, &json!([change])).send()
}

fn replace(call: &Call<'_>, path: &str, value: Value) -> Response {
    edit(call, json!({"op": "replace", "path": path, "value": value}))
}

fn act(call: &Call<'_>, action: &str) -> Response {
    call.client.post(&call.path(&format!("/actions/{action}"))).send()
}

/// To what nobody has said so far.
fn answer(call: &Call<'_>, member: &str) -> Response {
    call.put(&format!("/members/{member}")).json(&json!({"status": "rejected"})).send()
}

fn modified(caller: &Caller, image: &Subject) -> u16 {
    caller.verdict_on_change(&[MODIFY_IMAGE], image, 200)
}

/// An owner changes but by an admin (policy-and-auth §5.5).
fn given_away(caller: &Caller, image: &Subject) -> u16 {
    caller.verdict_on_change(&[MODIFY_IMAGE], image, if caller.is_admin() { 200 } else { 403 })
}

/// Data of deactivated images is for admins; without data there is nothing to be handed out (v2-images §8.2).
fn downloaded(caller: &Caller, image: &Subject) -> u16 {
    let success = match image.status {
        "deactivated" if !caller.is_admin() => 403,
        "queued" => 204,
        _ => 200,
    };
    caller.verdict(&[DOWNLOAD_IMAGE], image, success)
}

fn deleted(caller: &Caller, image: &Subject) -> u16 {
    caller.verdict_on_change(&[DELETE_IMAGE], image, if image.protected { 403 } else { 204 })
}

/// What has no data is neither active nor not, and what is already as it is wished to be is left alone (v2-images §6.6).
fn acted(caller: &Caller, image: &Subject, rule: Rule, already: &str) -> u16 {
    match image.status {
        "queued" => caller.verdict(&[rule], image, 403),
        status if status == already => caller.verdict(&[rule], image, 204),
        _ => caller.verdict_on_change(&[rule], image, 204),
    }
}

/// The image must be seen, and be shared; who is neither its owner nor admin knows of no member but himself; the rule is the
/// last to be asked (policy-and-auth §5.3, §5.5, v2-images §9).
fn of_members(caller: &Caller, image: &Subject, rule: Rule, member: Option<&str>, success: u16) -> u16 {
    let knows = |member| caller.is_admin() || caller.owns(image) || caller.project == Some(member);
    if caller.verdict(&[GET_IMAGE], image, 200) != 200 {
        404
    } else if image.visibility != "shared" {
        403
    } else if member.is_some_and(|member| !knows(member)) {
        404
    } else {
        caller.verdict(&[rule], image, success)
    }
}

/// The image must be there, and then the rule says no more than that (policy-and-auth §5.3).
fn cached(caller: &Caller, image: &Subject, success: u16) -> u16 {
    if !caller.sees(image) {
        404
    } else if caller.passes_on(CACHE, image) {
        success
    } else {
        403
    }
}

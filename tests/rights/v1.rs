//! v1's calls about one image. Behind a proxy that tells of roles today's rules judge them, too; v1's own habits, which
//! v1-api tells of, come on top.

use serde_json::json;

use super::model::{
    ACCEPTED, ADD_MEMBER, Caller, DELETE_IMAGE, DELETE_MEMBER, DOWNLOAD_IMAGE, GET_IMAGE, GET_MEMBERS, MODIFY_IMAGE,
    PUBLICIZE_IMAGE, Rule, Subject, UPLOAD_IMAGE,
};
use super::scene::OTHER_DATA;
use super::table::{Call, Kind, Operation};
use crate::harness::Response;

/// Every call.
pub(super) fn operations() -> Vec<Operation> {
    let of = |kind, name, statuses, ask, expected| Operation { api: "v1", kind, name, statuses, ask, expected };
    let read = |name, statuses, ask, expected| of(Kind::Read, name, statuses, ask, expected);
    let change = |name, statuses, ask, expected| of(Kind::Change, name, statuses, ask, expected);
    vec![
        read("show", ANY, |call| call.client.head(&call.path("")), |c, i| c.verdict(&[GET_IMAGE], i, 200)),
        read("list members", ACTIVE, |call| call.get("/members"), listed_members),
        of(Kind::Cold, "download", ANY, |call| call.get(""), downloaded),
        of(Kind::Hit, "download", ACTIVE, |call| call.get(""), downloaded),
        change(
            "upload",
            QUEUED,
            |call| call.put("").data(OTHER_DATA).send(),
            |c, i| altered(c, i, &[MODIFY_IMAGE, UPLOAD_IMAGE], 200),
        ),
        change("rename", ACTIVE, |call| set(call, "Name", "mine"), |c, i| altered(c, i, &[MODIFY_IMAGE], 200)),
        change(
            "unprotect",
            PROTECTED,
            |call| set(call, "Protected", "False"),
            |c, i| altered(c, i, &[MODIFY_IMAGE], 200),
        ),
        change("make public", ACTIVE, |call| set(call, "Is-Public", "True"), published),
        change("delete", ALSO_PROTECTED, |call| call.client.delete(&call.path("")), deleted),
        change("add member", ACTIVE, |call| call.put("/members/project-new").send(), |c, i| shared(c, i, ADD_MEMBER)),
        change("let member share", ACTIVE, let_share, |c, i| shared(c, i, ADD_MEMBER)),
        change("replace members", ACTIVE, replace_members, |c, i| shared(c, i, ADD_MEMBER)),
        change(
            "remove member",
            ACTIVE,
            |call| call.client.delete(&call.path(&format!("/members/{ACCEPTED}"))),
            |c, i| shared(c, i, DELETE_MEMBER),
        ),
    ]
}

const QUEUED: &[&str] = &["queued"];
const ACTIVE: &[&str] = &["active"];
const PROTECTED: &[&str] = &["protected"];
const ANY: &[&str] = &["queued", "active", "deactivated"];
const ALSO_PROTECTED: &[&str] = &["queued", "active", "deactivated", "protected"];

/// One attribute; what else there is stays.
fn set(call: &Call<'_>, attribute: &str, value: &str) -> Response {
    let request = call.put("").header("X-Glance-Registry-Purge-Props", "false");
    request.header(&format!("X-Image-Meta-{attribute}"), value).send()
}

fn let_share(call: &Call<'_>) -> Response {
    call.put(&format!("/members/{ACCEPTED}")).json(&json!({"member": {"can_share": true}})).send()
}

fn replace_members(call: &Call<'_>) -> Response {
    call.put("/members").json(&json!({"memberships": []})).send()
}

/// A change of the record. What the rules let be changed but is not the caller's is not found (v1-api §11, §12).
fn altered(caller: &Caller, image: &Subject, rules: &[Rule], success: u16) -> u16 {
    let foreign = !caller.is_admin() && !caller.owns(image);
    let otherwise =
        if caller.passes_all(rules, image) && foreign { 404 } else { caller.verdict(rules, image, success) };
    written(caller, otherwise)
}

/// What is protected is so for everybody, its owner or not (v1-api §12).
fn deleted(caller: &Caller, image: &Subject) -> u16 {
    match image.protected {
        true => written(caller, caller.verdict(&[DELETE_IMAGE], image, 403)),
        false => altered(caller, image, &[DELETE_IMAGE], 200),
    }
}

/// Without an identity nothing is changed, whatever it is (v1-api §4.2, §11).
fn written(caller: &Caller, otherwise: u16) -> u16 {
    if caller.nobody { 403 } else { otherwise }
}

/// v1 tells of an image along with its data, so both rules are asked (v1-api §5, §12). What is not active has none.
fn downloaded(caller: &Caller, image: &Subject) -> u16 {
    caller.verdict(&[GET_IMAGE, DOWNLOAD_IMAGE], image, if image.status == "active" { 200 } else { 404 })
}

/// What is public already is not made so.
fn published(caller: &Caller, image: &Subject) -> u16 {
    let publicize: &[Rule] = if image.visibility == "public" { &[] } else { &[PUBLICIZE_IMAGE] };
    altered(caller, image, &[publicize, &[MODIFY_IMAGE]].concat(), 200)
}

/// The rule of seeing the image comes first (policy-and-auth §5.3).
fn listed_members(caller: &Caller, image: &Subject) -> u16 {
    match caller.verdict(&[GET_IMAGE], image, 200) {
        200 => caller.verdict(&[GET_MEMBERS], image, 200),
        refused => refused,
    }
}

/// v1 has members of every image. Who shares without a project is nobody (v1-api §14).
fn shared(caller: &Caller, image: &Subject, rule: Rule) -> u16 {
    let verdict = match caller.verdict(&[GET_IMAGE], image, 200) {
        200 => caller.verdict(&[rule], image, 204),
        refused => refused,
    };
    written(caller, if verdict == 204 && caller.project.is_none() { 401 } else { verdict })
}

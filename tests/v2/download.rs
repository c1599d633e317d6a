//! `GET /v2/images/{id}/file` (v2-images §8.2, §12.1).

use std::fs;

use super::client::{caching, refusal};
use crate::harness::{Behaviour, Gander, Origin, Setup, five_kb, md5, names, noise};

const DEACTIVATE: &str = "UPDATE images SET status = 'deactivated'";

#[test]
fn an_image_comes_with_these_headers_and_no_others() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.add_raw(&five_kb());
    let answer = http.get_file(&id).expect(200);
    assert_eq!(answer.body, five_kb());
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert_eq!(answer.header("content-md5"), Some(md5(&five_kb()).as_str()));
    assert_eq!(answer.header("content-length"), Some("5120"));
    for name in ["accept-ranges", "etag", "last-modified", "content-range"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert!(answer.header("x-openstack-request-id").is_some());
    // Conditions are nobody's concern.
    let request = http.request("GET", &format!("/v2/images/{id}/file")).header("If-None-Match", "*");
    request.header("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT").send().expect(200);
    let request = http.request("GET", &format!("/v2/images/{id}/file")).header("If-Range", "\"other\"");
    assert_eq!(request.header("Range", "bytes=0-3").send().expect(206).body, b"****");
}

#[test]
fn where_there_is_no_data_there_is_no_content() {
    let gander = Gander::plain();
    let http = gander.client();
    let queued = http.register("raw", "bare");
    let staged = http.register("raw", "bare");
    http.put_stage(&staged, b"abc").expect(204);
    let (saving, _stream) = super::upload::half_an_upload(&http);
    let missing = http.add_raw(b"abc");
    fs::remove_file(gander.path("images").join(&missing)).unwrap();
    for id in [queued, staged, saving, missing] {
        for range in [None, Some("bytes=0-1"), Some("bytes=5-2")] {
            let request = http.request("GET", &format!("/v2/images/{id}/file"));
            let request = range.into_iter().fold(request, |request, range| request.header("Range", range));
            let status = http.status(&id);
            let answer = request.send();
            if status == "active" && range == Some("bytes=5-2") {
                answer.expect(416);
                continue;
            }
            let answer = answer.expect(204);
            for name in ["content-type", "content-length", "content-md5"] {
                assert_eq!(answer.header(name), None, "{name}");
            }
        }
    }
}

#[test]
fn a_bad_request_is_refused_in_this_order() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.add_raw(b"abc");
    let text = refusal(http.request("GET", &format!("/v2/images/{id}/file")).body("x").send(), 400);
    assert!(text.contains("A body is not expected with this request."), "{text}");
    let nobody = "71c675ab-d94f-49cd-a114-e12490b328d9";
    for id in [nobody, "no-id"] {
        let request = http.request("GET", &format!("/v2/images/{id}/file")).header("Range", "junk");
        let text = refusal(request.send(), 404);
        assert!(text.contains(&format!("No image found with ID {id}")), "{text}");
    }
    for method in ["HEAD", "POST", "DELETE", "PATCH"] {
        let answer = http.request(method, &format!("/v2/images/{id}/file")).send().expect(405);
        assert_eq!(answer.header("allow"), Some("GET, PUT"));
    }
}

#[test]
fn the_policy_judges_the_image() {
    let gander = Setup::behind_proxy().start();
    let client = |tenant: &str, roles: &str| gander.client().acting_as("u", tenant, roles);
    let id = client("p", "member,reader").add_raw(b"abc");
    client("p", "member,reader").get_file(&id).expect(200);
    client("x", "admin").get_file(&id).expect(200);
    refusal(client("x", "member,reader").get_file(&id), 404);
    let text = refusal(client("p", "reader").get_file(&id), 403);
    assert!(text.contains("You are not authorized to complete download_image action."), "{text}");
    refusal(client("p", "nothing").get_file(&id), 404);
}

#[test]
fn a_deactivated_image_is_for_admins_and_never_in_the_cache() {
    let (gander, admin) = caching();
    let owner = gander.client().acting_as("u", "p", "member,reader");
    let id = owner.add_raw(&five_kb());
    // Cached before; so nobody may see the entry.
    assert_eq!(owner.get_file(&id).expect(200).body, five_kb());
    assert_eq!(gander.verdicts(&id), ["miss"]);
    gander.rows(DEACTIVATE);
    assert_eq!(gander.rows("SELECT status FROM images"), ["deactivated"]);
    let text = refusal(owner.get_file(&id), 403);
    assert!(text.contains("The requested image has been deactivated. Image data download is forbidden."), "{text}");
    fs::write(gander.path("cache").join(&id), [b'!'; 5120]).unwrap();
    assert_eq!(admin.get_file(&id).expect(200).body, five_kb());
    let part = admin.request("GET", &format!("/v2/images/{id}/file")).header("Range", "bytes=1-2");
    assert_eq!(part.send().expect(206).body, b"**");
    fs::remove_file(gander.path("cache").join(&id)).unwrap();
    admin.get_file(&id).expect(200);
    assert!(names(&gander.path("cache")).is_empty());
    assert_eq!(gander.verdicts(&id)[1..], ["disabled", "disabled", "disabled"]);
}

#[test]
fn both_apis_share_the_cache() {
    let (gander, http) = caching();
    let (first, second) = (noise(1, 300_000), noise(2, 300_000));
    let (old, new) = (http.add("Image1", &first), http.add_raw(&second));
    assert!(http.download(&old) == first);
    let answer = http.get_file(&old).expect(200);
    assert!(answer.body == first && answer.header("content-length") == Some("300000"));
    assert_eq!(answer.header("content-md5"), Some(md5(&first).as_str()));
    assert_eq!(gander.verdicts(&old), ["miss", "hit"]);
    let answer = http.get_file(&new).expect(200);
    assert!(answer.body == second && answer.header("content-length") == Some("300000"));
    assert!(http.download(&new) == second);
    assert!(http.get_file(&new).expect(200).body == second);
    assert_eq!(gander.verdicts(&new), ["miss", "hit", "hit"]);
    // The store is not asked any more.
    fs::remove_file(gander.path("images").join(&new)).unwrap();
    assert!(http.get_file(&new).expect(200).body == second);
    http.delete(&format!("/v2/images/{old}")).expect(204);
    assert_eq!(names(&gander.path("cache")), [new]);
}

#[test]
fn a_remote_that_is_down_is_503() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&five_kb());
    let id = http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    let answer = http.get_file(&id).expect(200);
    assert_eq!(answer.body, five_kb());
    assert_eq!(answer.header("content-md5"), None);
    for (status, told) in [(404, 204), (503, 503), (500, 503)] {
        origin.set(Behaviour::Status(status));
        http.get_file(&id).expect(told);
    }
}

#[test]
fn data_that_turns_out_other_than_its_checksum_is_no_whole_answer() {
    let (gander, http) = caching();
    let id = http.add_raw(&five_kb());
    fs::write(gander.path("images").join(&id), [b'!'; 5120]).unwrap();
    if let Ok(answer) = http.request("GET", &format!("/v2/images/{id}/file")).try_send() {
        assert!(!answer.complete || answer.status >= 500, "{}", answer.status);
    }
    assert!(names(&gander.path("cache")).is_empty());
}

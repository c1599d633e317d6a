//! Methods that a route does not have reach nothing of it, cached or not (security S23).

use super::{CANARY, DATA, People, setup, ways};
use crate::harness::{Client, Response};

#[test]
fn s23_other_methods_reach_no_data() {
    let people = People::of(setup());
    for visibility in ["public", "shared"] {
        let id = people.active(visibility);
        for cached in [false, true] {
            assert_eq!(people.gander.path("cache").join(&id).exists(), cached);
            for client in [&people.owner, &people.admin, &people.stranger, &people.gander.client()] {
                s23_try_methods(client, &id);
            }
            people.admin.get(&ways(&id)[0]).expect(200);
        }
        let list = people.admin.get("/v2/cache").expect(200).json();
        let entry = list["cached_images"].as_array().unwrap().iter().find(|entry| entry["image_id"] == id.as_str());
        assert_eq!(entry.unwrap()["hits"], 1, "only the admin's own second download");
        people.is_whole(&id);
    }
}

fn s23_try_methods(client: &Client, id: &str) {
    let [v2, v1] = ways(id);
    for method in ["HEAD", "DELETE", "POST", "PATCH", "TRACE", "FOO", "get", "Get"] {
        for headers in
            [&[][..], &[("X-HTTP-Method-Override", "GET"), ("X-HTTP-Method", "GET"), ("X-Method-Override", "GET")]]
        {
            let ask = |path: &str| silent(client, method, path, headers);
            let answer = ask(&v2);
            // Who is nobody hears of no methods either.
            if answer.status != 401 {
                assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, PUT")), "{method}");
            }
            if !["HEAD", "DELETE"].contains(&method) {
                assert_eq!(ask(&v1).status, 404, "{method}");
            }
        }
    }
    for path in [&v2, &v1] {
        silent(client, "OPTIONS", path, &[]);
        silent(client, "HEAD", path, &[("Range", "bytes=0-3")]);
        for query in ["_method=GET", "_method=DELETE"] {
            silent(client, "POST", &format!("{path}?{query}"), &[]);
        }
    }
}

/// Asks, and hears nothing of the data, even where no body should be and one comes.
#[track_caller]
fn silent(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let answer = client.raw(&client.request(method, path).headers(headers).head_bytes()).unwrap();
    assert!(!answer.text().contains(CANARY), "{method} {path}: {}", answer.text());
    if method == "HEAD" {
        assert!(answer.body.is_empty(), "{method} {path}: {}", answer.text());
    }
    answer
}

#[test]
fn s23_no_header_makes_a_download_something_else() {
    let people = People::of(setup());
    let id = people.active("public");
    // The first download fills the cache, by which the rest is served.
    for way in ways(&id) {
        for method in ["DELETE", "PUT", "HEAD"] {
            for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
                let answer = people.owner.request("GET", &way).header(name, method).send().expect(200);
                assert_eq!(answer.body, DATA);
            }
            assert_eq!(people.owner.get(&format!("{way}?_method={method}")).expect(200).body, DATA);
        }
    }
}

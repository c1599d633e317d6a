//! Which versions there are, under which name, and how a request finds its way (v2-images §1, operations §4–§6).

use serde_json::Value;

use crate::harness::{Gander, Response, Setup, TRUSTED_CACHING};

fn ids(answer: &Response) -> Vec<String> {
    let text = |entry: &Value| format!("{} {}", entry["id"].as_str().unwrap(), entry["status"].as_str().unwrap());
    answer.json()["versions"].as_array().unwrap().iter().map(text).collect()
}

fn hrefs(answer: &Response) -> Vec<String> {
    let href = |entry: &Value| entry["links"][0]["href"].as_str().unwrap().to_owned();
    let mut hrefs: Vec<_> = answer.json()["versions"].as_array().unwrap().iter().map(href).collect();
    hrefs.dedup();
    hrefs
}

#[test]
fn the_cache_decides_about_the_newest() {
    let v2 = |current: &str, newest: &[&str]| {
        let old = ["v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0"];
        let status = |id| if id == current { "CURRENT" } else { "SUPPORTED" };
        newest.iter().chain(&old).map(|id| format!("{id} {}", status(*id))).collect::<Vec<_>>()
    };
    let gander = Setup::api("").paste(TRUSTED_CACHING).set("enable_v1_api", "False").start();
    let answer = gander.client().get("/versions").expect(200);
    assert_eq!(ids(&answer), v2("v2.18", &["v2.18", "v2.17", "v2.16", "v2.15", "v2.14", "v2.9"]));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-openstack-request-id"), None);
    let gander = Setup::behind_proxy().unset("image_cache_dir").set("enable_v1_api", "False").start();
    assert_eq!(ids(&gander.client().get("/").expect(300)), v2("v2.17", &["v2.15", "v2.9", "v2.17"]));
}

#[test]
fn each_api_can_be_turned_off() {
    let gander = Setup::api("").set("enable_v1_api", "False").start();
    assert_eq!(gander.client().get("/v1/images").expect(300).json(), gander.client().get("/").expect(300).json());
    gander.client().get("/v2/schemas/image").expect(200);
    let gander = Setup::api("").set("enable_v2_api", "False").start();
    gander.client().get("/v1/images").expect(200);
    assert_eq!(ids(&gander.client().get("/v2/schemas/image").expect(300)), ["v1.1 CURRENT", "v1.0 SUPPORTED"]);
}

#[test]
fn the_operator_names_the_service() {
    let gander = Setup::api("").set("public_endpoint", "https://images.example.org/image/").start();
    let expected = ["https://images.example.org/image/v2/", "https://images.example.org/image/v1/"];
    assert_eq!(hrefs(&gander.client().get("/versions").expect(200)), expected);
    let made = gander.client().post("/v2/images").body(b"{}").send().expect(201);
    let place = format!("https://images.example.org/image/v2/images/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(made.header("location"), Some(place.as_str()));
    assert_eq!(gander.client().get("/v2").expect(302).header("location"), Some("https://images.example.org/image/v2/"));
}

#[test]
fn a_proxy_is_believed_if_the_operator_says_so() {
    let proxied = |gander: &Gander| {
        let http = gander.client().with("X-Forwarded-Proto", "https").with("X-Forwarded-Host", "img.example.com");
        hrefs(&http.with("X-Forwarded-Prefix", "/image").get("/versions").expect(200)).remove(0)
    };
    let trusting = Setup::api("").set("oslo_middleware.enable_proxy_headers_parsing", "True").start();
    assert_eq!(proxied(&trusting), "https://img.example.com/image/v2/");
    let standard = trusting.client().with("Forwarded", "for=10.0.0.1;proto=https;host=a.example, host=b.example");
    assert_eq!(hrefs(&standard.get("/versions").expect(200))[0], "https://a.example/v2/");
    let wary = Gander::plain();
    assert_eq!(proxied(&wary), format!("http://{}/v2/", wary.client().authority()));
}

#[test]
fn quoted_slashes_are_slashes() {
    let gander = Gander::plain();
    gander.client().get("/v2/schemas%2Fimage").expect(200);
    gander.client().get("/v2/schemas%2fmember").expect(200);
}

#[test]
fn options_are_always_answered() {
    let gander = Setup::behind_proxy().start();
    for path in ["/v2/images", "/v2/nothing", "/", "/v3/images"] {
        let answer = gander.client().request("OPTIONS", path).send().expect(200);
        assert!(answer.body.is_empty(), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn other_methods_are_not_implemented_where_there_is_nothing() {
    let gander = Gander::plain();
    gander.client().request("TRACE", "/v2/nothing").send().expect(501);
    gander.client().request("PUT", "/v2/nothing").send().expect(404);
    assert_eq!(gander.client().request("TRACE", "/v2/images").send().expect(405).header("allow"), Some("GET, POST"));
}

#[test]
fn every_answer_of_an_api_has_a_request_id_and_the_log_knows_it() {
    let gander = Gander::plain();
    for path in ["/v1/images", "/v1/nothing", "/v2/schemas/image", "/v2/nothing"] {
        let answer = gander.client().get(path);
        let id = answer.header("x-openstack-request-id").expect(path).to_owned();
        assert!(id.starts_with("req-") && id.len() == 40, "{id}");
        let named = gander.client().with("X-Openstack-Request-Id", "abc").get(path);
        assert_eq!(named.header("x-openstack-request-id"), Some("req-abc"), "{path}");
        crate::harness::eventually("the log has the id", std::time::Duration::from_secs(5), || {
            gander.log().lines().any(|line| line.contains(&format!("[{id}] 127.0.0.1 \"GET {path}\"")))
        });
    }
}

/// Security S27: what a client puts into our logs is no longer than the operator allows.
#[test]
fn s27_a_request_id_is_no_longer_than_it_may_be() {
    for (most, taken, refused) in [("", 64, Some(65)), ("10", 10, Some(11)), ("0", 5000, None)] {
        let setup = Setup::api("");
        let gander = if most.is_empty() { setup } else { setup.set("max_request_id_length", most) }.start();
        let named = |length: usize| gander.client().with("X-Openstack-Request-Id", &"x".repeat(length));
        let answer = named(taken).get("/v2/images").expect(200);
        assert_eq!(answer.header("x-openstack-request-id"), Some(&*format!("req-{}", "x".repeat(taken))));
        if let Some(refused) = refused {
            let answer = named(refused).get("/v2/images").expect(431);
            assert!(answer.text().contains("max_request_id_length"), "{}", answer.text());
            // v1 needs no id of the client's.
            named(refused).get("/v1/images").expect(200);
            assert!(!gander.log().contains(&"x".repeat(refused)));
        }
    }
    let outcome = Setup::api("").set("max_request_id_length", -1).run_to_end();
    assert!(outcome.code != Some(0) && outcome.stderr.contains("max_request_id_length"), "{}", outcome.stderr);
}

#[test]
fn pages_of_an_allowed_origin_may_talk_to_us() {
    let gander = Setup::api("").set("cors.allowed_origin", "https://horizon.example").start();
    let page = gander.client().with("Origin", "https://horizon.example");
    for path in ["/v2/schemas/image", "/v1/images", "/versions", "/v2/nothing"] {
        let answer = page.get(path);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://horizon.example"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert!(answer.header("access-control-expose-headers").unwrap().contains("X-OpenStack-Request-ID"));
    }
    let stranger = gander.client().with("Origin", "https://evil.example").get("/v2/schemas/image").expect(200);
    assert_eq!((stranger.header("access-control-allow-origin"), stranger.header("vary")), (None, None));
}

#[test]
fn browsers_ask_before_they_ask() {
    let gander = Setup::api("").set("cors.allowed_origin", "https://horizon.example").start();
    let page = gander.client().with("Origin", "https://horizon.example");
    let ask = |method: &str, headers: &str, path: &str| {
        let request = page.request("OPTIONS", path).header("Access-Control-Request-Method", method);
        request.header("Access-Control-Request-Headers", headers).send().expect(200)
    };
    for path in ["/v2/images", "/v1/images"] {
        let granted = ask("PATCH", "x-auth-token, content-type", path);
        assert_eq!(granted.header("access-control-allow-origin"), Some("https://horizon.example"));
        assert_eq!(granted.header("access-control-allow-methods"), Some("PATCH"));
        assert_eq!(granted.header("access-control-allow-headers"), Some("x-auth-token,content-type"));
        assert_eq!(granted.header("access-control-max-age"), Some("3600"));
    }
    for (method, headers) in [("TRACE", ""), ("GET", "x-unheard-of")] {
        assert_eq!(ask(method, headers, "/v2/images").header("access-control-allow-origin"), None, "{method}");
    }
}

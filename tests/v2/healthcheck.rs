//! `/healthcheck` (operations §3).

use std::fs;

use serde_json::json;

use crate::harness::{Gander, Setup, TRUSTED_HEADERS};

#[test]
fn a_healthy_server() {
    let gander = Gander::plain();
    let http = gander.client();
    let answer = http.get("/healthcheck").expect(200);
    assert_eq!((answer.text().as_str(), answer.header("content-type")), ("OK", Some("text/plain; charset=UTF-8")));
    assert_eq!(answer.header("x-openstack-request-id"), None);
    assert_eq!(http.post("/healthcheck").send().expect(200).text(), "OK");
    assert!(http.head("/healthcheck").expect(204).body.is_empty());
    assert_eq!(http.with("Accept", "*/*").get("/healthcheck").expect(200).text(), "OK");
    let answer = http.with("Accept", "application/json").get("/healthcheck").expect(200);
    assert_eq!(answer.text(), "{\n    \"detailed\": false,\n    \"reasons\": [\n        \"OK\"\n    ]\n}");
    let answer = http.with("Accept", "text/html").get("/healthcheck").expect(200);
    assert!(answer.text().contains("Healthcheck Status") && answer.text().contains("<td>OK</td>"));
}

#[test]
fn a_file_takes_it_out_of_service() {
    let setup = Setup::api("");
    let file = setup.path("disabled");
    let gander = setup.set("healthcheck.disable_by_file_path", file.display()).start();
    let http = gander.client();
    http.get("/healthcheck").expect(200);
    fs::write(&file, "").unwrap();
    assert_eq!(http.get("/healthcheck").expect(503).text(), "DISABLED BY FILE");
    assert!(http.head("/healthcheck").expect(503).body.is_empty());
    let report = http.with("Accept", "application/json").get("/healthcheck").expect(503).json();
    assert_eq!(report, json!({"detailed": false, "reasons": ["DISABLED BY FILE"]}));
    // Only the check says so; requests are served all the same.
    http.get("/v2/schemas/image").expect(200);
    fs::remove_file(&file).unwrap();
    http.get("/healthcheck").expect(200);
}

#[test]
fn several_files_and_the_port() {
    let setup = Setup::api("");
    let (needed, here) = (setup.path("needed"), setup.path("here"));
    let paths = format!("{}:{},1:{}", setup.port(), here.display(), setup.path("elsewhere").display());
    fs::write(setup.path("elsewhere"), "").unwrap();
    let gander = setup
        .set("healthcheck.backends", "disable_by_files_ports,enable_by_files")
        .set("healthcheck.disable_by_file_paths", paths)
        .set("healthcheck.enable_by_file_paths", needed.display())
        .start();
    let http = gander.client();
    assert_eq!(http.get("/healthcheck").expect(503).text(), "OK\nFILE PATH MISSING");
    fs::write(&needed, "").unwrap();
    http.get("/healthcheck").expect(200);
    fs::write(&here, "").unwrap();
    assert_eq!(http.get("/healthcheck").expect(503).text(), "DISABLED BY FILE\nOK");
}

#[test]
fn not_for_everybody() {
    let far = Setup::api("").set("healthcheck.allowed_source_ranges", "10.0.0.0/8").start();
    far.client().get("/healthcheck").expect(404);
    let near = Setup::api("")
        .set("healthcheck.allowed_source_ranges", "10.0.0.0/8,127.0.0.1")
        .set("healthcheck.ignore_proxied_requests", "True")
        .start();
    near.client().get("/healthcheck").expect(200);
    near.client().with("X-Forwarded-For", "10.0.0.1").get("/healthcheck").expect(404);
}

#[test]
fn a_paste_file_says_whether_and_where() {
    let without = Setup::behind_proxy().start();
    without.client().get("/healthcheck").expect(300);
    let setup = Setup::api("");
    let file = setup.path("off");
    let paste = format!(
        "[composite:glance-api]\npaste.composite_factory = glance.api:root_app_factory\n/: api\n/health: check\n\n\
         [app:check]\npaste.app_factory = oslo_middleware:Healthcheck.app_factory\nbackends = disable_by_file\n\
         disable_by_file_path = {}\n\n{}",
        file.display(),
        TRUSTED_HEADERS.replace("[pipeline:glance-api]", "[pipeline:api]")
    );
    let with = setup.paste(&paste).start();
    with.client().get("/health").expect(200);
    fs::write(&file, "").unwrap();
    with.client().get("/health").expect(503);
    with.client().get("/healthcheck").expect(300);
}

#[test]
fn details_for_those_who_may_have_them() {
    let setup = Setup::api("");
    let file = setup.path("off");
    let setup = setup.set("healthcheck.disable_by_file_path", file.display());
    let gander = setup.set("healthcheck.detailed", "True").start();
    let http = gander.client();
    assert_eq!(http.get("/healthcheck").expect(200).text(), "OK");
    let report = http.with("Accept", "application/json").get("/healthcheck").expect(200).json();
    assert_eq!(report["detailed"], true);
    let details = format!("Path '{}' was not found", file.display());
    assert_eq!(report["reasons"], json!([{"reason": "OK", "details": details, "class": "HealthcheckResult"}]));
    assert!(report["version"].as_str().unwrap().starts_with("gander ") && report["uptime"].is_u64(), "{report}");
    fs::write(&file, "").unwrap();
    let page = http.with("Accept", "text/html").get("/healthcheck").expect(503).text();
    assert!(page.contains("Server status") && page.contains("was found"), "{page}");
}

//! Lists and their filters (v1-api §9).

use serde_json::{Value, json};

use crate::harness::{Client, Gander, Setup, five_kb};

fn keys(record: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_brief_record_has_exactly_six_fields() {
    let gander = Gander::plain();
    gander.client().add_image("Image1");
    let listing = gander.client().get("/v1/images").expect(200).json();
    assert_eq!(keys(&listing["images"][0]), ["checksum", "container_format", "disk_format", "id", "name", "size"]);
}

#[test]
fn a_detailed_record_has_all_fields_but_the_location() {
    let gander = Gander::plain();
    gander.client().add_image("Image1");
    let listing = gander.client().get("/v1/images/detail").expect(200).json();
    let expected = "checksum container_format created_at deleted deleted_at disk_format id is_public min_disk min_ram \
                    name owner properties protected size status updated_at";
    assert_eq!(keys(&listing["images"][0]).join(" "), expected);
}

#[test]
fn a_date_is_utc_without_a_zone() {
    let gander = Gander::plain();
    gander.client().add_image("Image1");
    let listing = gander.client().get("/v1/images/detail").expect(200).json();
    let created = listing["images"][0]["created_at"].as_str().unwrap();
    let parsed = chrono::NaiveDateTime::parse_from_str(created, "%Y-%m-%dT%H:%M:%S%.f").unwrap();
    assert!((chrono::Utc::now().naive_utc() - parsed).num_seconds().abs() < 60, "{created}");
}

/// Three registered images, for filters.
fn three() -> (Gander, Client) {
    let gander = Gander::plain();
    let http = gander.client();
    gander.oldest_first(&[
        http.reserve("one", &[("X-Image-Meta-Size", "10"), ("X-Image-Meta-Min-Ram", "256")]),
        http.reserve("two words", &[("X-Image-Meta-Size", "20"), ("X-Image-Meta-Min-Disk", "7")]),
        http.reserve("three+", &[("X-Image-Meta-Size", "30"), ("X-Image-Meta-Property-Arch", "arm")]),
    ]);
    (gander, http)
}

#[test]
fn filters_are_joined_by_and() {
    let (_gander, http) = three();
    for (query, names) in [
        ("size_min=20", &["three+", "two words"][..]),
        ("size_min=20&size_max=20", &["two words"]),
        ("min_ram=256", &["one"]),
        ("min_disk=7", &["two words"]),
        ("min_disk=7&min_ram=256", &[]),
        ("property-arch=arm", &["three+"]),
        ("property-arch=arm&property-distro=x", &[]),
        ("name=", &[]),
        ("disk_format=raw&container_format=ovf", &["three+", "two words", "one"]),
    ] {
        assert_eq!(http.names(&format!("/v1/images?{query}")), names, "{query}");
    }
}

#[test]
fn a_query_is_decoded_as_a_form() {
    let (_gander, http) = three();
    assert_eq!(http.names("/v1/images?name=two+words"), ["two words"]);
    assert_eq!(http.names("/v1/images?name=two%20words"), ["two words"]);
    assert_eq!(http.names("/v1/images?name=three%2B"), ["three+"]);
}

#[test]
fn of_a_repeated_parameter_the_last_counts() {
    let (_gander, http) = three();
    assert_eq!(http.names("/v1/images?name=nobody&name=one"), ["one"]);
}

#[test]
fn an_unknown_parameter_is_ignored() {
    let (_gander, http) = three();
    assert_eq!(http.names("/v1/images?colour=green&deleted=True").len(), 3);
}

#[test]
fn a_removed_property_is_no_longer_found() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.reserve("Image1", &[("X-Image-Meta-Property-Arch", "arm")]);
    assert_eq!(http.ids("/v1/images?property-arch=arm"), [id.as_str()]);
    http.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Property-Other", "x").send().expect(200);
    assert!(http.ids("/v1/images?property-arch=arm").is_empty());
}

#[test]
fn status_killed_lists_nothing() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.reserve("Image1", &[]);
    http.put(&format!("/v1/images/{id}")).header("Content-Type", "text/plain").body("x").send().expect(400);
    assert_eq!(http.meta(&id, "status").as_deref(), Some("killed"));
    assert!(http.ids("/v1/images").is_empty());
    assert!(http.ids("/v1/images?status=killed").is_empty());
}

#[test]
fn changes_since_also_lists_what_was_deleted() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.add_image("Image1");
    http.delete(&format!("/v1/images/{id}")).expect(200);
    assert!(http.ids("/v1/images").is_empty());
    for instant in ["2012-02-20", "2012-02-20T18:06:51", "2012-02-20T18:06:51.5Z", "2012-02-20%2018:06%2B01:00"] {
        let listing = http.get(&format!("/v1/images/detail?changes-since={instant}")).expect(200).json();
        assert_eq!(listing["images"][0]["id"], id, "{instant}");
        assert_eq!(listing["images"][0]["deleted"], true);
    }
}

#[test]
fn everybody_is_admin_without_identity_and_sees_private_images_when_asking() {
    let gander = Setup::api("caching").start();
    let http = gander.client();
    gander.oldest_first(&[http.add_private("private"), http.add_image("public")]);
    for (query, names) in [
        ("", &["public"][..]),
        ("is_public=true", &["public"]),
        ("is_public=1", &["public"]),
        ("is_public=FALSE", &["private"]),
        ("is_public=0", &["private"]),
        ("is_public=none", &["public", "private"]),
    ] {
        assert_eq!(http.names(&format!("/v1/images?{query}")), names, "{query}");
    }
}

#[test]
fn a_malformed_filter_is_400_and_named() {
    let gander = Gander::plain();
    for (parameter, value) in [
        ("size_min", "big"),
        ("size_max", "-1"),
        ("min_ram", "1.5"),
        ("protected", "maybe"),
        ("is_public", "maybe"),
        ("changes-since", "yesterday"),
        ("limit", "many"),
        ("limit", "-1"),
        ("marker", "nobody"),
        ("sort_key", "colour"),
        ("sort_dir", "sideways"),
    ] {
        let text = gander.client().get(&format!("/v1/images?{parameter}={value}")).expect(400).text();
        assert!(text.contains(parameter), "{parameter}: {text}");
    }
}

#[test]
fn a_huge_number_in_a_filter_is_no_server_error() {
    let gander = Gander::plain();
    let huge = "9".repeat(40);
    for parameter in ["size_min", "size_max", "min_ram", "min_disk", "limit"] {
        let status = gander.client().get(&format!("/v1/images?{parameter}={huge}")).status;
        assert!(matches!(status, 200 | 400), "{parameter}: {status}");
    }
}

#[test]
fn a_hostile_filter_value_is_data() {
    let gander = Gander::plain();
    let http = gander.client();
    http.add_image("Image1");
    for value in ["'%20OR%201=1--", "%25", "_", "%00", "%22", "Image1%27%3B%20DROP%20TABLE%20images"] {
        for parameter in ["name", "property-x", "disk_format", "status"] {
            let answer = http.get(&format!("/v1/images?{parameter}={value}"));
            assert!(matches!(answer.status, 200 | 400), "{}", answer.text());
            if answer.status == 200 {
                assert_eq!(answer.json(), json!({"images": []}), "{parameter}={value}");
            }
        }
    }
    assert_eq!(http.names("/v1/images"), ["Image1"]);
    assert_eq!(http.download(&http.ids("/v1/images")[0]), five_kb());
}

#[test]
fn more_property_filters_than_a_statement_bears_are_400() {
    let gander = Gander::plain();
    let filters = |count: usize| (0..count).map(|n| format!("property-a{n}=b")).collect::<Vec<_>>().join("&");
    gander.client().get(&format!("/v1/images?{}", filters(64))).expect(200);
    for count in [65, 1000, 3000] {
        let text = gander.client().get(&format!("/v1/images?{}", filters(count))).expect(400).text();
        assert!(text.contains("At most 64"), "{text}");
    }
}

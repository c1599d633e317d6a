//! Order and pages of a list (v1-api §9.1).

use crate::harness::{Client, Gander, Setup};

fn with_names(names: &[&str]) -> (Gander, Client) {
    let gander = Gander::plain();
    let http = gander.client();
    let ids: Vec<_> = names.iter().map(|name| http.reserve(name, &[])).collect();
    gander.oldest_first(&ids);
    (gander, http)
}

#[test]
fn the_newest_comes_first() {
    let (_gander, http) = with_names(&["a", "b", "c"]);
    assert_eq!(http.names("/v1/images"), ["c", "b", "a"]);
    assert_eq!(http.names("/v1/images?sort_dir=asc"), ["a", "b", "c"]);
}

#[test]
fn names_compare_bytewise() {
    let (gander, http) = with_names(&["b", "B", "a", "A"]);
    let names = http.names("/v1/images?sort_key=name&sort_dir=asc");
    if gander.database().kind() == testdb::Kind::Mysql {
        assert_eq!(names, ["a", "A", "b", "B"], "without case, the older first (database §8)");
    } else {
        assert_eq!(names, ["A", "B", "a", "b"]);
    }
}

#[test]
fn equal_keys_are_ordered_by_creation_in_the_same_direction() {
    let (_gander, http) = with_names(&["same", "same", "same"]);
    let newest_first = http.ids("/v1/images");
    assert_eq!(http.ids("/v1/images?sort_key=name&sort_dir=desc"), newest_first);
    let oldest_first: Vec<_> = newest_first.into_iter().rev().collect();
    assert_eq!(http.ids("/v1/images?sort_key=name&sort_dir=asc"), oldest_first);
}

#[test]
fn every_documented_key_sorts() {
    let (_gander, http) = with_names(&["a", "b"]);
    for key in ["name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at"] {
        let ascending = http.ids(&format!("/v1/images?sort_key={key}&sort_dir=asc"));
        let descending = http.ids(&format!("/v1/images?sort_key={key}&sort_dir=desc"));
        assert_eq!(ascending.len(), 2, "{key}");
        assert!(ascending.iter().rev().eq(&descending), "{key}");
    }
}

#[test]
fn pages_of_one_cover_everything_once() {
    let (_gander, http) = with_names(&["same", "same", "other", "same"]);
    for order in ["sort_key=name&sort_dir=asc", "sort_key=name&sort_dir=desc", "sort_key=created_at"] {
        let all = http.ids(&format!("/v1/images?{order}"));
        let mut paged = http.ids(&format!("/v1/images?{order}&limit=1"));
        while let [next] = &http.ids(&format!("/v1/images?{order}&limit=1&marker={}", paged.last().unwrap()))[..] {
            paged.push(next.clone());
            assert!(paged.len() <= all.len(), "{order}");
        }
        assert_eq!(paged, all, "{order}");
    }
}

#[test]
fn a_limit_of_zero_lists_nothing() {
    let (_gander, http) = with_names(&["a"]);
    assert_eq!(http.get("/v1/images?limit=0").expect(200).text(), r#"{"images": []}"#);
}

#[test]
fn without_a_limit_a_page_has_25() {
    let names: Vec<_> = (0..26).map(|x| format!("Image{x}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let (_gander, http) = with_names(&names);
    assert_eq!(http.ids("/v1/images").len(), 25);
    assert_eq!(http.ids("/v1/images?limit=100").len(), 26);
}

#[test]
fn an_unknown_marker_is_400() {
    let (_gander, http) = with_names(&["a"]);
    let unknown = "71c675ab-d94f-49cd-a114-e12490b328d9";
    let text = http.get(&format!("/v1/images?marker={unknown}")).expect(400).text();
    assert!(text.contains("Invalid marker. Image could not be found."), "{text}");
}

#[test]
fn a_deleted_marker_is_400() {
    let (_gander, http) = with_names(&["a", "b"]);
    let id = http.ids("/v1/images").remove(0);
    http.delete(&format!("/v1/images/{id}")).expect(200);
    http.get(&format!("/v1/images?marker={id}")).expect(400);
}

#[test]
fn pages_of_changes_go_on_behind_a_deleted_image() {
    let gander = Setup::behind_proxy().start();
    let http = gander.client().acting_as("u1", "t1", "Member");
    let ids: Vec<_> = (0..4).map(|n| http.add_private(&format!("Image{n}"))).collect();
    http.delete(&format!("/v1/images/{}", ids[2])).expect(200);
    gander.oldest_first(&ids);
    let first = http.ids("/v1/images?changes-since=2001-01-01&limit=2");
    assert_eq!(first, [ids[3].as_str(), &ids[2]]);
    let next = http.ids(&format!("/v1/images?changes-since=2001-01-01&limit=2&marker={}", ids[2]));
    assert_eq!(next, [ids[1].as_str(), &ids[0]]);
    http.get(&format!("/v1/images?marker={}", ids[2])).expect(400);
}

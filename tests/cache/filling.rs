//! Images of odd sizes and states in the cache.

use std::fs;

use crate::harness::{Gander, Origin, five_kb, md5};

#[test]
fn sizes_around_block_boundaries_come_back_whole() {
    let gander = Gander::caching();
    let http = gander.client();
    for size in [1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1_048_576, 1_048_577] {
        let data: Vec<u8> = (0..size).map(|x: u32| (x % 251) as u8).collect();
        let id = http.add("Image1", &data);
        assert!(http.download(&id) == data, "miss of {size}");
        assert!(http.download(&id) == data, "hit of {size}");
        assert_eq!(md5(&fs::read(gander.path("cache").join(&id)).unwrap()), md5(&data));
    }
}

#[test]
fn an_empty_image_can_be_downloaded_twice_and_that_is_counted() {
    let gander = Gander::caching();
    let request = gander.client().post("/v1/images").headers(&crate::harness::minimal_headers("Image1"));
    let image = request.chunked(b"").send().expect(201).json();
    let id = image["image"]["id"].as_str().unwrap();
    for _ in 0..2 {
        assert!(gander.client().download(id).is_empty());
    }
    assert_eq!(gander.client().cached(), [(id.to_owned(), 1)]);
}

#[test]
fn an_image_of_unknown_size_is_served_whole_from_the_cache() {
    let gander = Gander::caching();
    let origin = Origin::serving(&five_kb());
    let headers = [("X-Image-Meta-Location", origin.url("/images/2")), ("X-Image-Meta-Size", "0".to_owned())];
    let id = gander.client().reserve("Image1", &headers.each_ref().map(|(name, value)| (*name, value.as_str())));
    for _ in 0..2 {
        assert_eq!(gander.client().download(&id), five_kb());
    }
}

#[test]
fn a_file_under_a_foreign_name_is_never_served() {
    let gander = Gander::caching();
    let http = gander.client();
    let queued = http.reserve("Image1", &[]);
    fs::write(gander.path("cache").join(&queued), "planted").unwrap();
    http.get(&format!("/v1/images/{queued}")).expect(404);

    let deleted = http.add_image("Image2");
    http.delete(&format!("/v1/images/{deleted}")).expect(200);
    fs::write(gander.path("cache").join(&deleted), "planted").unwrap();
    http.get(&format!("/v1/images/{deleted}")).expect(404);

    let unknown = "71c675ab-d94f-49cd-a114-e12490b328d9";
    fs::write(gander.path("cache").join(unknown), "planted").unwrap();
    http.get(&format!("/v1/images/{unknown}")).expect(404);
}

#[test]
fn a_file_of_another_server_under_the_right_name_is_an_entry() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    fs::remove_file(gander.path("images").join(&id)).unwrap();
    fs::write(gander.path("cache").join(&id), five_kb()).unwrap();
    assert_eq!(gander.client().download(&id), five_kb());
}

#[test]
fn an_entry_that_lost_bytes_is_never_a_whole_answer() {
    let gander = Gander::caching();
    let id = gander.client().add_image("Image1");
    gander.client().download(&id);
    fs::write(gander.path("cache").join(&id), "short").unwrap();
    // Either refetched from the store, or a broken connection; never a wrong image that looks whole.
    if let Ok(answer) = gander.client().request("GET", &format!("/v1/images/{id}")).try_send() {
        assert!(answer.body == five_kb() || answer.status >= 500 || !answer.complete, "{}", answer.status);
    }
}

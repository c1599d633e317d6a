//! Several clients on one cold image.

use std::thread;
use std::time::Duration;

use crate::harness::{Behaviour, Client, Gander, Origin, eventually};

const LIMIT: Duration = Duration::from_secs(15);

fn download(http: &Client, id: &str) -> thread::JoinHandle<Vec<u8>> {
    let (http, id) = (http.clone(), id.to_owned());
    thread::spawn(move || http.download(&id))
}

#[test]
fn everybody_gets_the_whole_image_and_it_is_one_entry() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = vec![b'x'; 300_000];
    let origin = Origin::serving(&data);
    let id = http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::PauseAfter(100_000));
    let clients: Vec<_> = (0..6).map(|_| download(&http, &id)).collect();
    eventually("the origin was asked", LIMIT, || origin.gets() >= 1);
    origin.set(Behaviour::Serve);
    for client in clients {
        assert!(client.join().unwrap() == data);
    }
    assert_eq!(http.cached().len(), 1);
    let asked = origin.gets();
    assert!(http.download(&id) == data);
    assert_eq!(origin.gets(), asked, "a hit asks nobody");
}

#[test]
fn an_image_deleted_during_its_fill_is_not_cached() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = vec![b'x'; 300_000];
    let origin = Origin::serving(&data);
    let id = http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    origin.set(Behaviour::PauseAfter(100_000));
    let path = format!("/v1/images/{id}");
    let client = {
        let (http, path) = (http.clone(), path.clone());
        thread::spawn(move || http.request("GET", &path).try_send())
    };
    eventually("the origin was asked", LIMIT, || origin.gets() == 1);
    http.delete(&path).expect(200);
    origin.set(Behaviour::Serve);
    let _ = client.join().unwrap();
    eventually("no fill is left over", LIMIT, || !gander.path("cache/incomplete").join(&id).exists());
    assert!(!gander.path("cache").join(&id).exists());
    assert!(http.cached().is_empty());
    http.get(&path).expect(404);
}

#[test]
fn a_stalled_origin_does_not_stall_others() {
    let gander = Gander::caching();
    let http = gander.client();
    let origin = Origin::serving(b"remote");
    let stalled = http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    let local = http.add_image("Image2");
    origin.set(Behaviour::Stall);
    let waiting: Vec<_> = (0..4).map(|_| download(&http, &stalled)).collect();
    eventually("the origin was asked", LIMIT, || origin.gets() >= 1);
    for _ in 0..2 {
        assert_eq!(http.download(&local).len(), 5120);
    }
    http.get("/v1/images").expect(200);
    origin.set(Behaviour::Serve);
    for client in waiting {
        assert_eq!(client.join().unwrap(), b"remote");
    }
}

//! Uploads that arrive whole (v1-api §13); the broken ones are in `bad_uploads`.

use std::io::{BufReader, Write};

use crate::harness::{Gander, entries, five_kb, md5, minimal_headers, read_response};

#[test]
fn another_content_type_is_400_and_kills_the_image() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.reserve("Image1", &[]);
    for content_type in ["text/plain", "application/octet-streamer", ""] {
        let id = http.reserve("Image1", &[]);
        let request = http.put(&format!("/v1/images/{id}")).header("Content-Type", content_type).body("abc");
        let text = request.send().expect(400).text();
        assert!(text.contains("Content-Type must be application/octet-stream"), "{text}");
        assert_eq!(http.meta(&id, "status").as_deref(), Some("killed"), "{content_type}");
    }
    assert_eq!(http.ids("/v1/images"), [id]);
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn parameters_of_the_content_type_are_ignored() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[]);
    let request = gander.client().put(&format!("/v1/images/{id}"));
    let request = request.header("Content-Type", "application/octet-stream; charset=binary").body("abc");
    assert_eq!(request.send().expect(200).json()["image"]["status"], "active");
}

#[test]
fn a_matching_checksum_is_accepted() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    let image = request.header("X-Image-Meta-Checksum", &md5(b"abc")).body("abc").send().expect(201).json();
    assert_eq!(image["image"]["checksum"], md5(b"abc"));
}

#[test]
fn a_checksum_that_differs_is_400_and_kills_the_image() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[]);
    let wrong = md5(b"something else");
    let request = gander.client().put(&format!("/v1/images/{id}")).header("X-Image-Meta-Checksum", &wrong);
    let text = request.data("abc").send().expect(400).text();
    let expected = format!(
        "Supplied checksum ({wrong}) and checksum generated from uploaded image ({}) did not match. \
         Setting image status to 'killed'.",
        md5(b"abc")
    );
    assert!(text.contains(&expected), "{text}");
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("killed"));
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn an_unknown_store_is_400() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    let text = request.header("X-Image-Meta-Store", "shed").body("abc").send().expect(400).text();
    assert!(text.contains("Requested store shed not available on this Glance server"), "{text}");
    assert!(entries(&gander.path("images")).is_empty());
}

#[test]
fn the_store_can_be_named() {
    let gander = Gander::plain();
    for store in ["file", "filesystem"] {
        let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
        let image = request.header("X-Image-Meta-Store", store).body("abc").send().expect(201).json();
        assert_eq!(image["image"]["status"], "active", "{store}");
    }
}

#[test]
fn a_store_that_only_reads_is_400_and_kills_the_image() {
    let gander = Gander::plain();
    let id = gander.client().reserve("Image1", &[]);
    let request = gander.client().put(&format!("/v1/images/{id}")).header("X-Image-Meta-Store", "http");
    let text = request.data("abc").send().expect(400).text();
    assert!(text.contains("Error uploading image"), "{text}");
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("killed"));
}

#[test]
fn a_client_that_asks_first_is_told_to_go_on() {
    let gander = Gander::plain();
    let request = gander.client().post("/v1/images").headers(&minimal_headers("Image1"));
    let head = request.headers(&[("Content-Length", "3"), ("Expect", "100-continue")]).head_bytes();
    let mut stream = gander.client().connect();
    stream.write_all(&head).unwrap();
    let mut interim = [0; 25];
    std::io::Read::read_exact(&mut stream, &mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").unwrap();
    let image = read_response(&mut BufReader::new(stream), false).unwrap().expect(201).json();
    assert_eq!(image["image"]["checksum"], md5(b"abc"));
}

#[test]
fn the_image_is_saving_while_its_data_arrives() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.reserve("Image1", &[]);
    let request = http.put(&format!("/v1/images/{id}")).data("");
    let head = String::from_utf8(request.head_bytes()).unwrap().replace("Content-Length: 0", "Content-Length: 6");
    let mut stream = http.connect();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"abc").unwrap();
    crate::harness::eventually("the image is saving", std::time::Duration::from_secs(10), || {
        http.meta(&id, "status").as_deref() == Some("saving")
    });
    http.get(&format!("/v1/images/{id}")).expect(404);
    // A second upload finds that it is too late.
    http.put(&format!("/v1/images/{id}")).data("xyz").send().expect(409);

    stream.write_all(b"def").unwrap();
    read_response(&mut BufReader::new(stream), false).unwrap().expect(200);
    assert_eq!(http.download(&id), b"abcdef");
}

#[test]
fn uploads_at_the_same_time_do_not_mix() {
    let gander = Gander::plain();
    let upload = |x: u8| {
        let http = gander.client();
        std::thread::spawn(move || {
            let data = vec![x; 200_000];
            (http.add(&format!("Image{x}"), &data), data)
        })
    };
    let uploads: Vec<_> = (0..8).map(upload).collect();
    for upload in uploads {
        let (id, data) = upload.join().unwrap();
        assert_eq!(gander.client().meta(&id, "checksum"), Some(md5(&data)));
        assert!(gander.client().download(&id) == data);
    }
}

#[test]
fn a_replacement_of_the_default_store_directory_is_created() {
    let gander = Gander::plain();
    std::fs::remove_dir_all(gander.path("images")).unwrap();
    let answer = gander.client().post("/v1/images").headers(&minimal_headers("Image1")).body(five_kb()).send();
    // Created again, or refused in the form of v1; never a trace or a hanging client.
    assert!(matches!(answer.status, 201 | 400 | 503), "{}", answer.text());
}

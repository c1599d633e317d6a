//! `PUT /v2/images/{id}/file` (v2-images §8.1).

use std::fs;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::client::refusal;
use crate::harness::{
    Client, Gander, Setup, TinyDisk, entries, eventually, five_kb, md5, minimal_headers, noise, read_response,
};

const LIMIT: Duration = Duration::from_secs(15);
const NOBODY: &str = "71c675ab-d94f-49cd-a114-e12490b328d9";

fn sha512(data: &[u8]) -> String {
    Sha512::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The image is as if nothing had been sent, nothing lies anywhere, and it takes data.
#[track_caller]
pub(super) fn repeatable(gander: &Gander, id: &str) {
    let http = gander.client();
    eventually("the image is queued", LIMIT, || http.status(id) == "queued");
    let image = http.image(id);
    for field in ["size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value"] {
        assert_eq!(image[field], Value::Null, "{field}");
    }
    eventually("nothing is left", LIMIT, || {
        entries(&gander.path("images")).is_empty() && entries(&gander.path("images/.journal")).is_empty()
    });
    http.put_file(id, b"again").expect(204);
    assert_eq!(http.get_file(id).expect(200).body, b"again");
    http.delete(&format!("/v2/images/{id}")).expect(204);
}

/// Sends the first bytes of an upload of six and waits until they are being received.
pub(super) fn half_an_upload(http: &Client) -> (String, TcpStream) {
    let id = http.register("raw", "bare");
    let head = http.put(&format!("/v2/images/{id}/file")).header("Content-Type", "application/octet-stream");
    let mut stream = http.connect();
    stream.write_all(&head.header("Content-Length", "6").head_bytes()).unwrap();
    stream.write_all(b"abc").unwrap();
    eventually("the upload runs", LIMIT, || http.status(&id) == "saving");
    (id, stream)
}

#[test]
fn what_is_uploaded_is_active_with_all_that_is_known_of_it() {
    let gander = Setup::api("").set("show_multiple_locations", "True").start();
    let http = gander.client();
    let data = noise(1, 3_000_000);
    let id = http.register("raw", "bare");
    assert_eq!(http.image(&id)["size"], Value::Null);
    let answer = http.put_file(&id, &data).expect(204);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("content-type"), Some("text/html; charset=UTF-8"));
    let image = http.image(&id);
    assert_eq!(image["status"], "active");
    assert_eq!((&image["size"], &image["virtual_size"]), (&json!(3_000_000), &json!(3_000_000)));
    assert_eq!(image["checksum"], md5(&data));
    assert_eq!((&image["os_hash_algo"], &image["os_hash_value"]), (&json!("sha512"), &json!(sha512(&data))));
    let place = format!("file://{}", gander.path("images").join(&id).display());
    assert_eq!(image["locations"], json!([{"url": place, "metadata": {}}]));
    assert!(http.get_file(&id).expect(200).body == data);
}

#[test]
fn data_may_come_in_chunks_and_may_be_none() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let request = http.put(&format!("/v2/images/{id}/file"));
    let request = request.header("Content-Type", "application/octet-stream; charset=binary");
    request.chunked(&five_kb()).send().expect(204);
    assert_eq!(http.get_file(&id).expect(200).body, five_kb());
    for chunked in [true, false] {
        let id = http.register("raw", "bare");
        let request = http.put(&format!("/v2/images/{id}/file"));
        let request = request.header("Content-Type", "application/octet-stream");
        if chunked { request.chunked(b"") } else { request }.send().expect(204);
        let image = http.image(&id);
        assert_eq!((&image["status"], &image["size"]), (&json!("active"), &json!(0)));
        assert_eq!((&image["virtual_size"], &image["checksum"]), (&Value::Null, &json!(md5(b""))));
    }
}

#[test]
fn another_content_type_is_415() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("raw", "bare");
    for content_type in ["text/plain", "application/octet-streamer", "", "Application/Octet-Stream"] {
        let request = http.put(&format!("/v2/images/{id}/file")).header("Content-Type", content_type).body("abc");
        let text = refusal(request.send(), 415);
        assert!(text.contains(&format!("The request media type {content_type} is not supported")), "{text}");
        assert!(text.contains(&format!("Invalid content type {content_type}")), "{text}");
    }
    refusal(http.put(&format!("/v2/images/{NOBODY}/file")).body("abc").send(), 415);
    repeatable(&gander, &id);
}

#[test]
fn a_size_that_is_announced_must_come() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let sized = |size: &str| http.put(&format!("/v2/images/{id}/file")).header("x-openstack-image-size", size);
    for junk in ["", "ten", "1.5"] {
        let text = refusal(sized(junk).data("abc").send(), 400);
        assert!(text.contains("Invalid or missing image size in request headers."), "{text}");
    }
    for (size, told) in [
        ("5", "Size mismatch: expected 5 bytes, got 3 bytes"),
        ("2", "Size exceeds: expected 2 bytes, got 3 bytes"),
        ("-1", "Size exceeds: expected -1 bytes, got 3 bytes"),
    ] {
        let text = refusal(sized(size).data("abc").send(), 400);
        assert!(text.contains(told), "{text}");
        let text = refusal(sized(size).header("Content-Type", "application/octet-stream").chunked(b"abc").send(), 400);
        assert!(text.contains(told), "{text}");
        assert_eq!(http.status(&id), "queued");
    }
    // No data is not less than none.
    for chunked in [true, false] {
        let request = sized("-1").header("Content-Type", "application/octet-stream");
        let text = refusal(if chunked { request.chunked(b"") } else { request }.send(), 400);
        assert!(text.contains("Size exceeds: expected -1 bytes, got 0 bytes"), "{text}");
        assert_eq!(http.status(&id), "queued");
    }
    assert!(entries(&gander.path("images")).is_empty());
    sized("3").data("abc").send().expect(204);
    let id = http.register("raw", "bare");
    http.put(&format!("/v2/images/{id}/file")).header("x-openstack-image-size", "0").data("abc").send().expect(204);
}

#[test]
fn a_body_cut_short_leaves_the_image_for_another_try() {
    let gander = Gander::plain();
    let http = gander.client();
    let (id, stream) = half_an_upload(&http);
    drop(stream);
    repeatable(&gander, &id);
    let id = http.register("raw", "bare");
    let request = http.put(&format!("/v2/images/{id}/file")).header("Content-Type", "application/octet-stream");
    let mut bytes = request.header("Transfer-Encoding", "chunked").head_bytes();
    bytes.extend_from_slice(b"a\r\nonly this");
    if let Ok(answer) = http.raw(&bytes) {
        answer.expect(400);
    }
    repeatable(&gander, &id);
}

#[test]
fn where_there_is_one_store_nobody_is_asked_which() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let request = http.put(&format!("/v2/images/{id}/file")).header("x-image-meta-store", "elsewhere");
    request.data("abc").send().expect(204);
    assert_eq!(http.get(&format!("/v2/images/{id}/file?prefer=elsewhere")).expect(200).body, b"abc");
}

#[test]
fn a_store_that_takes_nothing_is_410() {
    let gander = Setup::api("").set("default_store", "http").start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let text = refusal(http.put_file(&id, b"abc"), 410);
    assert!(text.contains("Error in store configuration. Adding images to store is disabled."), "{text}");
    assert_eq!(http.status(&id), "queued");
}

#[test]
fn who_may_not_upload_hears_it_in_this_order() {
    let gander = Setup::behind_proxy().set("allow_anonymous_access", "True").start();
    let owner = gander.client().acting_as("u", "p", "member,reader");
    let id = owner.register("raw", "bare");
    let file = |http: &Client, id: &str| http.put(&format!("/v2/images/{id}/file")).data("abc").send();
    let text = refusal(file(&gander.client(), &id), 403);
    assert!(text.contains("Read-only access"), "{text}");
    let text = refusal(file(&gander.client().acting_as("x", "other", "member,reader"), &id), 404);
    assert!(text.contains(&format!("No image found with ID {id}")), "{text}");
    refusal(file(&owner, "no-id"), 404);
    let reader = gander.client().acting_as("r", "p", "reader");
    assert!(refusal(file(&reader, &id), 403).contains("You are not authorized to complete upload_image action."));
    let nobody = gander.client().acting_as("r", "p", "nothing");
    refusal(file(&nobody, &id), 404);
    gander.set_policy(r#"{"upload_image": "!"}"#);
    refusal(file(&owner, &id), 403);
    gander.set_policy("{}");
    assert_eq!(owner.status(&id), "queued");
    file(&owner, &id).expect(204);
}

#[test]
fn formats_must_be_known_first() {
    let gander = Gander::plain();
    let http = gander.client();
    for (formats, told) in [
        (json!({}), "Properties disk_format, container_format must be set prior to saving data."),
        (json!({"disk_format": "raw"}), "Property container_format must be set prior to saving data."),
        (json!({"container_format": "bare"}), "Property disk_format must be set prior to saving data."),
    ] {
        let image = http.post("/v2/images").json(&formats).send().expect(201).json();
        let id = image["id"].as_str().unwrap();
        let text = refusal(http.put_file(id, b"abc"), 400);
        assert!(text.contains(told), "{text}");
        assert_eq!(http.status(id), "queued");
    }
}

#[test]
fn an_image_takes_data_once() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.add_raw(b"abc");
    let text = refusal(http.put_file(&id, b"def"), 409);
    assert!(text.contains("Image status transition from active to saving is not allowed"), "{text}");
    assert_eq!(http.get_file(&id).expect(200).body, b"abc");
    let (id, mut stream) = half_an_upload(&http);
    let text = refusal(http.put_file(&id, b"def"), 409);
    assert!(text.contains("Image status transition from saving to saving is not allowed"), "{text}");
    stream.write_all(b"def").unwrap();
    read_response(&mut BufReader::new(stream), false).unwrap().expect(204);
    assert_eq!(http.get_file(&id).expect(200).body, b"abcdef");
}

#[test]
fn of_many_uploads_at_once_one_wins() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let uploads: Vec<_> = (0..8)
        .map(|n: u8| {
            let (http, id) = (http.clone(), id.clone());
            thread::spawn(move || (n, http.put_file(&id, &[n; 100_000]).status))
        })
        .collect();
    let outcomes: Vec<_> = uploads.into_iter().map(|upload| upload.join().unwrap()).collect();
    let won: Vec<_> = outcomes.iter().filter(|(_, status)| *status == 204).collect();
    assert_eq!(won.len(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|(_, status)| [204, 409].contains(status)), "{outcomes:?}");
    assert!(http.get_file(&id).expect(200).body == [won[0].0; 100_000]);
}

#[test]
fn an_image_deleted_during_its_upload_is_410() {
    let gander = Gander::plain();
    let http = gander.client();
    let (id, stream) = half_an_upload(&http);
    http.delete(&format!("/v2/images/{id}")).expect(204);
    let answer = read_response(&mut BufReader::new(stream), false).unwrap();
    let told = format!(
        "Image {id} could not be found after upload. The image may have been deleted during the upload, cleaning up the \
         chunks uploaded."
    );
    let text = refusal(answer, 410);
    assert!(text.contains(&told), "{text}");
    http.get(&format!("/v2/images/{id}")).expect(404);
    eventually("nothing is left", LIMIT, || {
        entries(&gander.path("images")).is_empty() && entries(&gander.path("images/.journal")).is_empty()
    });
}

#[test]
fn more_than_the_cap_is_413() {
    let gander = Setup::api("").set("image_size_cap", 1000).start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let text = refusal(http.put_file(&id, &[b'x'; 1001]), 413);
    assert!(text.contains("The incoming image is too large: "), "{text}");
    let request = http.put(&format!("/v2/images/{id}/file")).header("Content-Type", "application/octet-stream");
    let text = refusal(request.chunked(&[b'x'; 1001]).send(), 413);
    assert!(text.contains("The incoming image is too large: "), "{text}");
    repeatable(&gander, &id);
    http.add_raw(&[b'x'; 1000]);
}

#[test]
fn a_full_store_is_413() {
    let setup = Setup::api("");
    let Some(_disk) = TinyDisk::mount(setup.path("images"), 512) else { return };
    let gander = setup.start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let text = refusal(http.put_file(&id, &vec![b'x'; 1_000_000]), 413);
    assert!(text.contains("Image storage media is full: "), "{text}");
    repeatable(&gander, &id);
}

#[test]
fn a_store_that_may_not_be_written_is_503() {
    let setup = Setup::api("");
    let journal = setup.path("journal").display().to_string();
    let Some(disk) = TinyDisk::mount(setup.path("images"), 512) else { return };
    let gander = setup.set("upload_journal_dir", journal).start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    disk.read_only(true);
    let text = refusal(http.put_file(&id, b"abc"), 503);
    assert!(text.contains("Insufficient permissions on image storage media: "), "{text}");
    disk.read_only(false);
    repeatable(&gander, &id);
}

#[test]
fn a_store_whose_directory_is_closed_to_the_service_is_503() {
    let setup = Setup::api("");
    let journal = setup.path("journal").display().to_string();
    let gander = setup.set("upload_journal_dir", journal).start();
    let http = gander.client();
    let images = gander.path("images");
    fs::set_permissions(&images, fs::Permissions::from_mode(0o500)).unwrap();
    // The system's administrator is not kept out.
    if fs::write(images.join("probe"), "").is_ok() {
        return fs::remove_file(images.join("probe")).unwrap();
    }
    let id = http.register("raw", "bare");
    let text = refusal(http.put_file(&id, b"abc"), 503);
    assert!(text.contains("Insufficient permissions on image storage media: "), "{text}");
    fs::set_permissions(&images, fs::Permissions::from_mode(0o700)).unwrap();
    repeatable(&gander, &id);
}

#[test]
fn a_store_without_a_directory_is_410() {
    let gander = Setup::api("").unset("filesystem_store_datadir").start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let text = refusal(http.put_file(&id, b"abc"), 410);
    assert!(text.contains("Error in store configuration. Adding images to store is disabled."), "{text}");
    assert_eq!(http.status(&id), "queued");
}

#[test]
fn data_that_is_in_the_store_already_is_409() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("raw", "bare");
    let file = gander.path("images").join(&id);
    fs::write(&file, "foreign").unwrap();
    let text = refusal(http.put_file(&id, b"abc"), 409);
    assert!(text.contains(&format!("Unable to upload duplicate image data for image {id}: ")), "{text}");
    assert!(!text.contains(&*gander.path("images").to_string_lossy()), "{text}");
    assert_eq!(http.status(&id), "queued");
    assert_eq!(fs::read(&file).unwrap(), b"foreign");
    fs::remove_file(&file).unwrap();
    repeatable(&gander, &id);
}

#[test]
fn data_is_hashed_by_what_the_record_says() {
    let gander = Gander::plain();
    let http = gander.client();
    // Nobody can hash by the last one here.
    for (noted, used, digest) in [("md5", "md5", md5(b"abc")), ("shake_128", "sha512", sha512(b"abc"))] {
        let id = http.register("raw", "bare");
        gander.rows(&format!("UPDATE images SET os_hash_algo = '{noted}' WHERE id = '{id}'"));
        let image = http.image(&id);
        assert_eq!((&image["os_hash_algo"], &image["os_hash_value"]), (&json!(noted), &Value::Null));
        http.put_file(&id, b"abc").expect(204);
        let image = http.image(&id);
        assert_eq!((&image["os_hash_algo"], &image["os_hash_value"]), (&json!(used), &json!(digest)));
        assert_eq!(http.get_file(&id).expect(200).body, b"abc");
    }
}

#[test]
fn what_one_api_uploads_the_other_serves() {
    let gander = Gander::plain();
    let http = gander.client();
    let data = noise(2, 200_000);
    let new = http.add_raw(&data);
    assert!(http.download(&new) == data);
    assert_eq!(http.meta(&new, "checksum"), Some(md5(&data)));
    assert_eq!(http.meta(&new, "size").as_deref(), Some("200000"));
    let old = http.add("Image2", &data);
    let answer = http.get_file(&old).expect(200);
    assert!(answer.body == data);
    assert_eq!(answer.header("content-md5"), Some(md5(&data).as_str()));
    assert_eq!(http.image(&old)["os_hash_value"], sha512(&data));
    // Registered by one, filled by the other.
    let id = http.reserve("Image3", &[("X-Image-Meta-Size", "17")]);
    http.put_file(&id, &data).expect(204);
    assert!(http.download(&id) == data);
    let id = http.register("raw", "bare");
    http.put(&format!("/v1/images/{id}")).header("X-Image-Meta-Size", "7").data("abc").send().expect(400);
    assert_eq!(gander.rows("SELECT status FROM images WHERE status = 'killed'"), ["killed"]);
    assert!(refusal(http.put_file(&id, b"abc"), 409).contains("from killed to saving"));
}

#[test]
fn large_uploads_take_little_memory() {
    const SIZE: usize = 32 * 1024 * 1024;
    const UPLOADS: u64 = 8;
    let gander = Gander::plain();
    let http = gander.client();
    http.add_raw(&vec![0; 8 * 1024 * 1024]);
    let before = gander.peak_memory();
    let upload = || {
        let id = http.register("raw", "bare");
        let request = http.put(&format!("/v2/images/{id}/file")).header("Content-Type", "application/octet-stream");
        let mut stream = http.connect();
        stream.write_all(&request.header("Content-Length", &SIZE.to_string()).head_bytes()).unwrap();
        let block = vec![0; 1024 * 1024];
        for _ in 0..SIZE / block.len() {
            stream.write_all(&block).unwrap();
        }
        read_response(&mut BufReader::new(stream), false).unwrap().expect(204);
        assert_eq!(http.image(&id)["virtual_size"], json!(SIZE));
    };
    std::thread::scope(|scope| {
        for _ in 0..UPLOADS {
            scope.spawn(upload);
        }
    });
    let grown = gander.peak_memory() - before;
    assert!(grown < UPLOADS * 3 * 1024, "{grown} KiB");
}

#[test]
fn others_hear_of_every_step() {
    let gander = Setup::api("").set("notifier_strategy", "logging").start();
    let http = gander.client();
    let events = || -> Vec<(String, Value)> {
        let log = gander.log();
        let messages = log.lines().filter_map(|line| line.find("{\"message_id\"").map(|at| &line[at..]));
        let messages = messages.map(|text| serde_json::from_str::<Value>(text).unwrap());
        messages.map(|m| (m["event_type"].as_str().unwrap().to_owned(), m)).collect()
    };
    let id = http.add_raw(b"abc");
    let names: Vec<_> = events().into_iter().map(|(name, m)| (name, m["payload"]["status"].clone())).collect();
    let told = |name: &str, status: &str| (name.to_owned(), json!(status));
    assert_eq!(
        names,
        [
            told("image.create", "queued"),
            told("image.update", "saving"),
            told("image.prepare", "saving"),
            told("image.upload", "active"),
            told("image.activate", "active"),
            told("image.update", "active"),
        ]
    );
    http.get_file(&id).expect(200);
    eventually("the download is told", LIMIT, || events().last().unwrap().0 == "image.send");
    assert_eq!(events().last().unwrap().1["payload"]["bytes_sent"], 3);
    let id = http.register("qcow2", "bare");
    http.put_file(&id, b"abc").expect(415);
    let names: Vec<_> = events().into_iter().skip(7).map(|(name, m)| (name, m["priority"].clone())).collect();
    let of = |name: &str, priority: &str| (name.to_owned(), json!(priority));
    assert_eq!(
        names,
        [
            of("image.create", "INFO"),
            of("image.update", "INFO"),
            of("image.prepare", "INFO"),
            of("image.update", "INFO"),
            of("image.upload", "ERROR"),
        ]
    );
}

#[test]
fn v1_still_uploads_anything() {
    let gander = Gander::plain();
    let http = gander.client();
    let headers = [&minimal_headers("Image1")[..2], &[("X-Image-Meta-disk_format", "qcow2")]].concat();
    let request = http.post("/v1/images").headers(&headers).header("X-Image-Meta-container_format", "bare");
    let id = request.body("not a qcow2 at all").send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
    assert_eq!(http.image(&id)["virtual_size"], Value::Null);
    assert_eq!(http.get_file(&id).expect(200).body, b"not a qcow2 at all");
}

//! What is uploaded by v2 is what it says it is (v2-import-and-tasks §8).

use std::fmt::Write;

use serde_json::{Value, json};

use super::client::refusal;
use crate::harness::{Gander, Setup, entries};

/// A sector that begins with the head of a qcow2 image of a disk of one MiB.
fn qcow2() -> Vec<u8> {
    let mut head = vec![0; 512];
    head[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
    head[24..32].copy_from_slice(&(1_u64 << 20).to_be_bytes());
    head
}

/// The same with a backing file, which may be anything that the reader can reach.
fn backed() -> Vec<u8> {
    let mut head = qcow2();
    head[8..16].copy_from_slice(&104_u64.to_be_bytes());
    head
}

/// A disk with a master boot record whose first entry has an impossible boot flag.
fn odd_disk() -> Vec<u8> {
    let mut sector = vec![0; 1024];
    sector[446] = 0x42;
    sector[450] = 0x83;
    sector[510..512].copy_from_slice(b"\x55\xaa");
    sector
}

#[track_caller]
fn untouched(gander: &Gander, id: &str) {
    let image = gander.client().image(id);
    assert_eq!(image["status"], "queued");
    for field in ["size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value"] {
        assert_eq!(image[field], Value::Null, "{field}");
    }
    assert!(entries(&gander.path("images")).is_empty() && entries(&gander.path("images/.journal")).is_empty());
}

#[test]
fn what_is_what_it_says_has_a_virtual_size() {
    let gander = Gander::plain();
    let http = gander.client();
    for (disk_format, data, virtual_size) in [
        ("qcow2", qcow2(), json!(1 << 20)),
        ("raw", b"abc".to_vec(), json!(3)),
        // Raw may be anything.
        ("raw", qcow2(), json!(512)),
        ("ami", b"abc".to_vec(), Value::Null),
    ] {
        let id = http.register(disk_format, "bare");
        http.put_file(&id, &data).expect(204);
        assert_eq!(http.image(&id)["virtual_size"], virtual_size, "{disk_format}");
    }
}

#[test]
fn what_is_not_what_it_says_is_415_and_may_come_again() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("qcow2", "bare");
    for (data, told) in [
        (b"abc".to_vec(), "Image disk_format qcow2 does not match stream data raw"),
        (Vec::new(), "Image disk_format qcow2 does not match stream data raw"),
        (backed(), "Image failed safety checks"),
    ] {
        let answer = http.put_file(&id, &data);
        let text = refusal(answer, 415);
        let media = "The request media type application/octet-stream is not supported by this server.";
        assert!(text.contains(media) && text.contains(told), "{text}");
        untouched(&gander, &id);
    }
    // In chunks of odd sizes, too.
    let request = http.put(&format!("/v2/images/{id}/file")).header("Content-Type", "application/octet-stream");
    let mut body = String::new();
    backed().iter().for_each(|byte| write!(body, "1\r\n{}\r\n", if *byte == 0 { '\0' } else { 'x' }).unwrap());
    body.push_str("0\r\n\r\n");
    let mut bytes = request.header("Transfer-Encoding", "chunked").head_bytes();
    bytes.extend_from_slice(body.as_bytes());
    http.raw(&bytes).unwrap().expect(415);
    untouched(&gander, &id);
    http.put_file(&id, &qcow2()).expect(204);
    assert_eq!(http.get_file(&id).expect(200).body, qcow2());
}

#[test]
fn what_is_wrapped_up_is_not_looked_at() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.register("qcow2", "ovf");
    http.put_file(&id, &backed()).expect(204);
    assert_eq!(http.image(&id)["virtual_size"], Value::Null);
}

#[test]
fn a_mismatch_may_be_overlooked_but_not_a_danger() {
    let gander = Setup::api("").set("image_format.require_image_format_match", "False").start();
    let http = gander.client();
    let id = http.register("qcow2", "bare");
    http.put_file(&id, b"abc").expect(204);
    assert_eq!(http.image(&id)["virtual_size"], Value::Null);
    assert!(gander.log().contains("does not match stream data raw"), "{}", gander.log());
    let id = http.register("qcow2", "bare");
    assert!(refusal(http.put_file(&id, &backed()), 415).contains("Image failed safety checks"));
}

#[test]
fn odd_partition_tables_are_the_operators_choice() {
    let gander = Gander::plain();
    let id = gander.client().register("raw", "bare");
    assert!(refusal(gander.client().put_file(&id, &odd_disk()), 415).contains("Image failed safety checks"));
    untouched(&gander, &id);
    let gander = Setup::api("").set("image_format.gpt_safety_checks_nonfatal", "mbr").start();
    let id = gander.client().register("raw", "bare");
    gander.client().put_file(&id, &odd_disk()).expect(204);
    assert_eq!(gander.client().image(&id)["virtual_size"], 1024);
}

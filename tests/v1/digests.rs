//! The digests in the row of an image: MD5, and the operator's `hashing_algorithm` (database §3.1).

use std::time::Duration;

use sha2::{Digest, Sha256, Sha512};

use crate::harness::{Gander, Origin, Setup, eventually, md5, minimal_headers};

const LIMIT: Duration = Duration::from_secs(15);

/// Bytes in which a block that is lost, doubled or moved shows; more than any buffer.
fn data() -> Vec<u8> {
    (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()[..1].to_vec()).collect()
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checksum, algorithm and digest of the one image there is.
fn digests(gander: &Gander) -> String {
    let query = "SELECT checksum, os_hash_algo, os_hash_value FROM images";
    let rows = gander.rows(query);
    assert_eq!(rows.len(), 1);
    rows[0].clone()
}

#[test]
fn an_upload_is_hashed_twice() {
    let gander = Gander::plain();
    gander.client().add("Image1", &data());
    assert_eq!(digests(&gander), format!("{}|sha512|{}", md5(&data()), hex(&Sha512::digest(data()))));
}

#[test]
fn the_algorithm_is_the_operators() {
    for (algorithm, digest) in [("SHA256", hex(&Sha256::digest(data()))), ("md5", md5(&data()))] {
        let gander = Setup::api("").set("hashing_algorithm", algorithm).start();
        gander.client().add("Image1", &data());
        let expected = format!("{}|{}|{digest}", md5(&data()), algorithm.to_ascii_lowercase());
        assert_eq!(digests(&gander), expected);
    }
}

#[test]
fn a_copy_is_hashed_as_an_upload_is() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(&data());
    let request = http.post("/v1/images").headers(&minimal_headers("Image1")[1..]);
    let answer = request.header("X-Glance-API-Copy-From", &origin.url("/images/2")).send().expect(201).json();
    let id = answer["image"]["id"].as_str().unwrap().to_owned();
    eventually("the copy is done", LIMIT, || http.meta(&id, "status").as_deref() == Some("active"));
    assert_eq!(digests(&gander), format!("{}|sha512|{}", md5(&data()), hex(&Sha512::digest(data()))));
}

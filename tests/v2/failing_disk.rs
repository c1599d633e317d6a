//! A disk that says EIO below the store, while data comes or goes (v2-images §8.1, stores §6.1). Glance knows no error of
//! its own for it: 500.

use std::io::{BufReader, Write};
use std::time::Duration;

use super::client::refusal;
use super::upload::{half_an_upload, repeatable};
use crate::harness::{MortalDisk, Setup, eventually, noise, read_response};

#[test]
fn data_that_cannot_be_written_is_500() {
    let Some(setup) = Setup::api("").breakable() else { return };
    let gander = setup.start();
    let (id, mut stream) = half_an_upload(&gander.client());
    // All else that the upload writes in this way, its answer, comes after it.
    gander.break_next("rw/writev");
    stream.write_all(b"def").unwrap();
    refusal(read_response(&mut BufReader::new(stream), false).unwrap(), 500);
    assert!(gander.log().contains("upload failed: Input/output error"));
    repeatable(&gander, &id);
}

#[test]
fn data_that_cannot_be_brought_to_disk_is_500() {
    let Some(setup) = Setup::api("").breakable() else { return };
    let gander = setup.start();
    let (id, mut stream) = half_an_upload(&gander.client());
    gander.break_all("sync/fsync");
    stream.write_all(b"def").unwrap();
    refusal(read_response(&mut BufReader::new(stream), false).unwrap(), 500);
    assert!(gander.log().contains("upload failed: Input/output error"));
    gander.mend("sync/fsync");
    repeatable(&gander, &id);
}

#[test]
fn a_disk_that_fails_under_a_large_upload_is_500() {
    let Some(setup) = Setup::api("").breakable() else { return };
    let gander = setup.start();
    let http = gander.client();
    let data = noise(1, 3_000_000);
    let id = http.register("raw", "bare");
    let head = http.put(&format!("/v2/images/{id}/file")).header("Content-Type", "application/octet-stream");
    let mut stream = http.connect();
    stream.write_all(&head.header("Content-Length", "3000000").head_bytes()).unwrap();
    stream.write_all(&data[..1_000_000]).unwrap();
    eventually("part of it is stored", Duration::from_secs(15), || gander.bytes_in("images") > 500_000);
    gander.break_next("rw/writev");
    // Its refusal may come before all of it has left.
    let _ = stream.write_all(&data[1_000_000..]);
    refusal(read_response(&mut BufReader::new(stream), false).unwrap(), 500);
    repeatable(&gander, &id);
}

#[test]
fn an_upload_that_cannot_be_noted_is_500_before_its_data_is_stored() {
    let Some(setup) = Setup::api("").breakable() else { return };
    let gander = setup.start();
    let http = gander.client();
    let id = http.register("raw", "bare");
    gander.break_all("sync/fsync");
    let status = http.put_file(&id, b"abc").status;
    assert!(status >= 500, "{status}");
    assert!(gander.log().contains("Input/output error"));
    gander.mend("sync/fsync");
    repeatable(&gander, &id);
}

#[test]
fn stored_data_that_cannot_be_read_is_refused_or_cut() {
    // The one is read into memory, the other on its way to being sent.
    for data in [noise(1, 5000), noise(1, 3_000_000)] {
        let setup = Setup::api("");
        let Some(disk) = MortalDisk::mount(setup.path("images"), 64) else { return };
        let gander = setup.start();
        let http = gander.client();
        let id = http.add_raw(&data);
        disk.lose(&gander.path("images").join(&id));
        if let Ok(answer) = http.request("GET", &format!("/v2/images/{id}/file")).try_send() {
            let cut = !answer.complete && data.starts_with(&answer.body);
            assert!(answer.status == 500 || cut, "{}, {} bytes", answer.status, answer.body.len());
        }
        assert_eq!(http.status(&id), "active");
        drop(gander);
        drop(disk);
    }
}

//! What the file store notes of its files, and how they lie on disk (stores §6.1).

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use serde_json::{Value, json};

use super::client::refusal;
use crate::harness::{Setup, noise};

const METADATA_FILE: &str = "filesystem_store_metadata_file";

/// A server to be whose metadata file says this.
fn noting(metadata: impl FnOnce(&Setup) -> Value) -> Setup {
    let setup = Setup::api("").set("show_multiple_locations", "True");
    let file = setup.path("mountpoints.json");
    fs::write(&file, metadata(&setup).to_string()).unwrap();
    setup.set(METADATA_FILE, file.display())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_noted_of_the_directory_is_told_of_the_location() {
    let mountpoint = |setup: &Setup| setup.path("images").display().to_string();
    let gander = noting(|setup| json!({"id": "über", "mountpoint": mountpoint(setup), "more": ["x"]})).start();
    let http = gander.client();
    let id = http.add_raw(b"abc");
    let dir = gander.path("images").display().to_string();
    let expected = json!({"id": "über", "mountpoint": dir, "more": ["x"]});
    assert_eq!(http.image(&id)["locations"], json!([{"url": format!("file://{dir}/{id}"), "metadata": expected}]));
    // The text that Glance writes.
    let text = format!(r#"{{"id": "\u00fcber", "mountpoint": "{dir}", "more": ["x"]}}"#);
    assert_eq!(gander.rows("SELECT meta_data FROM image_locations"), [text.as_str()]);
    // By v1, too.
    http.add_image("Image1");
    assert_eq!(gander.rows("SELECT meta_data FROM image_locations"), [text.as_str(), &text]);
}

#[test]
fn of_several_mountpoints_the_one_of_the_directory_is_told() {
    let setup = noting(|setup| {
        let [a, b] = ["a", "b"].map(|dir| json!({"id": dir, "mountpoint": setup.path(dir).display().to_string()}));
        json!([a, b])
    });
    let [a, b] = ["a", "b:1"].map(|dir| setup.path(dir).display().to_string());
    let setup = setup.unset("filesystem_store_datadir").add("filesystem_store_datadirs", a);
    let gander = setup.add("filesystem_store_datadirs", b).start();
    let id = gander.client().add_raw(b"abc");
    let noted = &gander.client().image(&id)["locations"][0]["metadata"];
    assert_eq!(*noted, json!({"id": "b", "mountpoint": gander.path("b").display().to_string()}));
}

#[test]
fn without_a_mountpoint_nothing_is_told_but_the_log() {
    let gander = noting(|_| json!([{"id": "a", "mountpoint": "/elsewhere"}])).start();
    let id = gander.client().add_raw(b"abc");
    assert_eq!(gander.client().image(&id)["locations"][0]["metadata"], json!({}));
    assert_eq!(gander.rows("SELECT meta_data FROM image_locations"), ["{}"]);
    assert!(gander.log().contains("has no mountpoint of this image"));
}

#[test]
fn a_useless_metadata_file_disables_uploads() {
    for setup in [
        noting(|_| json!({"id": "a"})),
        noting(|_| json!({"id": "a", "mountpoint": "/a", "more": 1})),
        noting(|_| json!("x")),
        Setup::api("").set(METADATA_FILE, "/nowhere/at/all"),
    ] {
        let gander = setup.start();
        let id = gander.client().register("raw", "bare");
        refusal(gander.client().put_file(&id, b"abc"), 410);
        let log = gander.log();
        let line = log.lines().find(|line| line.contains("disabling add method")).expect(&log);
        assert!(line.contains(METADATA_FILE), "{line}");
    }
}

#[test]
fn files_have_the_configured_mode_and_directories_let_in_whom_it_means() {
    let setup = Setup::api("").unset("filesystem_store_datadir").set("filesystem_store_file_perm", 644);
    let setup = ["a:1", "b"].iter().fold(setup, |setup, dir| {
        let path = setup.path(dir.split(':').next().unwrap());
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let entry = setup.path(dir).display().to_string();
        setup.add("filesystem_store_datadirs", entry)
    });
    let gander = setup.start();
    let id = gander.client().add_raw(b"abc");
    assert_eq!(mode(&gander.path("a").join(id)), 0o644);
    assert_eq!([mode(&gander.path("a")), mode(&gander.path("b"))], [0o711, 0o711]);
}

#[test]
fn a_mode_that_shuts_out_the_service_disables_uploads() {
    let gander = Setup::api("").set("filesystem_store_file_perm", 40).start();
    let id = gander.client().register("raw", "bare");
    refusal(gander.client().put_file(&id, b"abc"), 410);
    assert!(gander.log().contains("filesystem_store_file_perm 40 must be"));
}

#[test]
fn zeros_take_room_unless_provisioning_is_thin() {
    let (data, zeros) = (noise(1, 1 << 20), vec![0; 4 << 20]);
    let image = [&zeros[..], &data, &zeros].concat();
    for thin in [true, false] {
        let gander = Setup::api("").set("filesystem_thin_provisioning", thin).start();
        let http = gander.client();
        let id = http.add_raw(&image);
        let empty = http.add_raw(&zeros);
        let file = fs::metadata(gander.path("images").join(&id)).unwrap();
        assert_eq!(file.len(), image.len() as u64);
        let on_disk = file.blocks() * 512;
        assert_eq!(on_disk < 2 << 20, thin, "{on_disk} bytes on disk");
        assert_eq!(http.image(&id)["size"], image.len());
        assert!(http.get_file(&id).expect(200).body == image);
        assert!(http.get_file(&empty).expect(200).body == zeros);
        let asked = http.request("GET", &format!("/v2/images/{id}/file"));
        let part = asked.header("Range", "bytes=4194300-4194310").send().expect(206);
        assert_eq!(part.body, image[4_194_300..=4_194_310]);
    }
}

#[test]
fn chunks_of_any_size_give_the_same_image() {
    let data = noise(3, 700_001);
    for chunk_size in ["1", "65536", "10000000"] {
        let setup = Setup::api("").set("glance_store.filesystem_store_chunk_size", chunk_size);
        let gander = setup.set("glance_store.filesystem_thin_provisioning", "True").start();
        let id = gander.client().add_raw(&data);
        assert!(gander.client().get_file(&id).expect(200).body == data, "{chunk_size}");
        assert!(fs::read(gander.path("images").join(id)).unwrap() == data, "{chunk_size}");
    }
    let refused = Setup::api("").set("filesystem_store_chunk_size", 0).run_to_end();
    assert!(refused.code != Some(0) && refused.stderr.contains("filesystem_store_chunk_size"), "{refused:?}");
}

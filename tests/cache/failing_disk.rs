//! Disks that say EIO, below the cache (v1-cache §3.1): a download gets whole and right bytes from the store, or, if that
//! fails too, is cut; and once the disk works again, so does the cache.

use std::path::PathBuf;

use rustix::process::Signal;

use crate::harness::{Behaviour, Gander, MortalDisk, Origin, Setup, TinyDisk, five_kb, names, noise};

/// A caching API whose calls can be made to fail.
fn breakable() -> Option<Gander> {
    Some(Setup::api("cachemanagement").breakable()?.start())
}

/// A disk of a kind that does not tell what it has in memory: nothing of it is mapped or sent, all of it is read.
fn always_read(dir: PathBuf) -> Option<TinyDisk> {
    TinyDisk::mount(dir, 16 * 1024)
}

/// An image of this size that lies at `origin`.
fn registered(gander: &Gander, origin: &Origin, size: usize) -> String {
    let (place, size) = (origin.url("/images/2"), size.to_string());
    gander.client().reserve("Image1", &[("X-Image-Meta-Location", &place), ("X-Image-Meta-Size", &size)])
}

/// More than one map of a file.
fn large() -> Vec<u8> {
    noise(1, 6_000_000)
}

/// Nothing tells of the image but, perhaps, a note that it is invalid.
#[track_caller]
fn not_cached(gander: &Gander, id: &str) {
    assert!(!gander.path("cache").join(id).exists());
    assert!(!gander.path("cache/incomplete").join(id).exists());
    assert!(gander.client().cached().is_empty());
}

/// A download that is refused, or ends before the image does and has no byte that is not the image's.
#[track_caller]
fn cut(gander: &Gander, id: &str, data: &[u8]) {
    if let Ok(answer) = gander.client().request("GET", &format!("/v1/images/{id}")).try_send()
        && answer.status != 500
    {
        let right = !answer.complete && data.starts_with(&answer.body);
        assert!(right, "{}, {} bytes", answer.status, answer.body.len());
    }
}

/// The disk works again: the next download is cached, and the one after it a hit.
#[track_caller]
fn cached_at_last(gander: &Gander, id: &str, data: &[u8]) {
    assert!(gander.client().download(id) == data);
    assert_eq!(gander.settled(), [id]);
    assert_eq!(gander.client().cached(), [(id.to_owned(), 0)]);
    assert!(gander.client().download(id) == data);
    assert_eq!(gander.verdicts(id).last().unwrap(), "hit");
}

#[test]
fn a_fill_that_cannot_be_written_is_a_plain_download() {
    for data in [five_kb(), large()] {
        let Some(gander) = breakable() else { return };
        let id = gander.client().add("Image1", &data);
        gander.break_all("rw/pwrite");
        for _ in 0..2 {
            assert!(gander.client().download(&id) == data);
            not_cached(&gander, &id);
        }
        assert!(gander.log().contains("the cache cannot be written"));
        gander.mend("rw/pwrite");
        cached_at_last(&gander, &id, &data);
    }
}

#[test]
fn a_fill_that_cannot_be_written_any_more_is_read_on_from_the_store() {
    for ranges in [false, true] {
        let Some(gander) = breakable() else { return };
        let data = large();
        let origin = if ranges { Origin::with_ranges(&data) } else { Origin::serving(&data) };
        let id = registered(&gander, &origin, data.len());
        origin.set(Behaviour::PauseAfter(3_000_000));
        let mut reading = gander.client().request("GET", &format!("/v1/images/{id}")).open();
        reading.take(2_000_000);
        gander.break_all("rw/pwrite");
        origin.set(Behaviour::Serve);
        let answer = reading.finish();
        assert!(answer.complete && answer.body == data);
        not_cached(&gander, &id);
        gander.mend("rw/pwrite");
        cached_at_last(&gander, &id, &data);
    }
}

#[test]
fn a_finished_fill_that_cannot_become_an_entry_is_a_plain_download() {
    // Of an image of unknown size, more room is taken than it needs: that has to be given back as well.
    for call in ["rw/ftruncate", "dir/rename"] {
        let Some(gander) = breakable() else { return };
        let data = noise(1, 300_000);
        let origin = Origin::serving(&data);
        let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
        origin.set(Behaviour::NoLength);
        gander.break_all(call);
        for _ in 0..2 {
            assert!(gander.client().download(&id) == data, "{call}");
            not_cached(&gander, &id);
        }
        assert!(gander.log().contains("the finished file cannot be moved"));
        gander.mend(call);
        cached_at_last(&gander, &id, &data);
    }
}

#[test]
fn an_unfinished_file_that_cannot_be_removed_is_in_nobodys_way() {
    let Some(gander) = breakable() else { return };
    let data = large();
    let id = gander.client().add("Image1", &data);
    for call in ["rw/pwrite", "dir/unlink"] {
        gander.break_all(call);
    }
    for _ in 0..2 {
        assert!(gander.client().download(&id) == data);
        assert!(names(&gander.path("cache")).is_empty() && gander.client().cached().is_empty());
    }
    assert_eq!(names(&gander.path("cache/incomplete")), [id.as_str()]);
    for call in ["rw/pwrite", "dir/unlink"] {
        gander.mend(call);
    }
    cached_at_last(&gander, &id, &data);
}

#[test]
fn an_entry_that_cannot_be_opened_is_a_plain_download() {
    let Some(gander) = breakable() else { return };
    // A store that opens no files.
    let origin = Origin::serving(&five_kb());
    let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
    assert_eq!(gander.client().download(&id), five_kb());
    assert_eq!(gander.settled(), [id.as_str()]);
    gander.break_all("oc/open");
    assert_eq!(gander.client().download(&id), five_kb());
    assert!(gander.log().contains("cached image cannot be opened"));
    gander.mend("oc/open");
    assert_eq!(gander.client().download(&id), five_kb());
    assert_eq!(gander.verdicts(&id), ["miss", "bypass", "hit"]);
    assert_eq!(origin.gets(), 2);
}

#[test]
fn an_entry_that_cannot_be_read_is_read_from_the_store() {
    for data in [five_kb(), large()] {
        let Some(setup) = Setup::api("cachemanagement").set("image_cache_min_free", 0).breakable() else { return };
        let Some(disk) = always_read(setup.path("cache")) else { return };
        let gander = setup.start();
        // A store that reads no files.
        let origin = Origin::serving(&data);
        let id = gander.client().reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))]);
        assert!(gander.client().download(&id) == data);
        assert_eq!(gander.settled(), [id.as_str()]);
        gander.break_all("rw/pread");
        assert!(gander.client().download(&id) == data);
        gander.mend("rw/pread");
        assert_eq!(gander.verdicts(&id), ["miss", "hit"]);
        assert!(gander.log().contains("cached image cannot be read: reading its store"));
        assert!(names(&gander.path("cache")).is_empty());
        cached_at_last(&gander, &id, &data);
        drop(gander);
        drop(disk);
    }
}

#[test]
fn where_neither_entry_nor_store_can_be_read_the_download_is_cut() {
    for data in [five_kb(), large()] {
        let Some(setup) = Setup::api("cachemanagement").set("image_cache_min_free", 0).breakable() else { return };
        let Some(cache) = always_read(setup.path("cache")) else { return };
        let Some(store) = always_read(setup.path("images")) else { return };
        let gander = setup.start();
        let id = gander.client().add("Image1", &data);
        assert!(gander.client().download(&id) == data);
        assert_eq!(gander.settled(), [id.as_str()]);
        gander.break_all("rw/pread");
        cut(&gander, &id, &data);
        gander.mend("rw/pread");
        cached_at_last(&gander, &id, &data);
        drop(gander);
        drop((cache, store));
    }
}

#[test]
fn a_store_that_cannot_be_read_cuts_the_download_and_fills_nothing() {
    let Some(setup) = Setup::api("cachemanagement").breakable() else { return };
    let Some(store) = always_read(setup.path("images")) else { return };
    let gander = setup.start();
    let data = large();
    let id = gander.client().add("Image1", &data);
    gander.break_all("rw/pread");
    cut(&gander, &id, &data);
    not_cached(&gander, &id);
    gander.mend("rw/pread");
    cached_at_last(&gander, &id, &data);
    drop(gander);
    drop(store);
}

/// A caching API whose cache is on a disk of its own.
fn on_mortal_disk() -> Option<(Gander, MortalDisk)> {
    let setup = Setup::api("cachemanagement").set("image_cache_min_free", 0);
    let disk = MortalDisk::mount(setup.path("cache"), 256)?;
    Some((setup.start(), disk))
}

/// More than the buffers between server and client take.
fn huge() -> Vec<u8> {
    noise(1, 50_000_000)
}

#[test]
fn a_disk_that_dies_under_a_hit_is_no_reason_to_fail() {
    let Some((mut gander, disk)) = on_mortal_disk() else { return };
    let data = huge();
    let (id, small) = (gander.client().add("Image1", &data), gander.client().add_image("Image2"));
    assert!(gander.client().download(&id) == data && gander.client().download(&small) == five_kb());
    gander.settled();
    disk.sync();
    let mut reading = gander.client().request("GET", &format!("/v1/images/{id}")).open();
    reading.take(1_000_000);
    disk.die();
    let answer = reading.finish();
    assert!(answer.complete && answer.body == data);
    assert!(gander.log().contains("cached image cannot be sent: reading its store"));
    assert!(gander.client().download(&id) == data && gander.client().download(&small) == five_kb());
    // What could not be read is still whole, and served once the disk works again.
    gander.end(Signal::TERM);
    disk.repair();
    gander.start_again();
    assert!(gander.client().download(&id) == data && gander.client().download(&small) == five_kb());
    assert_eq!(gander.verdicts(&id).last().unwrap(), "hit");
    drop(gander);
    drop(disk);
}

#[test]
fn a_disk_that_dies_under_a_fill_is_no_reason_to_fail() {
    let Some((mut gander, disk)) = on_mortal_disk() else { return };
    let data = huge();
    let origin = Origin::with_ranges(&data);
    let id = registered(&gander, &origin, data.len());
    origin.set(Behaviour::PauseAfter(30_000_000));
    let mut reading = gander.client().request("GET", &format!("/v1/images/{id}")).open();
    reading.take(1_000_000);
    disk.die();
    origin.set(Behaviour::Serve);
    let answer = reading.finish();
    assert!(answer.complete && answer.body == data);
    assert!(gander.client().download(&id) == data);
    gander.end(Signal::TERM);
    disk.repair();
    gander.start_again();
    assert!(gander.client().cached().is_empty());
    cached_at_last(&gander, &id, &data);
    drop(gander);
    drop(disk);
}

#[test]
fn an_entry_that_its_disk_lost_is_read_from_the_store() {
    // The one is read into memory, the other, one map of a file, on its way to being sent.
    for data in [five_kb(), noise(1, 3_000_000)] {
        let Some((gander, disk)) = on_mortal_disk() else { return };
        let id = gander.client().add("Image1", &data);
        assert!(gander.client().download(&id) == data);
        assert_eq!(gander.settled(), [id.as_str()]);
        disk.lose(&gander.path("cache").join(&id));
        assert!(gander.client().download(&id) == data);
        assert_eq!(gander.verdicts(&id), ["miss", "hit"]);
        assert!(gander.log().contains("reading its store"));
        assert!(names(&gander.path("cache")).is_empty());
        assert!(gander.client().download(&id) == data);
        drop(gander);
        drop(disk);
    }
}

#[test]
fn disks_that_cannot_be_read_cut_downloads_and_do_not_end_the_server() {
    let setup = Setup::api("cachemanagement").set("image_cache_min_free", 0);
    let Some(cache) = MortalDisk::mount(setup.path("cache"), 64) else { return };
    let Some(store) = MortalDisk::mount(setup.path("images"), 64) else { return };
    let gander = setup.start();
    let data = noise(1, 3_000_000);
    let id = gander.client().add("Image1", &data);
    assert!(gander.client().download(&id) == data);
    assert_eq!(gander.settled(), [id.as_str()]);
    for (dir, disk) in [("cache", &cache), ("images", &store)] {
        disk.lose(&gander.path(dir).join(&id));
    }
    for _ in 0..2 {
        cut(&gander, &id, &data);
    }
    assert_eq!(gander.client().meta(&id, "status").as_deref(), Some("active"));
    drop(gander);
    drop((cache, store));
}

#[test]
fn an_entry_that_did_not_reach_its_disk_is_not_served() {
    let Some((mut gander, disk)) = on_mortal_disk() else { return };
    let data = large();
    let id = gander.client().add("Image1", &data);
    assert!(gander.client().download(&id) == data);
    assert_eq!(gander.settled(), [id.as_str()]);
    // As with the machine's power: what was still in memory only is gone, but the file has its name and its length.
    disk.die();
    gander.end(Signal::KILL);
    disk.repair();
    gander.start_again();
    cached_at_last(&gander, &id, &data);
    drop(gander);
    drop(disk);
}

//! Opening a cache, whatever is in its directory.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

use super::support::{House, image, settings};
use crate::cache::{Cache, Driver, Error};
use crate::model::ImageId;

async fn reopened(house: &House, driver: Driver) -> std::sync::Arc<Cache> {
    Cache::open(settings(house.dir.path(), driver), None).await.unwrap()
}

#[tokio::test]
async fn a_new_cache_is_for_its_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().join("not/yet/there");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    Cache::open(settings(&base, Driver::Sqlite), None).await.unwrap();
    for name in ["", "incomplete", "invalid", "queue"] {
        assert_eq!(mode(&base.join(name)), 0o700, "{name}");
    }
    assert_eq!(mode(&base.join("cache.db")), 0o600);

    fs::set_permissions(&base, fs::Permissions::from_mode(0o750)).unwrap();
    Cache::open(settings(&base, Driver::Sqlite), None).await.unwrap();
    assert_eq!(mode(&base), 0o750, "an existing directory is left as it is");
}

#[tokio::test]
async fn a_cache_whose_files_everybody_may_replace_is_not_opened() {
    let house = House::new(Driver::Sqlite).await;
    for mode in [0o777, 0o702] {
        fs::set_permissions(house.dir.path(), fs::Permissions::from_mode(mode)).unwrap();
        let error = Cache::open(settings(house.dir.path(), Driver::Sqlite), None).await.unwrap_err();
        assert!(error.to_string().contains("everybody may replace files in"), "{error}");
    }
    for mode in [0o775, 0o1777] {
        fs::set_permissions(house.dir.path(), fs::Permissions::from_mode(mode)).unwrap();
        reopened(&house, Driver::Sqlite).await;
    }
}

#[tokio::test]
async fn unfinished_files_of_the_dead_are_removed() {
    let house = House::new(Driver::Sqlite).await;
    let [dead, living] = [ImageId::random(), ImageId::random()];
    fs::write(house.incomplete(&dead), "half").unwrap();
    let held = File::create(house.incomplete(&living)).unwrap();
    held.lock().unwrap();
    let cache = reopened(&house, Driver::Sqlite).await;
    assert!(house.incomplete(&dead).exists(), "opening alone leaves it to the stall time");
    cache.recover().await.unwrap();
    assert!(!house.incomplete(&dead).exists());
    assert!(house.incomplete(&living).exists());
}

#[tokio::test]
async fn an_unfinished_file_of_the_dead_does_not_keep_an_image_out() {
    let house = House::new(Driver::Sqlite).await;
    let id = ImageId::random();
    fs::write(house.incomplete(&id), "half").unwrap();
    let source = super::support::Script::new(image(10)).shared();
    super::support::all(house.fetch(&id, &source).await.data).await.unwrap();
    assert_eq!(house.read(&id).await, image(10));
}

#[tokio::test]
async fn index_and_directory_agree_after_opening() {
    let house = House::new(Driver::Sqlite).await;
    let (kept, lost, found) = (house.fill(10).await, house.fill(20).await, ImageId::random());
    house.read(&kept).await;
    house.settle().await;
    fs::remove_file(house.entry(&lost)).unwrap();
    fs::write(house.entry(&found), image(30)).unwrap();
    let mut records: Vec<_> = reopened(&house, Driver::Sqlite)
        .await
        .entries()
        .await
        .into_iter()
        .map(|r| (r.size, r.hits, r.image_id))
        .collect();
    records.sort();
    assert_eq!(records, [(10, 1, kept), (30, 0, found)]);
}

#[tokio::test]
async fn a_broken_index_is_made_anew() {
    let house = House::new(Driver::Sqlite).await;
    let id = house.fill(10).await;
    fs::write(house.path("cache.db"), "this is no database, and it is long enough to be looked at".repeat(100))
        .unwrap();
    let records = reopened(&house, Driver::Sqlite).await.entries().await;
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0].image_id, records[0].size), (&id, 10));
    assert!(house.path("cache.db.corrupt").exists());
}

#[tokio::test]
async fn without_attributes_the_index_is_sqlite() {
    let house = House::new(Driver::Sqlite).await;
    let id = house.fill(10).await;
    // No probe can be written where a directory is.
    fs::create_dir(house.path("checkme")).unwrap();
    let cache = reopened(&house, Driver::Xattr).await;
    assert_eq!(cache.driver(), Driver::Sqlite);
    assert_eq!(cache.entries().await[0].image_id, id);
}

#[tokio::test]
async fn the_probe_is_removed() {
    let house = House::new(Driver::Xattr).await;
    assert!(!house.path("checkme").exists());
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = Cache::open(settings(&dir.path().join("file/cache"), Driver::Sqlite), None).await.unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error}");
}

#[tokio::test]
async fn an_index_that_cannot_be_opened_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("cache.db")).unwrap();
    let error = Cache::open(settings(dir.path(), Driver::Sqlite), None).await.unwrap_err();
    assert!(matches!(error, Error::Index { .. }), "{error}");
}

#[test]
fn an_unknown_driver_is_sqlite() {
    let known = [("sqlite", Driver::Sqlite), ("XATTR", Driver::Xattr), ("centralized_db", Driver::CentralizedDb)];
    for (name, driver) in known.into_iter().chain([("papyrus", Driver::Sqlite)]) {
        assert_eq!(Driver::named(name), driver, "{name}");
    }
}

//! What a reader sees of trouble: of the store's all, of the cache's nothing (v1-cache §3.1).

use std::io::ErrorKind;
use std::process::Command;

use super::support::{House, STEP, Script, all, image, with_each_driver};
use crate::cache::{Driver, Verdict};
use crate::model::ImageId;
use crate::store;

#[tokio::test]
async fn a_store_that_refuses_leaves_no_trace() {
    with_each_driver(async |house: House| {
        let id = ImageId::random();
        let mut source = Script::new(image(STEP));
        source.refuses = true;
        let error = house.try_fetch(&id, &source.shared(), None).await.unwrap_err();
        assert!(matches!(&*error, store::Error::NotFound(_)), "{error}");
        house.settle().await;
        assert!(!house.incomplete(&id).exists());
        let again = house.fetch(&id, &Script::new(image(STEP)).shared()).await;
        assert_eq!(again.verdict, Verdict::Miss);
        assert_eq!(all(again.data).await.unwrap(), image(STEP));
    })
    .await;
}

#[tokio::test]
async fn a_store_that_breaks_breaks_the_stream() {
    with_each_driver(async |house: House| {
        let id = ImageId::random();
        let mut source = Script::new(image(4 * STEP)).held_at(STEP);
        source.fails_at = Some(2 * STEP);
        let source = source.shared();
        let fetched = house.fetch(&id, &source).await;
        source.open_gate();
        assert_eq!(all(fetched.data).await.unwrap_err().to_string(), "the store broke");
        assert_invalid(&house, &id).await;
        if house.cache.driver() == Driver::Xattr {
            let mut text = [0; 64];
            let len = rustix::fs::lgetxattr(house.invalid(&id), "user.error", &mut text).unwrap();
            assert_eq!(&text[..len], b"the store broke");
        }
    })
    .await;
}

#[tokio::test]
async fn too_little_or_too_much_is_no_image() {
    with_each_driver(async |house: House| {
        for (announced, expected, kind) in [
            (Some(3 * STEP as u64), None, ErrorKind::UnexpectedEof),
            (None, Some(3 * STEP as u64), ErrorKind::UnexpectedEof),
            (Some(2 * STEP as u64), Some(3 * STEP as u64), ErrorKind::UnexpectedEof),
            (None, Some(STEP as u64), ErrorKind::InvalidData),
        ] {
            let id = ImageId::random();
            let mut source = Script::new(image(2 * STEP)).held_at(0);
            source.announced = announced;
            let source = source.shared();
            let fetched = house.try_fetch(&id, &source, expected).await.unwrap();
            source.open_gate();
            assert_eq!(fetched.size, expected.or(announced));
            assert_eq!(all(fetched.data).await.unwrap_err().kind(), kind);
            assert_invalid(&house, &id).await;
        }
    })
    .await;
}

#[tokio::test]
async fn no_place_for_an_unfinished_file_means_no_caching() {
    with_each_driver(async |house: House| {
        std::fs::remove_dir(house.path("incomplete")).unwrap();
        std::fs::write(house.path("incomplete"), "").unwrap();
        let (id, source) = (ImageId::random(), Script::new(image(2 * STEP)).shared());
        let fetched = house.fetch(&id, &source).await;
        assert_eq!((fetched.verdict, fetched.size), (Verdict::PassThrough, Some(2 * STEP as u64)));
        assert_eq!(all(fetched.data).await.unwrap(), image(2 * STEP));
        assert!(!house.entry(&id).exists());
    })
    .await;
}

#[tokio::test]
async fn a_failing_commit_costs_only_the_entry() {
    with_each_driver(async |house: House| {
        let (id, source) = (ImageId::random(), Script::new(image(2 * STEP)).shared());
        std::fs::create_dir(house.entry(&id)).unwrap();
        assert_eq!(all(house.fetch(&id, &source).await.data).await.unwrap(), image(2 * STEP));
        house.settle().await;
        assert!(!house.incomplete(&id).exists());
        assert!(house.cache.entries().await.is_empty());
    })
    .await;
}

/// Runs itself again in a process that may not write files beyond 64 KiB, which is like a full disk to it.
#[test]
fn a_full_disk_costs_only_the_entry() {
    const LIMITED: &str = "GANDER_TEST_FILE_SIZE_LIMITED";
    if std::env::var_os(LIMITED).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(with_each_driver(fill_beyond_the_limit));
    }
    let limited = Command::new("sh")
        // The signal would end the process before the write could fail.
        .args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "cache::tests::faults::a_full_disk_costs_only_the_entry"])
        .env(LIMITED, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success() && told.contains("1 passed"), "{told}");
}

async fn fill_beyond_the_limit(house: House) {
    let (id, source) = (ImageId::random(), Script::new(image(64 * STEP)).held_at(STEP).shared());
    let fetched = house.fetch(&id, &source).await;
    let followed = house.fetch(&id, &source).await;
    assert_eq!((fetched.verdict, followed.verdict), (Verdict::Miss, Verdict::Filling));
    source.open_gate();
    assert_eq!(all(fetched.data).await.unwrap(), image(64 * STEP));
    assert_eq!(all(followed.data).await.unwrap(), image(64 * STEP));
    assert!(source.opened_at().len() > 1, "the fill was to fail");
    assert_invalid(&house, &id).await;
    assert_eq!(house.invalid(&id).metadata().unwrap().len(), 0, "its bytes are given back");
}

async fn assert_invalid(house: &House, id: &ImageId) {
    house.settle().await;
    assert!(house.invalid(id).exists());
    assert!(!house.incomplete(id).exists());
    assert!(!house.entry(id).exists());
    assert!(house.cache.entries().await.is_empty());
}

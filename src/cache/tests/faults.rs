//! What a reader sees of trouble: of the store's all, of the cache's nothing (v1-cache §3.1).

use std::io::ErrorKind;
use std::process::Command;

use super::support::{House, STEP, Script, all, block, image, with_each_driver};
use crate::cache::{Driver, FetchError, Verdict};
use crate::model::ImageId;
use crate::store;

#[tokio::test]
async fn a_store_that_refuses_leaves_no_trace() {
    with_each_driver(async |house: House| {
        let id = ImageId::random();
        let mut source = Script::new(image(STEP));
        source.refuses = true;
        let error = house.try_fetch(&id, &source.shared(), None).await.unwrap_err();
        assert!(matches!(stores(&error), store::Error::NotFound(_)), "{error}");
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
async fn a_store_that_announces_another_size_is_refused_before_its_first_byte() {
    with_each_driver(async |house: House| {
        let (id, source) = (ImageId::random(), Script::new(image(2 * STEP)).shared());
        let error = house.try_fetch(&id, &source, Some(3 * STEP as u64)).await.unwrap_err();
        assert!(matches!(stores(&error), store::Error::Unavailable(_)), "{error}");
        assert_eq!(error.to_string(), "the store announces 8192 bytes of the image instead of 12288");
        house.settle().await;
        for path in [house.entry(&id), house.incomplete(&id), house.invalid(&id)] {
            assert!(!path.exists(), "{path:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_passed_through_has_the_right_size_too() {
    let house = House::new(Driver::Sqlite).await;
    without_incomplete(&house);
    let fetch = async |announced, expected| {
        let mut source = Script::new(image(2 * STEP));
        source.announced = announced;
        house.try_fetch(&ImageId::random(), &source.shared(), expected).await
    };
    let size = |steps: usize| Some((steps * STEP) as u64);
    let refused = fetch(size(2), size(3)).await.unwrap_err();
    assert!(matches!(stores(&refused), store::Error::Unavailable(_)), "{refused}");
    for (announced, expected, kind) in [
        (size(3), None, ErrorKind::UnexpectedEof),
        (None, size(3), ErrorKind::UnexpectedEof),
        (size(1), None, ErrorKind::InvalidData),
        (None, size(1), ErrorKind::InvalidData),
    ] {
        let fetched = fetch(announced, expected).await.unwrap();
        assert_eq!((fetched.verdict, fetched.size), (Verdict::Bypass, announced.or(expected)));
        assert_eq!(all(fetched.data).await.unwrap_err().kind(), kind);
    }
    assert_eq!(all(fetch(None, None).await.unwrap().data).await.unwrap(), image(2 * STEP));
}

#[tokio::test]
async fn what_is_too_much_shows_before_the_last_byte() {
    let house = House::new(Driver::Sqlite).await;
    without_incomplete(&house);
    let mut source = Script::new(image(2 * STEP));
    source.announced = Some(STEP as u64);
    let mut data = house.fetch(&ImageId::random(), &source.shared()).await.data;
    assert_eq!(block(&mut data).await.unwrap().unwrap_err().kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn readers_of_a_fill_that_panics_read_on_from_the_store() {
    let house = House::new(Driver::Sqlite).await;
    let mut source = Script::new(image(4 * STEP)).held_at(2 * STEP);
    source.panics_at = Some(3 * STEP);
    let (id, source) = (ImageId::random(), source.shared());
    let fetched = house.fetch(&id, &source).await;
    source.open_gate();
    assert_eq!(all(fetched.data).await.unwrap(), image(4 * STEP));
    assert_eq!(source.opened_at().len(), 2, "the fill was to panic");
    assert_eq!(all(house.fetch(&id, &source).await.data).await.unwrap(), image(4 * STEP));
    assert_eq!(house.read(&id).await, image(4 * STEP), "the next fill is not in its way");
}

#[tokio::test]
async fn no_place_for_an_unfinished_file_means_no_caching() {
    with_each_driver(async |house: House| {
        without_incomplete(&house);
        let (id, source) = (ImageId::random(), Script::new(image(2 * STEP)).shared());
        let fetched = house.fetch(&id, &source).await;
        assert_eq!((fetched.verdict, fetched.size), (Verdict::Bypass, Some(2 * STEP as u64)));
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
    // A size that is known is not even begun.
    let (id, source) = (ImageId::random(), Script::new(image(64 * STEP)).shared());
    let fetched = house.fetch(&id, &source).await;
    assert_eq!(fetched.verdict, Verdict::NoSpace);
    assert_eq!(all(fetched.data).await.unwrap(), image(64 * STEP));
    // One that is not known is found out on the way.
    let mut source = Script::new(image(64 * STEP)).held_at(STEP);
    source.announced = None;
    let (id, source) = (ImageId::random(), source.shared());
    let fetched = house.fetch(&id, &source).await;
    let followed = house.fetch(&id, &source).await;
    assert_eq!((fetched.verdict, followed.verdict), (Verdict::Miss, Verdict::Filling));
    source.open_gate();
    assert_eq!(all(fetched.data).await.unwrap(), image(64 * STEP));
    assert_eq!(all(followed.data).await.unwrap(), image(64 * STEP));
    assert!(source.opened_at().len() > 1, "the fill was to fail");
    house.settle().await;
    assert!(!house.incomplete(&id).exists() && !house.invalid(&id).exists() && !house.entry(&id).exists());
    assert!(house.cache.entries().await.is_empty());
}

/// Leaves no place for unfinished files; not even root can make one.
fn without_incomplete(house: &House) {
    std::fs::remove_dir(house.path("incomplete")).unwrap();
    std::fs::write(house.path("incomplete"), "").unwrap();
}

async fn assert_invalid(house: &House, id: &ImageId) {
    house.settle().await;
    assert!(house.invalid(id).exists());
    assert!(!house.incomplete(id).exists());
    assert!(!house.entry(id).exists());
    assert!(house.cache.entries().await.is_empty());
}

#[track_caller]
fn stores(error: &FetchError) -> &store::Error {
    match error {
        FetchError::Store(error) => error,
        other => panic!("{other:?}"),
    }
}

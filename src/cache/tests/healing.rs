//! Stores that fail on the way, and bytes that are not the image.

use std::sync::atomic::AtomicU32;

use super::support::{House, STEP, Script, all, block, image};
use crate::cache::{Driver, Expected, Settings, Verdict};
use crate::model::ImageId;

async fn patient() -> House {
    House::with(Driver::Sqlite, |settings| Settings { fill_retries: 2, ..settings }).await
}

fn failing(at: usize, times: u32) -> Script {
    let mut script = Script::new(image(4 * STEP));
    script.fails_at = Some(at);
    script.failures = AtomicU32::new(times);
    script
}

fn digest(text: &str) -> Expected {
    Expected { size: Some(4 * STEP as u64), digest: Some(text.parse().unwrap()) }
}

/// What the image is.
fn right() -> Expected {
    digest_of(4 * STEP)
}

#[tokio::test]
async fn a_store_that_fails_is_read_on_from_there() {
    for times in [1, 2] {
        let house = patient().await;
        let (id, source) = (ImageId::random(), failing(2 * STEP, times).shared());
        let fetched = house.cache.fetch(&id, source.store(), &right(), None).await.unwrap();
        assert!(all(fetched.data).await.unwrap() == image(4 * STEP));
        assert_eq!(source.opened_at()[0], 0);
        assert!(source.opened_at()[1..].iter().all(|at| *at == 2 * STEP as u64), "{:?}", source.opened_at());
        assert_eq!(source.opened_at().len() as u32, 1 + times);
        assert!(house.read(&id).await == image(4 * STEP));
    }
}

#[tokio::test]
async fn a_store_that_does_not_heal_is_given_up() {
    let house = patient().await;
    let (id, source) = (ImageId::random(), failing(2 * STEP, u32::MAX).held_at(STEP).shared());
    let fetched = house.fetch(&id, &source).await;
    source.open_gate();
    all(fetched.data).await.unwrap_err();
    assert_eq!(source.opened_at(), [0, 2 * STEP as u64, 2 * STEP as u64]);
    house.settle().await;
    assert!(!house.entry(&id).exists() && !house.incomplete(&id).exists());
    assert_eq!(house.invalid(&id).metadata().unwrap().len(), 0, "a note, not a waste of room");
}

#[tokio::test]
async fn two_states_of_an_image_are_never_mixed() {
    let house = patient().await;
    let mut script = failing(2 * STEP, 1).held_at(STEP);
    script.version = std::sync::Mutex::new(Some("one".to_owned()));
    let (id, source) = (ImageId::random(), script.shared());
    let fetched = house.fetch(&id, &source).await;
    *source.version.lock().unwrap() = Some("two".to_owned());
    source.open_gate();
    all(fetched.data).await.unwrap_err();
    house.settle().await;
    assert!(!house.entry(&id).exists());
}

#[tokio::test]
async fn who_leaves_a_fill_gets_the_same_state_or_none() {
    for (replaced, whole) in [(false, true), (true, false)] {
        // Too large for the cache, which finds out half-way.
        let small = |settings| Settings { max_size: 3 * STEP as u64, ..settings };
        let house = House::with(Driver::Sqlite, small).await;
        let mut script = Script::new(image(6 * STEP)).held_at(2 * STEP);
        script.announced = None;
        *script.version.get_mut().unwrap() = Some("one".to_owned());
        let source = script.shared();
        let fetched = house.fetch(&ImageId::random(), &source).await;
        if replaced {
            *source.version.lock().unwrap() = Some("two".to_owned());
        }
        source.open_gate();
        assert_eq!(all(fetched.data).await.is_ok_and(|read| read == image(6 * STEP)), whole);
    }
}

#[tokio::test]
async fn who_leaves_an_entry_without_a_checksum_in_the_middle_gets_nothing_more() {
    const SIZE: usize = fastio::FRAME + 10;
    for (expected, whole) in [(Expected::default(), false), (digest_of(SIZE), true)] {
        let house = House::new(Driver::Sqlite).await;
        let id = house.fill(SIZE).await;
        let source = Script::new(image(SIZE)).shared();
        let mut data = house.hit(&id).await.into_stream(source.store(), &expected, 0..SIZE as u64);
        let first = block(&mut data).await.unwrap().unwrap();
        std::fs::File::options().write(true).open(house.entry(&id)).unwrap().set_len(0).unwrap();
        let rest = all(data).await;
        assert_eq!(rest.is_ok_and(|rest| rest == image(SIZE)[first.len()..]), whole);
    }
}

fn digest_of(size: usize) -> Expected {
    let mut hasher = fastio::Hasher::new(fastio::Algorithm::Md5);
    hasher.update(&image(size));
    Expected { size: Some(size as u64), digest: Some(format!("md5:{}", hasher.finish()).parse().unwrap()) }
}

#[tokio::test]
async fn bytes_that_are_not_the_image_never_become_an_entry() {
    let house = House::new(Driver::Sqlite).await;
    let id = ImageId::random();
    for wrong in ["md5:00", "sha512:00"] {
        // Held, as a fill that has failed before its reader looks at it is an error at once.
        let source = Script::new(image(4 * STEP)).held_at(2 * STEP).shared();
        let fetched = house.cache.fetch(&id, source.store(), &digest(wrong), None).await.unwrap();
        assert_eq!(fetched.verdict, Verdict::Miss);
        source.open_gate();
        all(fetched.data).await.unwrap_err();
        house.settle().await;
        assert!(!house.entry(&id).exists() && house.invalid(&id).exists());
    }
    assert_eq!(house.cache.mismatches.load(std::sync::atomic::Ordering::Relaxed), 2);
    let source = Script::new(image(4 * STEP)).shared();
    let fetched = house.cache.fetch(&id, source.store(), &right(), None).await.unwrap();
    assert!(all(fetched.data).await.unwrap() == image(4 * STEP));
    assert!(house.entry(&id).exists());
}

#[tokio::test]
async fn an_entry_of_other_data_of_its_image_is_a_miss() {
    let house = House::new(Driver::Sqlite).await;
    let (id, source) = (ImageId::random(), Script::new(image(4 * STEP)).shared());
    let fetched = house.cache.fetch(&id, source.store(), &right(), None).await.unwrap();
    all(fetched.data).await.unwrap();
    if house.cache.layout.open_entry(&id).unwrap().unwrap().digest.is_none() {
        return super::support::skipped("the file system takes no user attributes");
    }
    assert!(house.cache.lookup(&id, &right()).await.is_some());
    assert!(house.cache.lookup(&id, &digest("md5:00")).await.is_none(), "another node gave the id other data");
    assert!(!house.entry(&id).exists());
}

#[tokio::test]
async fn a_fill_that_nobody_reads_ends_if_so_configured() {
    let house = House::with(Driver::Sqlite, |settings| Settings { finish_abandoned: false, ..settings }).await;
    let (id, source) = (ImageId::random(), Script::new(image(4 * STEP)).held_at(2 * STEP).shared());
    let mut first = house.fetch(&id, &source).await;
    let second = house.fetch(&id, &source).await;
    block(&mut first.data).await.unwrap().unwrap();
    drop(first);
    drop(second);
    source.open_gate();
    house.settle().await;
    assert!(!house.entry(&id).exists() && !house.incomplete(&id).exists() && !house.invalid(&id).exists());
    // Who comes later begins anew.
    assert!(all(house.fetch(&id, &source).await.data).await.unwrap() == image(4 * STEP));
    assert_eq!(source.opened_at(), [0, 0]);
}

//! Prefetching tells whether the image is cached now.

use std::fs;

use futures_util::future::join_all;

use super::support::{FILLS, House, STEP, Script, all, image, nowhere, of_size, settings, with_each_driver};
use crate::cache::{Cache, Driver, Expected, PrefetchError};
use crate::model::ImageId;

const SIZE: usize = 3 * STEP;

#[tokio::test]
async fn a_queued_image_is_cached_and_leaves_the_queue() {
    with_each_driver(async |house: House| {
        let (id, source) = (ImageId::random(), Script::new(image(SIZE)).shared());
        house.cache.queue(&id).await.unwrap();
        house.cache.prefetch(&id, source.store(), &of_size(Some(SIZE as u64))).await.unwrap();
        assert_eq!(house.cache.entries().await[0].hits, 0);
        assert_eq!(house.read(&id).await, image(SIZE));
        assert!(house.cache.queued().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_cached_image_needs_no_store() {
    with_each_driver(async |house: House| {
        let id = house.fill(SIZE).await;
        fs::write(house.path("queue").join(id.as_str()), "").unwrap();
        house.cache.prefetch(&id, nowhere(), &of_size(Some(SIZE as u64))).await.unwrap();
        assert_eq!(house.cache.entries().await[0].hits, 0);
        assert!(house.cache.queued().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_fill_that_runs_is_waited_for() {
    let house = House::new(Driver::Sqlite).await;
    let (id, source) = (ImageId::random(), Script::new(image(SIZE)).held_at(STEP).shared());
    let fetched = house.fetch(&id, &source).await;
    let unknown = Expected::default();
    let (done, ()) = tokio::join!(house.cache.prefetch(&id, nowhere(), &unknown), async { source.open_gate() });
    done.unwrap();
    assert!(house.entry(&id).exists());
    assert_eq!(all(fetched.data).await.unwrap(), image(SIZE));
}

#[tokio::test]
async fn what_another_process_fills_is_left_to_it() {
    let house = House::new(Driver::Sqlite).await;
    let other = Cache::open(settings(house.dir.path(), Driver::Sqlite), None).await.unwrap();
    let (id, source) = (ImageId::random(), Script::new(image(SIZE)).held_at(STEP).shared());
    let there = other.fetch(&id, source.store(), &Expected::default(), None).await.unwrap();
    house.cache.prefetch(&id, nowhere(), &Expected::default()).await.unwrap();
    source.open_gate();
    assert_eq!(all(there.data).await.unwrap(), image(SIZE));
}

#[tokio::test]
async fn what_the_store_does_not_give_is_a_failure() {
    let house = House::new(Driver::Sqlite).await;
    let mut broken = Script::new(image(SIZE));
    broken.fails_at = Some(STEP);
    for (store, text) in [
        (nowhere(), "No such image"),
        (broken.shared().store(), "the store broke"),
        (Script::new(image(STEP)).shared().store(), "the store announces 4096 bytes of the image instead of 12288"),
    ] {
        let error = house.cache.prefetch(&ImageId::random(), store, &of_size(Some(SIZE as u64))).await.unwrap_err();
        assert!(matches!(error, PrefetchError::Store(_)), "{error}");
        assert_eq!(error.to_string(), text);
    }
}

#[tokio::test]
async fn what_the_cache_does_not_keep_is_a_failure() {
    with_each_driver(async |house: House| {
        let (id, source) = (ImageId::random(), Script::new(image(SIZE)).held_at(STEP).shared());
        let unknown = Expected::default();
        let (evicted, ()) = tokio::join!(house.cache.prefetch(&id, source.store(), &unknown), async {
            while !house.incomplete(&id).exists() {
                tokio::task::yield_now().await;
            }
            house.cache.evict(&id).await.unwrap();
            source.open_gate();
        });
        not_kept(evicted);

        // The finished file cannot be moved.
        fs::create_dir(house.entry(&id)).unwrap();
        not_kept(house.cache.prefetch(&id, Script::new(image(SIZE)).shared().store(), &Expected::default()).await);
        fs::remove_dir(house.entry(&id)).unwrap();

        // No unfinished file can be made.
        fs::remove_dir(house.path("incomplete")).unwrap();
        fs::write(house.path("incomplete"), "").unwrap();
        not_kept(house.cache.prefetch(&id, Script::new(image(SIZE)).shared().store(), &Expected::default()).await);
    })
    .await;
}

#[tokio::test]
async fn without_a_place_among_the_fills_it_is_a_failure() {
    let house = House::new(Driver::Sqlite).await;
    let held = Script::new(image(STEP)).held_at(0).shared();
    let running: Vec<_> = join_all((0..FILLS).map(async |_| house.fetch(&ImageId::random(), &held).await)).await;
    not_kept(house.cache.prefetch(&ImageId::random(), nowhere(), &Expected::default()).await);
    held.open_gate();
    drop(running);
    house.settle().await;
}

#[track_caller]
fn not_kept(outcome: Result<(), PrefetchError>) {
    assert!(matches!(outcome, Err(PrefetchError::NotKept)), "{outcome:?}");
}

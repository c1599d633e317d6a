//! After a deletion nothing is left, and nothing appears.

use super::support::{House, STEP, Script, all, block, image, nowhere, settings, with_each_driver};
use crate::cache::{Cache, Driver, Expected};
use crate::model::ImageId;

#[tokio::test]
async fn an_evicted_image_is_gone_at_once() {
    with_each_driver(async |house: House| {
        let (kept, gone) = (house.fill(10).await, house.fill(20).await);
        house.cache.queue(&ImageId::random()).await.unwrap();
        let mut reader = house.hit(&gone).await.whole(nowhere());
        assert!(house.cache.evict(&gone).await.unwrap());
        assert!(!house.entry(&gone).exists());
        let left: Vec<_> = house.cache.entries().await.into_iter().map(|record| record.image_id).collect();
        assert_eq!(left, [kept]);
        assert_eq!(block(&mut reader).await.unwrap().unwrap(), image(20), "an open entry stays readable");
        assert!(!house.cache.evict(&gone).await.unwrap());
        assert_eq!(house.cache.queued().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn evicting_all_counts_the_files() {
    with_each_driver(async |house: House| {
        for size in 0..4 {
            house.fill(size).await;
        }
        assert_eq!(house.cache.evict_all().await.unwrap(), 4);
        assert!(house.cache.entries().await.is_empty());
        assert_eq!(house.cache.evict_all().await.unwrap(), 0);
        let id = house.fill(5).await;
        assert_eq!(house.read(&id).await, image(5), "the cache still works");
    })
    .await;
}

#[tokio::test]
async fn an_image_evicted_while_it_is_filled_does_not_appear() {
    with_each_driver(async |house: House| {
        let (id, source) = (ImageId::random(), Script::new(image(4 * STEP)).held_at(3 * STEP).shared());
        let mut data = house.fetch(&id, &source).await.data;
        let mut read = block(&mut data).await.unwrap().unwrap().to_vec();
        house.cache.evict(&id).await.unwrap();
        assert!(!house.incomplete(&id).exists());
        source.open_gate();
        read.extend(all(data).await.unwrap());
        assert_eq!(read, image(4 * STEP), "who was reading reads on");
        house.settle().await;
        assert_left_nothing(&house, &id).await;
    })
    .await;
}

#[tokio::test]
async fn a_new_fill_after_an_eviction_is_not_the_old_one() {
    let house = House::new(Driver::Sqlite).await;
    let id = ImageId::random();
    let old = Script::new(image(3 * STEP)).held_at(STEP).shared();
    let before = house.fetch(&id, &old).await;
    house.cache.evict(&id).await.unwrap();
    let new = Script::new(image(2 * STEP)).shared();
    let after = house.fetch(&id, &new).await;
    assert_eq!(all(after.data).await.unwrap(), image(2 * STEP));
    old.open_gate();
    assert_eq!(all(before.data).await.unwrap(), image(3 * STEP));
    house.settle().await;
    assert_eq!(house.read(&id).await, image(2 * STEP));
    assert_eq!(house.cache.entries().await[0].size, 2 * STEP as u64);
}

#[tokio::test]
async fn a_fill_that_fails_after_an_eviction_leaves_nothing() {
    let house = House::new(Driver::Sqlite).await;
    let id = ImageId::random();
    let mut source = Script::new(image(3 * STEP)).held_at(STEP);
    source.fails_at = Some(2 * STEP);
    let source = source.shared();
    let data = house.fetch(&id, &source).await.data;
    house.cache.evict(&id).await.unwrap();
    source.open_gate();
    all(data).await.unwrap_err();
    house.settle().await;
    assert_left_nothing(&house, &id).await;
}

#[tokio::test]
async fn another_process_can_evict_what_this_one_fills() {
    let house = House::new(Driver::Sqlite).await;
    let other = Cache::open(settings(house.dir.path(), Driver::Sqlite), None).await.unwrap();
    let (id, source) = (ImageId::random(), Script::new(image(2 * STEP)).held_at(STEP).shared());
    let data = house.fetch(&id, &source).await.data;
    other.evict(&id).await.unwrap();
    source.open_gate();
    assert_eq!(all(data).await.unwrap(), image(2 * STEP));
    assert_left_nothing(&house, &id).await;
}

#[tokio::test]
async fn what_another_process_fills_after_its_eviction_is_its_own() {
    let other = House::new(Driver::Sqlite).await;
    let here = Cache::open(settings(other.dir.path(), Driver::Sqlite), None).await.unwrap();
    let id = ImageId::random();
    let old = Script::new(image(3 * STEP)).held_at(STEP).shared();
    let new = Script::new(image(2 * STEP)).held_at(STEP).shared();
    let before = here.fetch(&id, old.store(), &Expected::default(), None).await.unwrap();
    other.cache.evict(&id).await.unwrap();
    let after = other.fetch(&id, &new).await;
    old.open_gate();
    assert_eq!(all(before.data).await.unwrap(), image(3 * STEP));
    assert!(!other.entry(&id).exists());
    new.open_gate();
    assert_eq!(all(after.data).await.unwrap(), image(2 * STEP));
    assert_eq!(other.read(&id).await, image(2 * STEP));
}

#[tokio::test]
async fn an_image_evicted_before_its_file_is_made_does_not_appear() {
    let house = House::new(Driver::Sqlite).await;
    let (id, source) = (ImageId::random(), Script::new(image(2 * STEP)).held_at(STEP).shared());
    let data = house.fetch(&id, &source).await.data;
    // That moment cannot be met, but it leaves the same behind: an evicted fill that still has its file.
    std::fs::hard_link(house.incomplete(&id), house.path("kept")).unwrap();
    house.cache.evict(&id).await.unwrap();
    std::fs::rename(house.path("kept"), house.incomplete(&id)).unwrap();
    source.open_gate();
    assert_eq!(all(data).await.unwrap(), image(2 * STEP));
    assert_left_nothing(&house, &id).await;
}

async fn assert_left_nothing(house: &House, id: &ImageId) {
    for path in [house.entry(id), house.incomplete(id), house.invalid(id)] {
        assert!(!path.exists(), "{path:?}");
    }
    assert!(house.cache.entries().await.is_empty());
}

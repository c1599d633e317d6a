//! A cold image is read from its store once, and is cached when its last byte is seen.

use futures_util::future::join_all;

use super::support::{FILLS, House, STEP, Script, all, block, image, settings, with_each_driver};
use crate::cache::{Cache, Driver, Expected, Verdict};
use crate::model::ImageId;

#[tokio::test]
async fn a_cold_image_comes_whole_and_is_recorded() {
    with_each_driver(async |house: House| {
        let (id, source) = (ImageId::random(), Script::new(image(3 * STEP + 7)).shared());
        assert!(house.cache.lookup(&id, &Expected::default()).await.is_none());
        let fetched = house.fetch(&id, &source).await;
        assert_eq!((fetched.verdict, fetched.size), (Verdict::Miss, Some(3 * STEP as u64 + 7)));
        assert_eq!(all(fetched.data).await.unwrap(), image(3 * STEP + 7));
        let records = house.cache.entries().await;
        assert_eq!(records.len(), 1);
        assert_eq!((&records[0].image_id, records[0].hits, records[0].size), (&id, 0, 3 * STEP as u64 + 7));
        assert!(records[0].last_modified > 1.7e9);
        assert_eq!(std::fs::read(house.entry(&id)).unwrap(), image(3 * STEP + 7));
        assert!(!house.incomplete(&id).exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_byte_is_seen_after_the_commit() {
    with_each_driver(async |house: House| {
        for _ in 0..100 {
            let (id, source) = (ImageId::random(), Script::new(image(2 * STEP)).shared());
            house.cache.queue(&id).await.unwrap();
            let mut data = house.fetch(&id, &source).await.data;
            let mut read = 0;
            while read < 2 * STEP {
                read += block(&mut data).await.unwrap().unwrap().len();
            }
            assert!(house.entry(&id).exists());
            assert!(!house.path("queue").join(id.as_str()).exists());
            assert!(house.cache.entries().await.iter().any(|record| record.image_id == id && record.hits == 0));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_image_is_an_entry_before_its_head_is_sent() {
    with_each_driver(async |house: House| {
        for _ in 0..100 {
            let (id, source) = (ImageId::random(), Script::new(image(0)).shared());
            let fetched = house.fetch(&id, &source).await;
            assert!(house.entry(&id).exists());
            assert_eq!(all(fetched.data).await.unwrap(), b"");
            assert_eq!(house.fetch(&id, &source).await.verdict, Verdict::Hit);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_open_the_store_once() {
    with_each_driver(async |house: House| {
        let (id, source) = (ImageId::random(), Script::new(image(8 * STEP)).shared());
        let readers = (0..20).map(|_| async {
            let fetched = house.fetch(&id, &source).await;
            assert_eq!(all(fetched.data).await.unwrap(), image(8 * STEP));
            fetched.verdict
        });
        let verdicts = join_all(readers).await;
        assert_eq!(source.opened_at(), [0]);
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Miss).count(), 1, "{verdicts:?}");
    })
    .await;
}

#[tokio::test]
async fn a_fetch_after_the_fill_is_a_hit() {
    let house = House::new(Driver::Sqlite).await;
    let id = house.fill(STEP).await;
    let never = Script::new(image(STEP)).shared();
    let fetched = house.fetch(&id, &never).await;
    assert_eq!((fetched.verdict, fetched.size), (Verdict::Hit, Some(STEP as u64)));
    assert_eq!(all(fetched.data).await.unwrap(), image(STEP));
    assert!(never.opened_at().is_empty());
    assert!(!house.incomplete(&id).exists());
}

#[tokio::test]
async fn a_follower_reads_before_the_fill_ends() {
    let house = House::new(Driver::Sqlite).await;
    let (id, source) = (ImageId::random(), Script::new(image(4 * STEP)).held_at(3 * STEP).shared());
    let first = house.fetch(&id, &source).await;
    let second = house.fetch(&id, &source).await;
    assert_eq!(second.verdict, Verdict::Filling);
    let mut streams = [first.data, second.data];
    let mut read = [Vec::new(), Vec::new()];
    for (data, read) in streams.iter_mut().zip(&mut read) {
        read.extend(block(data).await.unwrap().unwrap());
    }
    assert!(house.incomplete(&id).exists());
    assert!(!house.entry(&id).exists());
    source.open_gate();
    for (data, mut read) in streams.into_iter().zip(read) {
        read.extend(all(data).await.unwrap());
        assert_eq!(read, image(4 * STEP));
    }
}

#[tokio::test]
async fn a_slow_follower_holds_nobody_up() {
    let house = House::new(Driver::Sqlite).await;
    let (id, source) = (ImageId::random(), Script::new(image(64 * STEP)).shared());
    let slow = house.fetch(&id, &source).await;
    let quick = house.fetch(&id, &source).await;
    assert_eq!(all(quick.data).await.unwrap(), image(64 * STEP));
    assert!(house.entry(&id).exists());
    assert_eq!(all(slow.data).await.unwrap(), image(64 * STEP));
}

#[tokio::test]
async fn the_fill_outlives_who_began_it() {
    with_each_driver(async |house: House| {
        let (id, source) = (ImageId::random(), Script::new(image(4 * STEP)).held_at(2 * STEP).shared());
        let mut leaver = house.fetch(&id, &source).await;
        block(&mut leaver.data).await.unwrap().unwrap();
        drop(leaver);
        let stayer = house.fetch(&id, &source).await;
        source.open_gate();
        assert_eq!(all(stayer.data).await.unwrap(), image(4 * STEP));
        assert_eq!(source.opened_at(), [0]);

        let (alone, source) = (ImageId::random(), Script::new(image(4 * STEP)).shared());
        drop(house.fetch(&alone, &source).await);
        house.settle().await;
        assert_eq!(house.read(&alone).await, image(4 * STEP));
    })
    .await;
}

#[tokio::test]
async fn who_comes_after_the_last_place_is_passed_through() {
    let house = House::new(Driver::Sqlite).await;
    let held = Script::new(image(STEP)).held_at(0).shared();
    let running: Vec<_> = join_all((0..FILLS).map(async |_| house.fetch(&ImageId::random(), &held).await)).await;
    let late = ImageId::random();
    let fetched = house.fetch(&late, &Script::new(image(STEP)).shared()).await;
    assert_eq!(fetched.verdict, Verdict::Bypass);
    assert_eq!(all(fetched.data).await.unwrap(), image(STEP));
    assert!(!house.entry(&late).exists());
    held.open_gate();
    drop(running);
    house.settle().await;
    assert_eq!(house.cache.entries().await.len(), FILLS as usize);
}

#[tokio::test]
async fn what_another_process_fills_is_passed_through() {
    let house = House::new(Driver::Sqlite).await;
    let other = Cache::open(settings(house.dir.path(), Driver::Sqlite), None).await.unwrap();
    let (id, source) = (ImageId::random(), Script::new(image(3 * STEP)).held_at(STEP).shared());
    let there = other.fetch(&id, source.store(), &Expected::default(), None).await.unwrap();
    let free = Script::new(image(3 * STEP)).shared();
    let here = house.fetch(&id, &free).await;
    assert_eq!(here.verdict, Verdict::Elsewhere);
    assert_eq!(all(here.data).await.unwrap(), image(3 * STEP));
    source.open_gate();
    assert_eq!(all(there.data).await.unwrap(), image(3 * STEP));
    assert_eq!(house.read(&id).await, image(3 * STEP));
}

#[tokio::test]
async fn an_entry_of_another_size_is_filled_anew() {
    with_each_driver(async |house: House| {
        let id = house.fill(STEP).await;
        let source = Script::new(image(2 * STEP)).shared();
        let fetched = house.try_fetch(&id, &source, Some(2 * STEP as u64)).await.unwrap();
        assert_eq!((fetched.verdict, fetched.size), (Verdict::Miss, Some(2 * STEP as u64)));
        assert_eq!(all(fetched.data).await.unwrap(), image(2 * STEP));
        assert_eq!(house.read(&id).await, image(2 * STEP));
    })
    .await;
}

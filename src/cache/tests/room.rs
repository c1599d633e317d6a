//! The limit.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use futures_util::future::join_all;

use super::support::{House, STEP, Script, all, block, image, nowhere, of_size, with_each_driver};
use crate::cache::{Driver, Expected, Settings, Verdict};
use crate::model::ImageId;

const UNIT: u64 = STEP as u64;

async fn of_limit(units: u64) -> House {
    House::with(Driver::Sqlite, |settings| Settings { max_size: units * UNIT, ..settings }).await
}

/// Bytes of entries and unfinished files. Nothing can be added meanwhile; a file that is renamed counts once.
fn occupied(dir: &Path) -> u64 {
    let directory = File::open(dir.join("incomplete")).unwrap();
    directory.lock().unwrap();
    let mut files = HashMap::new();
    for dir in [dir.join("incomplete"), dir.to_owned()] {
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let name = entry.file_name();
            if let Ok(metadata) = entry.metadata()
                && ImageId::parse(name.to_str().unwrap()).is_some()
            {
                files.insert(metadata.ino(), metadata.len());
            }
        }
    }
    files.values().sum()
}

#[tokio::test]
async fn the_least_missed_make_room_for_a_fill() {
    with_each_driver(async |house: House| {
        let limit = 4 * UNIT;
        let house = house.limited(limit).await;
        let loved = house.fill(STEP).await;
        house.read(&loved).await;
        let once: Vec<_> = [house.fill(STEP).await, house.fill(STEP).await, house.fill(STEP).await].into();
        let next = house.fill(2 * STEP).await;
        assert_eq!(occupied(house.dir.path()), limit);
        let there = |id: &ImageId| house.entry(id).exists();
        assert!(there(&loved) && there(&once[2]) && there(&next));
        assert_eq!(house.cache.entries().await.len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fills_side_by_side_keep_to_the_limit() {
    let house = of_limit(5).await;
    let dir = house.dir.path().to_owned();
    let (ended, mut end) = tokio::sync::oneshot::channel::<()>();
    let sampler = tokio::task::spawn_blocking(move || {
        let mut most = 0;
        while end.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
            most = most.max(occupied(&dir));
        }
        most
    });
    let fetches = (0..200).map(async |n| {
        let size = 1 + n * 37 % (3 * STEP);
        let mut script = Script::new(image(size));
        if n % 3 == 0 {
            script.announced = None;
        }
        let fetched = house.fetch(&ImageId::random(), &script.shared()).await;
        assert!(all(fetched.data).await.unwrap() == image(size));
    });
    join_all(fetches).await;
    house.settle().await;
    drop(ended);
    let most = sampler.await.unwrap();
    assert!(most <= 5 * UNIT, "{most} bytes");
    assert!(occupied(house.dir.path()) > 0, "something was cached");
}

#[tokio::test]
async fn what_can_never_fit_is_served_uncached() {
    let house = of_limit(2).await;
    let kept = house.fill(STEP).await;
    for expected in [of_size(Some(3 * UNIT)), Expected::default()] {
        let source = Script::new(image(3 * STEP)).shared();
        let fetched = house.cache.fetch(&ImageId::random(), source.store(), &expected, None).await.unwrap();
        assert_eq!(fetched.verdict, Verdict::TooBig);
        assert!(all(fetched.data).await.unwrap() == image(3 * STEP));
    }
    assert!(house.entry(&kept).exists(), "nobody had to go for it");
}

#[tokio::test]
async fn an_image_that_outgrows_the_cache_is_served_whole() {
    let house = of_limit(2).await;
    let mut script = Script::new(image(6 * STEP));
    script.announced = None;
    let (id, source) = (ImageId::random(), script.shared());
    let fetched = house.fetch(&id, &source).await;
    assert!(all(fetched.data).await.unwrap() == image(6 * STEP));
    house.settle().await;
    assert_eq!(occupied(house.dir.path()), 0);
}

#[tokio::test]
async fn running_fills_are_not_evicted() {
    let house = of_limit(4).await;
    let (id, held) = (ImageId::random(), Script::new(image(3 * STEP)).held_at(STEP).shared());
    let running = house.fetch(&id, &held).await;
    assert_eq!(occupied(house.dir.path()), 3 * UNIT, "room is taken from the start");
    let fetched = house.fetch(&ImageId::random(), &Script::new(image(2 * STEP)).shared()).await;
    assert_eq!(fetched.verdict, Verdict::NoSpace);
    assert!(all(fetched.data).await.unwrap() == image(2 * STEP));
    held.open_gate();
    assert!(all(running.data).await.unwrap() == image(3 * STEP));
    assert!(house.read(&id).await == image(3 * STEP));
}

#[tokio::test]
async fn a_full_disk_is_not_filled_further() {
    let house = House::with(Driver::Sqlite, |settings| Settings { min_free: u64::MAX / 2, ..settings }).await;
    let fetched = house.fetch(&ImageId::random(), &Script::new(image(STEP)).shared()).await;
    assert_eq!(fetched.verdict, Verdict::NoSpace);
    assert!(all(fetched.data).await.unwrap() == image(STEP));
}

#[tokio::test]
async fn an_entry_that_is_read_goes_last_and_its_readers_stay_whole() {
    let house = of_limit(2).await;
    let (read, idle) = (house.fill(STEP).await, house.fill(STEP).await);
    let mut reader = house.hit(&read).await.whole(nowhere());
    house.fill(STEP).await;
    assert!(house.entry(&read).exists() && !house.entry(&idle).exists());
    house.fill(2 * STEP).await;
    assert!(!house.entry(&read).exists());
    assert!(block(&mut reader).await.unwrap().unwrap() == image(STEP));
    assert!(block(&mut reader).await.is_none());
}

#[tokio::test]
async fn a_flood_of_images_read_once_leaves_what_is_read_often() {
    let house = of_limit(20).await;
    let mut hot = Vec::new();
    for _ in 0..10 {
        hot.push(house.fill(STEP).await);
    }
    for id in &hot {
        house.read(id).await;
    }
    for _ in 0..100 {
        house.fill(STEP).await;
    }
    assert!(hot.iter().all(|id| house.entry(id).exists()));
}

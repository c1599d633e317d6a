//! Pruning and cleaning.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use super::support::{House, STEP, Script, all, image, settings, with_each_driver};
use crate::cache::upkeep::{Cleaned, Pruned};
use crate::cache::{Cache, Driver};
use crate::model::ImageId;

const KIB: u64 = 1024;

#[tokio::test]
async fn the_least_recently_read_go_first() {
    with_each_driver(async |house: House| {
        let mut ids = Vec::new();
        for _ in 0..10 {
            ids.push(house.fill(KIB as usize).await);
        }
        // Not in the order of their fills.
        ids.rotate_left(3);
        for id in &ids {
            house.read(id).await;
            wait_for_another_time(&house).await;
        }
        house.settle().await;
        let house = house.limited(5 * KIB).await;
        assert_eq!(house.cache.prune().await.unwrap(), Pruned { files: 5, bytes: 5 * KIB });
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(house.entry(id).exists(), at >= 5, "{at}");
        }
        assert_eq!(house.cache.entries().await.len(), 5);
        assert_eq!(house.cache.prune().await.unwrap(), Pruned::default());
    })
    .await;
}

/// File times have the grain of the kernel's clock tick: waits for the next one.
async fn wait_for_another_time(house: &House) {
    let probe = house.path("queue/clock");
    let now = |content: &str| {
        fs::write(&probe, content).unwrap();
        probe.metadata().unwrap().modified().unwrap()
    };
    let then = now("tick");
    while now("tock") == then {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn files_without_a_record_are_pruned_too() {
    let house = House::new(Driver::Sqlite).await.limited(KIB).await;
    let recorded = house.fill(KIB as usize).await;
    let unknown = ImageId::random();
    fs::write(house.entry(&unknown), image(KIB as usize)).unwrap();
    assert_eq!(house.cache.prune().await.unwrap().files, 1);
    assert!(!house.entry(&recorded).exists());
    fs::write(house.entry(&recorded), image(KIB as usize)).unwrap();
    // No record is left at all: Glance's pruner ended in a crash here (v1-cache C2).
    assert_eq!(house.cache.prune().await.unwrap(), Pruned { files: 1, bytes: KIB });
}

#[tokio::test]
async fn a_limit_of_nothing_keeps_nothing() {
    with_each_driver(async |house: House| {
        house.fill(10).await;
        house.fill(20).await;
        let house = house.limited(0).await;
        assert_eq!(house.cache.prune().await.unwrap(), Pruned { files: 2, bytes: 30 });
        assert_eq!(house.cache.prune().await.unwrap(), Pruned::default());
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_cannot_be_removed_is_passed_over() {
    with_each_driver(async |house: House| {
        let ids = [house.fill(10).await, house.fill(10).await, house.fill(10).await];
        // Eviction begins with the unfinished file; not even root can unlink a directory.
        fs::create_dir(house.incomplete(&ids[1])).unwrap();
        assert_eq!(house.cache.evict_all().await.unwrap(), 2);
        assert_eq!(ids.map(|id| house.entry(&id).exists()), [false, true, false]);
    })
    .await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_listed_is_an_error_after_the_other_was_cleaned() {
    let house = House::new(Driver::Sqlite).await;
    fs::remove_dir(house.path("invalid")).unwrap();
    fs::write(house.path("invalid"), "").unwrap();
    let old = ImageId::random();
    let file = File::create(house.incomplete(&old)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(2 * 86400)).unwrap();
    house.cache.clean().await.unwrap_err();
    assert!(!house.incomplete(&old).exists());
}

#[tokio::test]
async fn cleaning_takes_what_failed_and_what_stalled() {
    with_each_driver(async |house: House| {
        fs::write(house.invalid(&ImageId::random()), "bad").unwrap();
        fs::write(house.path("invalid/other"), "bad").unwrap();
        let [old, young] = [ImageId::random(), ImageId::random()];
        for (id, age) in [(&old, 2 * 86400), (&young, 60)] {
            let file = File::create(house.incomplete(id)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        assert_eq!(house.cache.clean().await.unwrap(), Cleaned { invalid: 2, stalled: 1 });
        assert!(!house.incomplete(&old).exists());
        assert!(house.incomplete(&young).exists());
        assert_eq!(house.cache.clean().await.unwrap(), Cleaned::default());
    })
    .await;
}

#[tokio::test]
async fn without_a_stall_time_only_running_fills_stay() {
    let house = House::new(Driver::Sqlite).await;
    let impatient = crate::cache::Settings { stall_time: Duration::ZERO, ..settings(house.dir.path(), Driver::Sqlite) };
    let cleaner = Cache::open(impatient, None).await.unwrap();
    let (running, source) = (ImageId::random(), Script::new(image(2 * STEP)).held_at(STEP).shared());
    let data = house.fetch(&running, &source).await.data;
    fs::write(house.incomplete(&ImageId::random()), "half").unwrap();
    assert_eq!(cleaner.clean().await.unwrap(), Cleaned { invalid: 0, stalled: 1 });
    source.open_gate();
    assert_eq!(all(data).await.unwrap(), image(2 * STEP));
    assert_eq!(house.read(&running).await, image(2 * STEP));
}

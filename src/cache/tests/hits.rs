//! Reading what is cached.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use futures_util::future::join_all;

use super::support::{House, Script, all, block, image, nowhere, of_size, with_each_driver};
use crate::cache::blocks::BLOCK;
use crate::cache::{Driver, Expected};
use crate::model::ImageId;

/// More than two blocks of a hit.
const SIZE: usize = 2 * BLOCK as usize + 1;

#[tokio::test]
async fn a_complete_read_is_counted_before_its_last_block() {
    with_each_driver(async |house: House| {
        let id = house.fill(SIZE).await;
        let hits = async || house.cache.entries().await[0].hits;
        let hit = house.hit(&id).await;
        assert_eq!(hit.size(), SIZE as u64);
        assert_eq!(hit.file.metadata().unwrap().len(), SIZE as u64);
        let mut data = hit.whole(nowhere());
        let mut read = Vec::new();
        while read.len() < SIZE {
            assert_eq!(hits().await, 0);
            read.extend(block(&mut data).await.unwrap().unwrap());
        }
        assert_eq!(hits().await, 1);
        assert!(block(&mut data).await.is_none());
        assert_eq!(read, image(SIZE));
        house.read(&id).await;
        assert_eq!(hits().await, 2);
        assert!(house.cache.entries().await[0].last_accessed > 1.7e9);
    })
    .await;
}

#[tokio::test]
async fn a_broken_off_read_is_not_counted() {
    with_each_driver(async |house: House| {
        let id = house.fill(SIZE).await;
        let mut data = house.hit(&id).await.whole(nowhere());
        block(&mut data).await.unwrap().unwrap();
        drop(data);
        assert_eq!(house.cache.entries().await[0].hits, 0);
    })
    .await;
}

#[tokio::test]
async fn reading_an_empty_image_counts() {
    with_each_driver(async |house: House| {
        let id = house.fill(0).await;
        assert_eq!(house.read(&id).await, b"");
        assert_eq!(house.cache.entries().await[0].hits, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_reads_at_once_each_is_counted() {
    with_each_driver(async |house: House| {
        let id = house.fill(1).await;
        let reads = (0..50).map(async |_| assert_eq!(house.read(&id).await, image(1)));
        join_all(reads).await;
        assert_eq!(house.cache.entries().await[0].hits, 50);
    })
    .await;
}

#[tokio::test]
async fn an_entry_cut_short_is_evicted_and_the_rest_read_from_the_store() {
    with_each_driver(async |house: House| {
        let (id, source) = (house.fill(SIZE).await, Script::new(image(SIZE)).shared());
        let mut data = house.hit(&id).await.whole(source.store());
        let mut read = block(&mut data).await.unwrap().unwrap().to_vec();
        File::options().write(true).open(house.entry(&id)).unwrap().set_len(BLOCK + 5).unwrap();
        read.extend(all(data).await.unwrap());
        assert!(read == image(SIZE));
        assert_eq!(source.opened_at(), [BLOCK]);
        assert!(!house.entry(&id).exists());
        assert!(house.cache.entries().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_evicted_and_read_from_the_store() {
    with_each_driver(async |house: House| {
        let (id, source) = (house.fill(SIZE).await, Script::new(image(SIZE)).shared());
        let mut hit = house.hit(&id).await;
        hit.file = Arc::new(File::options().write(true).open(house.entry(&id)).unwrap().into());
        assert!(all(hit.whole(source.store())).await.unwrap() == image(SIZE));
        assert!(house.cache.lookup(&id, &Expected::default()).await.is_none());
        assert!(house.cache.entries().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_took_the_place_of_a_damaged_entry_stays() {
    let house = House::new(Driver::Sqlite).await;
    let (id, source) = (house.fill(SIZE).await, Script::new(image(SIZE)).shared());
    let old = house.hit(&id).await;
    File::options().write(true).open(house.entry(&id)).unwrap().set_len(5).unwrap();
    house.cache.evict(&id).await.unwrap();
    all(house.fetch(&id, &source).await.data).await.unwrap();
    assert!(all(old.whole(source.store())).await.unwrap() == image(SIZE));
    assert!(house.read(&id).await == image(SIZE));
}

#[tokio::test]
async fn the_store_of_a_damaged_entry_must_have_the_same_image() {
    let house = House::new(Driver::Sqlite).await;
    let id = house.fill(SIZE).await;
    let data = house.hit(&id).await.whole(Script::new(image(SIZE + 1)).shared().store());
    File::options().write(true).open(house.entry(&id)).unwrap().set_len(5).unwrap();
    all(data).await.unwrap_err();
}

#[tokio::test]
async fn an_entry_of_another_size_is_evicted() {
    with_each_driver(async |house: House| {
        let id = house.fill(10).await;
        assert!(house.cache.lookup(&id, &of_size(Some(10))).await.is_some());
        assert!(house.cache.lookup(&id, &of_size(Some(11))).await.is_none());
        assert!(!house.entry(&id).exists());
        assert!(house.cache.entries().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn only_regular_files_are_entries() {
    with_each_driver(async |house: House| {
        let [link, directory, pipe] = [ImageId::random(), ImageId::random(), ImageId::random()];
        std::fs::write(house.path("secret"), "not an image").unwrap();
        symlink(house.path("secret"), house.entry(&link)).unwrap();
        std::fs::create_dir(house.entry(&directory)).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, house.entry(&pipe), rustix::fs::Mode::RUSR).unwrap();
        for id in [link, directory, pipe] {
            assert!(house.cache.lookup(&id, &Expected::default()).await.is_none());
        }
        assert!(house.cache.entries().await.is_empty());
    })
    .await;
}

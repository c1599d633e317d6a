//! Reading what is cached.

use std::os::unix::fs::symlink;

use super::support::{House, all, block, image, with_each_driver};
use crate::cache::Driver;
use crate::cache::blocks::BLOCK;
use crate::model::ImageId;

/// More than two blocks of a hit.
const SIZE: usize = 2 * BLOCK as usize + 1;

#[tokio::test]
async fn a_complete_read_is_counted_before_its_last_block() {
    with_each_driver(async |house: House| {
        let id = house.fill(SIZE).await;
        let hits = async || house.cache.entries().await[0].hits;
        let hit = house.cache.lookup(&id).await.unwrap();
        assert_eq!(hit.size(), SIZE as u64);
        assert_eq!(hit.file.metadata().unwrap().len(), SIZE as u64);
        let mut data = hit.into_stream();
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
        let mut data = house.cache.lookup(&id).await.unwrap().into_stream();
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

#[tokio::test]
async fn an_entry_cut_short_ends_in_an_error() {
    let house = House::new(Driver::Sqlite).await;
    let id = house.fill(SIZE).await;
    let data = house.cache.lookup(&id).await.unwrap().into_stream();
    std::fs::File::options().write(true).open(house.entry(&id)).unwrap().set_len(5).unwrap();
    assert_eq!(all(data).await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
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
            assert!(house.cache.lookup(&id).await.is_none());
        }
        assert!(house.cache.entries().await.is_empty());
    })
    .await;
}

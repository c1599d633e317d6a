//! Reading entries again.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::support::{House, STEP, image, of_size, with_each_driver};
use crate::cache::{Driver, Expected, Verified};
use crate::model::ImageId;

fn right() -> Expected {
    let mut hasher = fastio::Hasher::new(fastio::Algorithm::Sha512);
    hasher.update(&image(3 * STEP));
    let digest = format!("sha512:{}", hasher.finish()).parse().unwrap();
    Expected { size: Some(3 * STEP as u64), digest: Some(digest) }
}

#[tokio::test]
async fn good_entries_stay_and_rotten_ones_go() {
    with_each_driver(async |house: House| {
        let id = house.fill(3 * STEP).await;
        assert_eq!(house.cache.cached_ids().await.unwrap(), std::slice::from_ref(&id));
        assert_eq!(house.cache.verify(&id, &right()).await.unwrap(), Verified::Good);
        File::options().write(true).open(house.entry(&id)).unwrap().write_at(b"rot", STEP as u64).unwrap();
        let Verified::Dropped(reason) = house.cache.verify(&id, &right()).await.unwrap() else {
            panic!("it is rotten")
        };
        assert!(reason.contains("instead of sha512:"), "{reason}");
        assert!(!house.entry(&id).exists() && house.cache.entries().await.is_empty());
        assert_eq!(house.cache.verify(&id, &right()).await.unwrap(), Verified::Gone);
    })
    .await;
}

#[tokio::test]
async fn an_image_without_a_checksum_is_compared_with_what_was_written() {
    let house = House::new(Driver::Sqlite).await;
    let id = house.fill(3 * STEP).await;
    if house.cache.layout.open_entry(&id).unwrap().unwrap().digest.is_none() {
        return super::support::skipped("the file system takes no user attributes");
    }
    assert_eq!(house.cache.verify(&id, &Expected::default()).await.unwrap(), Verified::Good);
    File::options().write(true).open(house.entry(&id)).unwrap().write_at(b"rot", STEP as u64).unwrap();
    assert!(matches!(house.cache.verify(&id, &Expected::default()).await.unwrap(), Verified::Dropped(_)));
}

#[tokio::test]
async fn of_a_file_that_somebody_put_there_only_the_size_can_be_wrong() {
    let house = House::new(Driver::Sqlite).await;
    let id = ImageId::random();
    fs::write(house.entry(&id), "foreign").unwrap();
    assert_eq!(house.cache.verify(&id, &of_size(Some(7))).await.unwrap(), Verified::Unknown);
    assert!(matches!(house.cache.verify(&id, &of_size(Some(8))).await.unwrap(), Verified::Dropped(_)));
}

#[tokio::test]
async fn only_holes_in_place_of_zeros_are_served() {
    let house = House::new(Driver::Sqlite).await;
    let zeros = vec![0; 3 * STEP];
    let mut hasher = fastio::Hasher::new(fastio::Algorithm::Sha512);
    hasher.update(&zeros);
    let digest = format!("sha512:{}", hasher.finish()).parse().unwrap();
    let of_zeros = Expected { size: Some(3 * STEP as u64), digest: Some(digest) };
    for (expected, served) in [(of_zeros, true), (right(), false), (of_size(Some(3 * STEP as u64)), false)] {
        let id = ImageId::random();
        File::create(house.entry(&id)).unwrap().set_len(3 * STEP as u64).unwrap();
        for _ in 0..2 {
            assert_eq!(house.cache.lookup(&id, &expected).await.is_some(), served, "{expected:?}");
            assert_eq!(house.entry(&id).exists(), served, "{expected:?}");
        }
    }
}

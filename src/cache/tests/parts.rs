//! Parts of images.

use super::support::{House, STEP, Script, all, image, nowhere, of_size};
use crate::cache::{Driver, Expected, FetchError, Fetched, Settings, Verdict, bypass};
use crate::model::{ImageId, RangeSpec};

const SIZE: usize = 4 * STEP;

fn from(first: usize, last: usize) -> Option<RangeSpec> {
    Some(RangeSpec::From { first: first as u64, last: Some(last as u64) })
}

/// What was fetched is the part from `start` up to `end`.
async fn is_part(fetched: Fetched, verdict: Verdict, start: usize, end: usize) {
    assert_eq!((fetched.verdict, fetched.size), (verdict, Some(SIZE as u64)));
    assert_eq!(fetched.part, Some(start as u64..end as u64));
    assert!(all(fetched.data).await.unwrap() == image(SIZE)[start..end]);
}

#[tokio::test]
async fn a_part_of_an_entry_is_read_from_it() {
    let house = House::new(Driver::Sqlite).await;
    let id = house.fill(SIZE).await;
    let known = of_size(Some(SIZE as u64));
    let fetch = async |wanted| house.cache.fetch(&id, nowhere(), &known, wanted).await.unwrap();
    is_part(fetch(from(1, 5)).await, Verdict::Hit, 1, 6).await;
    is_part(fetch(Some(RangeSpec::Last(7))).await, Verdict::Hit, SIZE - 7, SIZE).await;
    assert_eq!(house.cache.entries().await[0].hits, 0, "only a complete read is a hit");
    assert!(house.cache.entries().await[0].last_accessed > 0.0, "but it was used");
    is_part(fetch(from(0, SIZE)).await, Verdict::Hit, 0, SIZE).await;
    assert_eq!(house.cache.entries().await[0].hits, 1);
    let beyond = house.cache.fetch(&id, nowhere(), &known, from(SIZE, SIZE)).await;
    assert!(matches!(beyond, Err(FetchError::BeyondEnd { size }) if size == SIZE as u64));
}

#[tokio::test]
async fn a_part_of_a_running_fill_waits_for_its_bytes_only() {
    let house = House::new(Driver::Sqlite).await;
    let (id, source) = (ImageId::random(), Script::new(image(SIZE)).held_at(2 * STEP).shared());
    let whole = house.fetch(&id, &source).await;
    let fetch = async |wanted| house.cache.fetch(&id, nowhere(), &Expected::default(), wanted).await.unwrap();
    is_part(fetch(from(5, 2 * STEP - 1)).await, Verdict::Filling, 5, 2 * STEP).await;
    let later = fetch(from(3 * STEP, 3 * STEP + 9)).await;
    source.open_gate();
    is_part(later, Verdict::Filling, 3 * STEP, 3 * STEP + 10).await;
    assert!(all(whole.data).await.unwrap() == image(SIZE));
}

#[tokio::test]
async fn a_part_of_a_cold_image_is_all_that_is_read() {
    for known in [Some(SIZE as u64), None] {
        let house = House::new(Driver::Sqlite).await;
        let (id, source) = (ImageId::random(), Script::new(image(SIZE)).shared());
        let fetched = house.cache.fetch(&id, source.store(), &of_size(known), from(STEP, STEP)).await.unwrap();
        is_part(fetched, Verdict::Part, STEP, STEP + 1).await;
        house.settle().await;
        assert!(!house.entry(&id).exists());
        assert_eq!(source.opened_at().last(), Some(&(STEP as u64)));
    }
}

#[tokio::test]
async fn a_part_of_a_cold_image_begins_a_fill_if_so_configured() {
    let settings = |settings| Settings { fill_on_range: true, finish_abandoned: false, ..settings };
    let house = House::with(Driver::Sqlite, settings).await;
    let (id, source) = (ImageId::random(), Script::new(image(SIZE)).shared());
    let fetched = house.cache.fetch(&id, source.store(), &of_size(Some(SIZE as u64)), from(STEP, STEP)).await.unwrap();
    is_part(fetched, Verdict::Part, STEP, STEP + 1).await;
    house.settle().await;
    assert!(house.read(&id).await == image(SIZE));
}

#[tokio::test]
async fn an_image_of_unknown_size_has_no_parts() {
    let mut source = Script::new(image(SIZE));
    source.announced = None;
    let store = source.shared().store();
    let fetched = bypass(&*store, &Expected::default(), from(1, 2), Verdict::Disabled).await.unwrap();
    assert_eq!((fetched.size, fetched.part.clone()), (None, None));
    assert!(all(fetched.data).await.unwrap() == image(SIZE));
}

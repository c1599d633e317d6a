//! The queue of images to be prefetched.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use super::support::{House, STEP, Script, all, image, with_each_driver};
use crate::cache::queue::Queued;
use crate::model::ImageId;

#[tokio::test]
async fn only_what_may_be_cached_is_queued() {
    with_each_driver(async |house: House| {
        let cached = house.fill(10).await;
        assert_eq!(house.cache.queue(&cached).await.unwrap(), Queued::AlreadyCached);

        let (filling, source) = (ImageId::random(), Script::new(image(STEP)).held_at(0).shared());
        let fetched = house.fetch(&filling, &source).await;
        assert_eq!(house.cache.queue(&filling).await.unwrap(), Queued::BeingCached);
        source.open_gate();
        all(fetched.data).await.unwrap();

        let cold = ImageId::random();
        assert_eq!(house.cache.queue(&cold).await.unwrap(), Queued::Yes);
        assert_eq!(house.cache.queue(&cold).await.unwrap(), Queued::AlreadyQueued);
        assert_eq!(house.cache.queued().await.unwrap(), [cold]);
    })
    .await;
}

#[tokio::test]
async fn the_queue_is_in_order_of_time_then_id() {
    with_each_driver(async |house: House| {
        let mut ids = [ImageId::random(), ImageId::random(), ImageId::random(), ImageId::random()];
        ids[1..].sort();
        let now = SystemTime::now();
        for (id, age) in ids.iter().zip([0, 9, 9, 5]) {
            house.cache.queue(id).await.unwrap();
            let marker = File::options().write(true).open(house.path("queue").join(id.as_str())).unwrap();
            marker.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        let [last, first, second, third] = ids;
        assert_eq!(house.cache.queued().await.unwrap(), [first, second, third, last]);
    })
    .await;
}

#[tokio::test]
async fn images_leave_the_queue() {
    with_each_driver(async |house: House| {
        let ids = [ImageId::random(), ImageId::random(), ImageId::random()];
        for id in &ids {
            house.cache.queue(id).await.unwrap();
        }
        fs::write(house.path("queue/README"), "no image").unwrap();
        assert!(house.cache.unqueue(&ids[0]).await.unwrap());
        assert!(!house.cache.unqueue(&ids[0]).await.unwrap());
        assert_eq!(house.cache.unqueue_all().await.unwrap(), 2);
        assert!(house.cache.queued().await.unwrap().is_empty());
    })
    .await;
}

//! What an owner's images take.

use super::{Bed, beds, named, tenant};
use crate::db::{Metadata, UpdateMode};
use crate::model::{ImageFields, ImageStatus, Location, Resource};

async fn stored(bed: &Bed, owner: &str, size: u64, places: &[&str]) -> crate::model::ImageId {
    let fields = ImageFields {
        size: Some(Some(size)),
        status: Some(ImageStatus::Active),
        locations: Some(places.iter().map(|uri| Location::bare((*uri).to_owned())).collect()),
        ..named("x")
    };
    bed.add(&tenant(owner), fields).await.id
}

#[tokio::test]
async fn each_place_counts_and_nothing_that_is_gone() {
    for bed in beds().await {
        assert_eq!(bed.storage_used("a").await.unwrap(), 0);
        stored(&bed, "a", 5, &["file:///1"]).await;
        // More than fits 32 bits, together more than fits 63.
        stored(&bed, "a", 1 << 61, &["file:///2", "file:///3"]).await;
        stored(&bed, "b", 7, &["file:///4"]).await;
        let gone = stored(&bed, "a", 11, &["file:///5"]).await;
        bed.image_delete(&tenant("a"), &gone, None).await.unwrap();
        // Registered only, or on its way; and one that is staged.
        stored(&bed, "a", 13, &[]).await;
        let staged = bed.add(&tenant("a"), named("x")).await.id;
        let fields =
            ImageFields { size: Some(Some(17)), status: Some(ImageStatus::Uploading), ..ImageFields::default() };
        bed.image_update(&tenant("a"), &staged, fields, UpdateMode::default()).await.unwrap();
        assert_eq!(bed.storage_used("a").await.unwrap(), 5 + (2 << 61) + 17);
        assert_eq!(bed.storage_used("b").await.unwrap(), 7);
        assert_eq!(bed.storage_used("c").await.unwrap(), 0);
    }
}

#[tokio::test]
async fn of_each_resource_as_glance_counts_it() {
    for bed in beds().await {
        let used = async || {
            let mut used = Vec::new();
            for resource in Resource::ALL {
                used.push(bed.usage("a", resource).await.unwrap());
            }
            used
        };
        let change = async |id: &crate::model::ImageId, fields: ImageFields| {
            bed.image_update(&tenant("a"), id, fields, UpdateMode::default()).await.unwrap();
        };
        assert_eq!(used().await, [0, 0, 0, 0]);
        stored(&bed, "a", 3 << 19, &["file:///1", "file:///2"]).await;
        stored(&bed, "b", 5 << 20, &["file:///3"]).await;
        let in_status = |status| ImageFields { status: Some(status), ..ImageFields::default() };
        for status in [ImageStatus::Saving, ImageStatus::Killed, ImageStatus::PendingDelete] {
            let id = stored(&bed, "a", 7 << 20, &["file:///4"]).await;
            change(&id, in_status(status)).await;
        }
        assert_eq!(used().await, [10, 0, 2, 1]);
        let staged = bed.add(&tenant("a"), named("x")).await.id;
        let fields = ImageFields { size: Some(Some(11 << 20)), ..in_status(ImageStatus::Uploading) };
        change(&staged, fields).await;
        // Glance copies it.
        let copied = stored(&bed, "a", 13 << 20, &["file:///5"]).await;
        let property = |stores: &str| ImageFields {
            properties: Some([("os_glance_importing_to_stores".to_owned(), Some(stores.to_owned()))].into()),
            ..ImageFields::default()
        };
        change(&copied, property("fast,slow")).await;
        assert_eq!(used().await, [23, 24, 4, 3]);
        change(&copied, property("")).await;
        assert_eq!(used().await, [23, 11, 4, 2]);
    }
}

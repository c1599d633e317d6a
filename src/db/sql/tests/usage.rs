//! What an owner's images take.

use super::{Bed, beds, named, tenant};
use crate::db::{Metadata, UpdateMode};
use crate::model::{ImageFields, ImageStatus, Location};

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

//! Uploads that a deletion has overtaken without knowing it.
//!
//! Glance deletes an image as it was when the request came: the data that it had then, and the record, whatever that says by
//! now. Data that an upload here makes the image's in between would be nobody's for ever. So the record of an image that got
//! data is looked at once more when such a deletion must be over, or when the server stops. A process that is killed before
//! that does not; of Gander's own deletions, which compare and set, there is nothing to be found.

use std::time::Duration;

use super::Images;
use crate::model::{Api, Context, ImageId};
use crate::store::{self, Address, Store as _};

/// Longer than Glance takes from its look at an image to the end of its deletion.
const LATER: Duration = Duration::from_secs(3);

impl Images {
    /// Removes the data at `place`, which `id` has just got, if it turns out to be deleted without it.
    pub(super) fn look_again_later(&self, ctx: &Context, id: &ImageId, place: Address) {
        // v2 does not see deleted images.
        let (images, ctx, id) = (self.clone(), Context { api: Api::V1, ..ctx.clone() }, id.clone());
        self.background.tasks.spawn(async move {
            images.background.ended.run_until_cancelled(tokio::time::sleep(LATER)).await;
            images.look_again(&ctx, &id, &place).await;
        });
    }

    async fn look_again(&self, ctx: &Context, id: &ImageId, place: &Address) {
        let Ok(image) = self.parts.metadata.image_get(ctx, id).await else { return };
        // What waits for its scrubber is known; of what cannot be read nobody can tell.
        let nobodys =
            image.deleted && self.addresses(&image).is_ok_and(|held| held.iter().all(|held| held.uri != place.uri));
        let Some(store) = self.parts.stores.at(place).ok().filter(|_| nobodys) else { return };
        match store.delete(&place.uri).await {
            Ok(()) => tracing::info!("image {id} was deleted while its data arrived: the data is removed"),
            Err(store::Error::NotFound(_)) => {}
            Err(error) => tracing::error!("Unable to remove the data of deleted image {id}: {error}"),
        }
    }
}

//! Taking an image's data out of one of several stores (v2-images §10).

use super::places::Places;
use super::{Error, Images, Result};
use crate::model::{Context, ImageFields, ImageId, ImageStatus};
use crate::notify::{Event, Priority};

/// Why the data stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WithdrawalRefusal {
    #[error("The selected store {0} is not available on this node.")]
    UnknownStore(String),
    #[error("It's not allowed to remove image data from store if image status is not 'active'")]
    NotActive,
    #[error("Cannot delete image data from the only store containing it. Consider deleting the image instead.")]
    OnlyStore,
    #[error("Image {image} is not stored in store {store}.")]
    NotThere { image: ImageId, store: String },
}

impl Images {
    /// Takes the image's data out of a store, never out of the last one. The record first, by compare-and-set, then the
    /// data.
    pub(crate) async fn withdraw(&self, ctx: &Context, store: &str, id: &ImageId) -> Result<()> {
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        if self.parts.stores.by_name(store).is_none() {
            return Err(WithdrawalRefusal::UnknownStore(store.to_owned()).into());
        }
        let image = self.lookup(ctx, id).await?;
        for rule in ["get_image_location", "delete_image_location"] {
            self.parts.policy.enforce_on(ctx, rule, &image).await?;
        }
        if image.status != ImageStatus::Active {
            return Err(WithdrawalRefusal::NotActive.into());
        }
        let mut places: Places = self.places(&image)?;
        if places.len() <= 1 {
            return Err(WithdrawalRefusal::OnlyStore.into());
        }
        if !places.remove_from(store) {
            return Err(WithdrawalRefusal::NotThere { image: image.id, store: store.to_owned() }.into());
        }
        let changed = self.save_places(ctx, &image, places, ImageFields::default()).await?;
        self.parts.notifier.image(Event::Update, Priority::Info, &changed);
        Ok(())
    }
}

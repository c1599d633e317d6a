//! Changing an image's record by v1 (v2: `change.rs`).

use std::collections::BTreeSet;

use super::create::check_reserved;
use super::storage_quota::recorded;
use super::{Error, Images, Result};
use crate::db::UpdateMode;
use crate::model::{Context, Image, ImageFields, ImageId, ImageStatus, Resource, is_own_property};
use crate::notify::{Event, Priority};

impl Images {
    /// Checks that the caller may change the image and that data or a location may come to it now.
    pub(crate) async fn open_for_update(&self, ctx: &Context, id: &ImageId, brings: Brings) -> Result<Image> {
        self.authorise_change(ctx, "modify_image").await?;
        let image = self.lookup(ctx, id).await?;
        self.authorise_seen(ctx, "modify_image", &image).await?;
        if brings == Brings::Data {
            self.authorise_seen(ctx, "upload_image", &image).await?;
        }
        match brings {
            Brings::Data if image.status != ImageStatus::Queued => {
                Err(Error::NotQueued { is: image.status, to: ImageStatus::Saving })
            }
            Brings::Location if image.status != ImageStatus::Queued => Err(Error::LocationNotQueued),
            _ => Ok(image),
        }
    }

    /// Changes the record. A `location` makes a queued image active (v1-api §19).
    ///
    /// Status, digests, size and id are the state machine's alone (security S21): what `fields` says of them is ignored.
    pub(crate) async fn update(
        &self,
        ctx: &Context,
        image: &Image,
        mut fields: ImageFields,
        location: Option<&str>,
        purge_props: bool,
    ) -> Result<Image> {
        if fields.is_public == Some(true) && !image.is_public() {
            self.authorise_unseen(ctx, "publicize_image").await?;
            self.authorise_seen(ctx, "publicize_image", image).await?;
        }
        check_reserved(&fields)?;
        self.check_said_properties(ctx, image, &mut fields, purge_props)?;
        self.check_properties(properties_after(image, &fields, purge_props))?;
        let announced = fields.size.flatten();
        let mut change = ImageFields {
            id: None,
            status: None,
            checksum: None,
            os_hash_algo: None,
            os_hash_value: None,
            size: None,
            locations: None,
            ..fields
        };
        let mut mode = UpdateMode { purge_props, from_status: None };
        let mut room = None;
        if let Some(uri) = location {
            let size = self.size_at(uri, announced).await?;
            room = self.take_room(ctx, image.owner.as_deref(), Some(size), Resource::SizeTotal).await?;
            change.size = Some(Some(size));
            change.locations = Some(vec![self.stored_location(uri)]);
            change.status = Some(ImageStatus::Active);
            mode.from_status = Some(ImageStatus::Queued);
        }
        let changed = recorded(room.as_deref(), self.parts.metadata.image_update(ctx, &image.id, change, mode)).await;
        match &changed {
            Ok(image) => self.parts.notifier.image(Event::Update, Priority::Info, image),
            Err(error) => self.parts.notifier.failure(Event::Update, &error.to_string()),
        }
        changed.map_err(Error::Update)
    }
}

/// How many properties the image will have.
fn properties_after(image: &Image, fields: &ImageFields, purge_props: bool) -> usize {
    let said = fields.properties.iter().flat_map(|properties| properties.keys());
    let kept = image.properties.keys().filter(|_| !purge_props);
    // The service's own take nobody's room.
    said.chain(kept).filter(|name| !is_own_property(name)).collect::<BTreeSet<_>>().len()
}

/// What a change brings besides metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brings {
    Nothing,
    Data,
    Location,
}

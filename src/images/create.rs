//! Creating an image's record by v1 (v2: `register.rs`).

use std::collections::BTreeMap;

use super::storage_quota::recorded;
use super::{Error, Images, Result};
use crate::model::{Context, Image, ImageFields, ImageStatus, Resource, Visibility, is_own_property};
use crate::store::Store as _;

impl Images {
    /// Reserves an image in status `queued`, or `active` if its data is at `location` already.
    ///
    /// Whatever status, digests or location `fields` holds is ignored (v1-api §10).
    pub(crate) async fn create(&self, ctx: &Context, fields: ImageFields, location: Option<&str>) -> Result<Image> {
        // Only admins name another owner; what others say is as good as nothing (v1-api §10).
        let named = fields.owner.as_ref().filter(|_| ctx.is_admin);
        let owner = named.map_or(ctx.owner(), |owner| owner.as_deref());
        self.parts.policy.enforce_new(ctx, "add_image", owner, None).await?;
        if ctx.read_only {
            return Err(Error::ReadOnly);
        }
        if fields.is_public == Some(true) {
            self.parts.policy.enforce_new(ctx, "publicize_image", owner, Some(Visibility::Public)).await?;
        }
        check_reserved(&fields)?;
        self.check_new_properties(ctx, &fields)?;
        self.check_size_cap(fields.size.flatten())?;
        self.check_properties(fields.properties.as_ref().map_or(0, BTreeMap::len))?;
        self.check_limit(ctx, Resource::CountTotal, 1).await?;
        let (size, room) = match location {
            None => (fields.size.flatten().unwrap_or(0), None),
            Some(uri) => {
                let size = self.size_at(uri, fields.size.flatten()).await?;
                (size, self.take_room(ctx, owner, Some(size), Resource::SizeTotal).await?)
            }
        };
        let status = if location.is_some() { ImageStatus::Active } else { ImageStatus::Queued };
        let record = ImageFields {
            status: Some(status),
            size: Some(Some(size)),
            checksum: None,
            os_hash_algo: None,
            os_hash_value: None,
            locations: location.map(|uri| vec![self.stored_location(uri)]),
            ..fields
        };
        let id = record.id.clone();
        let reserved = recorded(room.as_deref(), self.parts.metadata.image_insert(ctx, record)).await;
        reserved.map_err(|source| Error::Reserve { id, source })
    }

    /// Refuses more properties than the quota.
    pub(super) fn check_properties(&self, attempted: usize) -> Result<()> {
        match self.parts.settings.property_quota {
            Some(quota) if attempted > quota => Err(Error::Quota { what: "properties", attempted, quota }),
            _ => Ok(()),
        }
    }

    /// Refuses an announced size above the cap.
    pub(crate) fn check_size_cap(&self, announced: Option<u64>) -> Result<()> {
        let cap = self.parts.settings.image_size_cap;
        match announced {
            Some(size) if size > cap => Err(Error::AnnouncedTooLarge { cap, size }),
            _ => Ok(()),
        }
    }

    /// The size of a client's location: as announced by the client, else as the store tells, else 0 for unknown. Where
    /// room is counted, nobody makes an image smaller by announcing it so.
    pub(super) async fn size_at(&self, uri: &str, announced: Option<u64>) -> Result<u64> {
        self.parts.stores.check_client_location(uri).map_err(Error::BadLocation)?;
        let announced = announced.filter(|size| *size > 0);
        let size = match announced {
            Some(size) if self.parts.settings.storage_quota.is_none() && self.parts.limits.is_none() => size,
            _ => {
                let store = self.parts.stores.for_uri(uri).map_err(Error::BadLocation)?;
                store.size(uri).await.map_err(Error::BadLocation)?.max(announced).unwrap_or(0)
            }
        };
        self.check_size_cap(Some(size))?;
        Ok(size)
    }
}

/// Refuses the service's own properties, which steer what it does (security S38).
pub(super) fn check_reserved(fields: &ImageFields) -> Result<()> {
    let mut names = fields.properties.iter().flat_map(|properties| properties.keys());
    match names.find(|name| is_own_property(name)) {
        Some(name) => Err(Error::Reserved(name.clone())),
        None => Ok(()),
    }
}

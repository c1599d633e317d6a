//! Where an image's data is, and in which of the stores: what is noted of its locations, set right where it is not, and in
//! the order in which they are taken (stores §3.1).

use serde_json::{Map, Value};

use super::{Images, Result};
use crate::db::UpdateMode;
use crate::model::{Context, Image, ImageFields, Location};
use crate::store::{Address, STORE_NOTE};

impl Images {
    /// What v2 shows of the places of the image's data: URI and notes of each that can be read.
    pub(crate) fn shown_locations(&self, image: &Image) -> Vec<(String, Map<String, Value>)> {
        let readable =
            |location: &Location| Some((self.plain_location(&location.uri).ok()?, self.true_notes(location)));
        self.by_weight(image.locations.iter().filter_map(readable).collect(), |(_, notes)| noted_store(notes))
    }

    /// Every place of the image's data, that in the heaviest store first.
    pub(super) fn addresses(&self, image: &Image) -> Result<Vec<Address>> {
        let addresses = image.locations.iter().map(|stored| self.address(stored)).collect::<Result<_>>()?;
        Ok(self.by_weight(addresses, |address: &Address| address.store.as_deref()))
    }

    /// The place that a location is.
    pub(super) fn address(&self, stored: &Location) -> Result<Address> {
        Ok(Address::of(self.plain_location(&stored.uri)?, &self.true_notes(stored)))
    }

    /// URI and stored form of each, that in the heaviest store first.
    pub(super) fn plain_and_stored(&self, image: &Image) -> Result<Vec<(String, Location)>> {
        let both = |stored: &Location| {
            let right = Location { metadata: self.true_notes(stored), uri: stored.uri.clone() };
            Ok((self.plain_location(&stored.uri)?, right))
        };
        let all = image.locations.iter().map(both).collect::<Result<_>>()?;
        Ok(self.by_weight(all, |(_, location): &(String, Location)| noted_store(&location.metadata)))
    }

    /// The image with true notes of the stores that its locations lie in: they are saved, so that services without these
    /// stores' directories know them as well. What cannot be saved now is found again next time.
    pub(super) async fn with_true_notes(&self, ctx: &Context, image: Image) -> Image {
        if self.stores().is_none() || image.deleted {
            return image;
        }
        let right = |stored: &Location| Location { metadata: self.true_notes(stored), uri: stored.uri.clone() };
        let locations: Vec<Location> = image.locations.iter().map(right).collect();
        if locations == image.locations {
            return image;
        }
        let fields = ImageFields { locations: Some(locations), ..ImageFields::default() };
        let mode = UpdateMode { purge_props: false, from_status: Some(image.status) };
        // The notes are the service's own, whoever looks at them.
        let authority = ctx.elevated();
        let saved = self.parts.metadata.image_relocate(&authority, &image.id, &image.locations, fields, mode).await;
        match saved {
            Ok(saved) => {
                tracing::info!("image {}: noted anew in which stores its data is", image.id);
                saved
            }
            Err(error) => {
                tracing::debug!("image {}: its stores cannot be noted: {error}", image.id);
                image
            }
        }
    }

    /// What is noted of a location, with the store that it lies in where that was missing or is no more.
    fn true_notes(&self, stored: &Location) -> Map<String, Value> {
        let mut notes = stored.metadata.clone();
        // Most are right, and then it need not be decrypted.
        let stores = &self.parts.stores;
        if stores.several().is_some()
            && noted_store(&notes).is_none_or(|id| stores.by_name(id).is_none())
            && let Ok(uri) = self.plain_location(&stored.uri)
            && let Some(id) = stores.better_note(&Address::of(uri, &notes))
        {
            notes.insert(STORE_NOTE.to_owned(), id.into());
        }
        notes
    }

    /// The heaviest store's first, those of equal weight in their order; of unknown stores the weight is 0.
    fn by_weight<T>(&self, mut places: Vec<T>, store: impl Fn(&T) -> Option<&str>) -> Vec<T> {
        let weight = |place: &T| store(place).and_then(|id| Some(self.parts.stores.by_name(id)?.weight)).unwrap_or(0);
        if self.parts.stores.several().is_some() {
            places.sort_by_key(|place| std::cmp::Reverse(weight(place)));
        }
        places
    }
}

/// The store that is noted.
pub(super) fn noted_store(notes: &Map<String, Value>) -> Option<&str> {
    notes.get(STORE_NOTE).and_then(Value::as_str)
}

/// The places in the preferred stores before the others.
pub(super) fn preferred_first(mut addresses: Vec<Address>, preferred: &[String]) -> Vec<Address> {
    addresses.sort_by_key(|address| !address.store.as_ref().is_some_and(|id| preferred.contains(id)));
    addresses
}

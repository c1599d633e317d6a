//! Changing where an image's data is (v2-images §7), and telling it (v2-import-and-tasks §7.2).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::held::noted_store;
use super::journal::{Entry, Note, Work};
use super::place::{accepted, check_metadata};
use super::storage_quota::{Room, recorded};
use super::{Error, Images, Place, PlaceChange, PlaceRefusal, Position, Result};
use crate::db::{self, UpdateMode};
use crate::model::{Context, Image, ImageFields, ImageId, ImageStatus, Location, Resource};
use crate::store::{Address, STORE_NOTE, Store as _};

/// The places of an image's data as the changes so far would leave them.
pub(super) struct Places {
    /// The image, with what the changes say of it.
    image: Image,
    /// Plain URI and stored form of each.
    places: Vec<(String, Location)>,
    /// What was taken away: data that nobody else has.
    removed: Vec<(String, Location)>,
    /// What the new places take of their owner's quota.
    room: Option<Arc<Room>>,
    /// Bytes at the new places.
    added: u64,
}

impl Places {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Takes the first place in this store away; false if there is none.
    pub(super) fn remove_from(&mut self, store: &str) -> bool {
        let at = self.places.iter().position(|(_, location)| noted_store(&location.metadata) == Some(store));
        self.removed.extend(at.map(|at| self.places.remove(at)));
        at.is_some()
    }

    fn uris(&self) -> Vec<String> {
        self.places.iter().map(|(uri, _)| uri.clone()).collect()
    }

    fn require(&self, verb: &'static str, allowed: &[ImageStatus]) -> Result<()> {
        let status = self.image.status;
        if allowed.contains(&status) { Ok(()) } else { Err(PlaceRefusal::Status { verb, status }.into()) }
    }
}

impl Images {
    /// Every place of the data, to who may know it whatever else is hidden.
    pub(crate) async fn locations(&self, ctx: &Context, id: &ImageId) -> Result<Vec<(String, Map<String, Value>)>> {
        let image = self.lookup(ctx, id).await?;
        self.parts.policy.enforce_on(ctx, "fetch_image_location", &image).await?;
        Ok(self.shown_locations(&image))
    }

    /// The places as they are.
    pub(super) fn places(&self, image: &Image) -> Result<Places> {
        Ok(Places {
            image: image.clone(),
            places: self.plain_and_stored(image)?,
            removed: Vec::new(),
            room: None,
            added: 0,
        })
    }

    /// Makes one change. `formats` are those that the image will have.
    pub(super) async fn change_places(
        &self,
        ctx: &Context,
        draft: &mut Places,
        change: PlaceChange,
        formats: [(&'static str, bool); 2],
    ) -> Result<()> {
        if matches!(&change, PlaceChange::Replace(places) if places.is_empty()) {
            return Err(PlaceRefusal::NoneLeft.into());
        }
        let verb = change.verb();
        let rule = if verb == "remove" { "delete_image_location" } else { "set_image_location" };
        self.parts.policy.enforce_on(ctx, rule, &draft.image).await?;
        if !self.parts.settings.show_multiple_locations {
            return Err(PlaceRefusal::Invisible(verb).into());
        }
        match change {
            PlaceChange::Remove(position) => remove(draft, position),
            PlaceChange::Add(position, place) => {
                draft.require(verb, &[ImageStatus::Active, ImageStatus::Queued])?;
                let end = draft.places.len();
                let at = match position.ok_or(PlaceRefusal::Position("adding"))? {
                    Position::At(at) => at.min(end),
                    Position::End => end,
                };
                self.place(ctx, draft, vec![(at, place)], formats).await
            }
            PlaceChange::Replace(places) => {
                draft.require(verb, &[ImageStatus::Active, ImageStatus::Queued])?;
                if draft.places.is_empty() {
                    return self.place(ctx, draft, places.into_iter().enumerate().collect(), formats).await;
                }
                rewrite(draft, places, self.parts.settings.hashing_algorithm, self.stores().is_some())
            }
        }
    }

    /// Adds new places, each at its index.
    async fn place(
        &self,
        ctx: &Context,
        draft: &mut Places,
        new: Vec<(usize, Place)>,
        formats: [(&'static str, bool); 2],
    ) -> Result<()> {
        let (at, places): (Vec<usize>, Vec<Place>) = new.into_iter().unzip();
        let validation = accepted(&draft.image, &places, self.parts.settings.hashing_algorithm)?;
        let attempted = draft.places.len() + places.len();
        if let Some(quota) = self.parts.settings.location_quota.filter(|quota| attempted > *quota) {
            return Err(Error::Quota { what: "locations", attempted, quota });
        }
        for (at, Place { uri, metadata, .. }) in at.into_iter().zip(places) {
            metadata.values().try_for_each(check_metadata)?;
            let metadata = self.parts.stores.noted(&uri, metadata);
            if draft.places.iter().any(|(known, location)| *known == uri && location.metadata == metadata) {
                return Err(PlaceRefusal::Twice(uri).into());
            }
            let size = self.size_of_place(&uri).await?;
            draft.added = draft.added.saturating_add(size);
            // Keystone's limit is for all that the draft adds; of the own quota each place takes its part.
            let announced = if self.parts.limits.is_some() { draft.added } else { size };
            let owner = &draft.image.owner;
            let more = self.take_room(ctx, owner.as_deref(), Some(announced), Resource::SizeTotal).await?;
            match (&draft.room, more) {
                (Some(room), Some(more)) => room.join(&more),
                (None, more) => draft.room = more,
                (Some(_), None) => {}
            }
            if draft.image.status == ImageStatus::Queued {
                let missing: Vec<_> = formats.into_iter().filter_map(|(name, set)| (!set).then_some(name)).collect();
                if !missing.is_empty() {
                    return Err(Error::NoFormats(missing));
                }
                draft.image.size = Some(size);
                draft.image.status = ImageStatus::Active;
            }
            let stored = Location { metadata, uri: self.stored_uri(&uri) };
            draft.places.insert(at, (uri, stored));
        }
        if let Some(validation) = validation {
            draft.image.checksum = validation.checksum.or(draft.image.checksum.take());
            draft.image.os_hash_algo = Some(validation.os_hash.algo);
            draft.image.os_hash_value = Some(validation.os_hash.value);
        }
        Ok(())
    }

    /// Bytes at a place that a client may name; one of unknown size is none.
    pub(super) async fn size_of_place(&self, uri: &str) -> Result<u64> {
        let stores = &self.parts.stores;
        stores.check_client_location(uri).map_err(|_| PlaceRefusal::Invalid)?;
        let store = stores.for_uri(uri).map_err(|_| PlaceRefusal::Invalid)?;
        let size = store.size(uri).await.ok().flatten().filter(|size| *size > 0).ok_or(PlaceRefusal::Invalid)?;
        self.check_size_cap(Some(size))?;
        Ok(size)
    }

    /// Saves the places together with what else changes, and then removes the data that was taken away. Compare-and-set:
    /// status and places must still be those that the changes began with.
    pub(super) async fn save_places(
        &self,
        ctx: &Context,
        image: &Image,
        mut draft: Places,
        fields: ImageFields,
    ) -> Result<Image> {
        let fields = ImageFields {
            status: changed(&draft.image.status, &image.status),
            size: changed(&draft.image.size, &image.size),
            checksum: changed(&draft.image.checksum, &image.checksum),
            os_hash_algo: changed(&draft.image.os_hash_algo, &image.os_hash_algo),
            os_hash_value: changed(&draft.image.os_hash_value, &image.os_hash_value),
            locations: Some(draft.places.iter().map(|(_, location)| location.clone()).collect()),
            ..fields
        };
        let kept = draft.uris();
        let (places, stored): (Vec<Address>, Vec<Location>) = std::mem::take(&mut draft.removed)
            .into_iter()
            .filter(|(uri, _)| !kept.contains(uri))
            .map(|(uri, stored)| (Address::of(uri, &stored.metadata), stored))
            .unzip();
        let mut entry = None;
        if !stored.is_empty() {
            let note = Note::of_removal(Work::Remove, &stored);
            let begun = Entry::begin(&self.parts.settings.upload_journal_dir, &image.id, note).await;
            entry = Some(begun.map_err(|error| {
                tracing::error!("no location is removed, as upload_journal_dir cannot be written: {error}");
                Error::NoJournal
            })?);
        }
        let mode = UpdateMode { purge_props: false, from_status: Some(image.status) };
        let saving = self.parts.metadata.image_relocate(ctx, &image.id, &image.locations, fields, mode);
        let saved = recorded(draft.room.as_deref(), saving).await;
        let settled = match &saved {
            Ok(_) => self.remove_data(&image.id, &places).await,
            // What may have happened all the same is decided by the next start.
            Err(error) => !matches!(error, db::Error::Unavailable(_) | db::Error::Internal(_)),
        };
        if let Some(mut entry) = entry {
            if !settled {
                entry.leave();
            }
            entry.settle().await;
        }
        saved.map_err(Error::Update)
    }
}

/// What is to be saved of an attribute.
fn changed<T: Clone + PartialEq>(now: &T, before: &T) -> Option<T> {
    (now != before).then(|| now.clone())
}

/// Takes one place away, but never the last one.
fn remove(draft: &mut Places, position: Option<Position>) -> Result<()> {
    draft.require("remove", &[ImageStatus::Active])?;
    if draft.places.len() == 1 {
        return Err(PlaceRefusal::LastOne.into());
    }
    let at = match position {
        Some(Position::At(at)) if at < draft.places.len() => at,
        Some(Position::End) if !draft.places.is_empty() => draft.places.len() - 1,
        _ => return Err(PlaceRefusal::Position("removing").into()),
    };
    let taken = draft.places.remove(at);
    draft.removed.push(taken);
    Ok(())
}

/// The same places in another order, or with other notes.
fn rewrite(draft: &mut Places, places: Vec<Place>, algorithm: fastio::Algorithm, several: bool) -> Result<()> {
    let mut left = std::mem::take(&mut draft.places);
    let before: Vec<String> = left.iter().map(|(uri, _)| uri.clone()).collect();
    accepted(&draft.image, &places, algorithm)?;
    for Place { uri, metadata, .. } in places {
        metadata.values().try_for_each(check_metadata)?;
        let Some(at) = left.iter().position(|(known, _)| *known == uri) else {
            return Err(PlaceRefusal::NotEmpty(before).into());
        };
        let (uri, stored) = left.remove(at);
        let metadata = with_note_of(metadata, &stored, several);
        draft.places.push((uri, Location { metadata, ..stored }));
    }
    if left.is_empty() { Ok(()) } else { Err(PlaceRefusal::NotEmpty(before).into()) }
}

/// What a client wants to be noted of a place, but for the store that it lies in, of `several`.
fn with_note_of(mut metadata: Map<String, Value>, stored: &Location, several: bool) -> Map<String, Value> {
    if several {
        match stored.metadata.get(STORE_NOTE) {
            Some(note) => metadata.insert(STORE_NOTE.to_owned(), note.clone()),
            None => metadata.shift_remove(STORE_NOTE),
        };
    }
    metadata
}
